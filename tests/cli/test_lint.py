"""`lint`: findings with their places, and exit statuses that a build can use."""

from __future__ import annotations

import json

import pytest

from taskman_authz.cli import main

IDLE = "policies:\n  - {id: a, effect: allow, actions: ['t:x'], resources: ['t/*']}\n"


@pytest.fixture
def idle(tmp_path):
    path = tmp_path / "idle.yaml"
    path.write_text(IDLE)
    return str(path)


def test_policies_without_findings_are_clean(policies, capsys):
    assert main(["lint", str(policies)]) == 0
    assert capsys.readouterr() == ("no findings\n", "")


def test_findings_have_their_places_and_codes(idle, capsys):
    assert main(["lint", idle]) == 1
    printed = capsys.readouterr().out
    assert f"{idle}:2:10: finding: the policy is attached to no role" in printed
    assert "[no_role]" in printed
    assert printed.endswith("\n\n1 finding\n")


def test_findings_are_objects_for_programs(idle, capsys):
    assert main(["lint", "--format", "json", idle]) == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert (found["file"], found["line"], found["code"]) == (idle, 2, "no_role")


@pytest.mark.parametrize("format", ["text", "json"])
def test_policies_that_do_not_compile_are_an_error(tmp_path, capsys, format):
    (tmp_path / "a.yaml").write_text("polices: []")
    assert main(["lint", "--format", format, str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "unknown_key" in printed.err


def test_paths_that_cannot_be_read_are_an_error(tmp_path, capsys):
    assert main(["lint", str(tmp_path / "none")]) == 2
    assert main(["lint"]) == 2
    assert "PATH" in capsys.readouterr().err


def test_codes_are_listed(capsys):
    assert main(["lint", "--codes"]) == 0
    assert "shadowed  " in capsys.readouterr().out
    assert main(["lint", "--codes", "--format", "json"]) == 0
    assert "shadowed" in json.loads(capsys.readouterr().out)
