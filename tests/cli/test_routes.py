"""`taskman-authz routes`: the routes of an app that no check guards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskman_authz.cli import main
from tests.house.source import ROOT

APPS = {"fastapi": 0, "starlette": 1, "flask": 1, "django": 1}


@pytest.mark.process
@pytest.mark.parametrize("framework", APPS)
def test_the_examples_have_the_routes_that_they_say(framework):
    command = [sys.executable, "-m", "taskman_authz.cli", "routes", f"{framework}_app:app"]
    command += ["--app-dir", "examples", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == APPS[framework], done.stderr
    found = json.loads(done.stdout)
    bare = [each for each in found["routes"] if not each["guarded"] and not each["public"]]
    assert found["unguarded"] == len(bare) == APPS[framework]
    assert all("forgotten" in each["path"] for each in bare)
    assert "tasks:edit on task_of()" in [each["check"] for each in found["routes"]]


@pytest.fixture
def app_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with modules of apps, forgotten again."""
    (tmp_path / "apps_of_a_test.py").write_text(
        "from starlette.applications import Starlette\n"
        "from starlette.routing import Route\n"
        "def view(request): ...\n"
        "app = Starlette(routes=[Route('/a', view, methods=['POST'])])\n"
        "def create_app(): return app\n"
        "number = 7\n"
    )
    (tmp_path / "broken_app_of_a_test.py").write_text("1 / 0\n")
    (tmp_path / "ending_app_of_a_test.py").write_text("raise SystemExit(0)\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("apps_of_a_test", None)


def test_what_is_not_guarded_is_listed_and_the_status_is_1(app_dir, capsys):
    for app in ("apps_of_a_test:app", "apps_of_a_test:create_app()"):
        assert main(["routes", app, "--app-dir", str(app_dir)]) == 1
        out = capsys.readouterr().out
        assert out == "POST /a  apps_of_a_test.view\n1 of 1 route not guarded\n"


def test_a_path_may_be_said_to_be_open(app_dir, capsys):
    arguments = ["apps_of_a_test:app", "--app-dir", str(app_dir), "--public", "/a"]
    assert main(["routes", *arguments]) == 0
    assert capsys.readouterr().out == "1 route, each guarded or public\n"


def test_the_routes_of_a_table_are_each_guarded_or_public(capsys):
    table = str(ROOT / "examples" / "envoy" / "routes.yaml")
    assert main(["routes", table]) == 0
    assert capsys.readouterr().out == "5 routes, each guarded or public\n"
    assert main(["routes", table, "--format", "json"]) == 0
    first, *_, last = json.loads(capsys.readouterr().out)["routes"]
    assert (first["path"], first["public"], first["check"]) == ("/health", True, None)
    assert (last["methods"], last["check"]) == (["PUT"], "tasks:edit on tasks/{id}")


def test_all_that_is_wrong_with_a_table_is_told(tmp_path, capsys):
    table = tmp_path / "routes.yaml"
    route = "{path: /a, methods: [GET], action: a, resource: tasks}"
    table.write_text(
        f"subjects: [{{type: user, id: trusted.x_user}}]\nroutes: [{route}, {route}]\n"
    )
    assert main(["routes", str(table)]) == 2
    error = capsys.readouterr().err
    assert error.count("[bad_value]") == 2
    assert "[duplicate_route]" in error and "[undefined_field]" in error
    assert main(["routes", str(table), "--trusted-header", "x-user"]) == 2
    assert "undefined_field" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("apps_of_a_test", "expected MODULE:APP, found `apps_of_a_test`"),
        ("apps_of_a_test:nothing", "cannot be loaded: AttributeError"),
        ("apps_of_a_test:number", "expected a FastAPI, Starlette, Flask or Django app"),
        ("broken_app_of_a_test:app", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("ending_app_of_a_test:app", "cannot be loaded: SystemExit: 0"),
        ("no_such_module_of_a_test:app", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_what_is_no_app_is_told_in_words(app_dir, capsys, app: str, message: str):
    assert main(["routes", app, "--app-dir", str(app_dir)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
