"""The example of Envoy does what it says, with its own policies, table and tokens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from taskman_authz_sidecar.ext_authz.reading import read_table

from tests.house import readme
from tests.house.source import ROOT
from tests.sidecar.ext_authz import envoy as real
from tests.sidecar.process import Sidecar

pytestmark = pytest.mark.process

EXAMPLE = ROOT / "examples" / "envoy"
TASK = "/projects/apollo/tasks/1"


def at(port: int) -> str:
    return f"{{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the example's Envoy listens, which is not at its own ports here."""
    folder = tmp_path_factory.mktemp("example")
    sidecar = Sidecar(EXAMPLE / "policies", "--ext-authz-routes", str(EXAMPLE / "routes.yaml"))
    try:
        text = (EXAMPLE / "envoy.yaml").read_text()
        ours = {10000: at(0), 10001: f"{{pipe: {{path: {folder}/service}}}}"}
        ours[50051] = at(int(sidecar.address.rpartition(":")[2]))
        for theirs, here in ours.items():
            assert at(theirs) in text
            text = text.replace(at(theirs), here)
        envoy = real.Envoy(yaml.safe_load(text), folder)
        try:
            yield envoy.ports["front"]
        finally:
            envoy.end()
    finally:
        sidecar.kill()


def token(name: str) -> tuple[str, str]:
    command = [sys.executable, str(EXAMPLE / "make_token.py"), name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return "authorization", f"Bearer {done.stdout.strip()}"


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("ann", "GET", TASK, 200),
        ("vic", "GET", TASK, 200),
        ("vic", "GET", "/projects/apollo/tasks", 200),
        ("ann", "PUT", TASK, 200),
        ("vic", "PUT", TASK, 403),
        ("ann", "PUT", "/projects/gemini/tasks/1", 403),
        ("ann", "DELETE", TASK, 403),
        ("ann", "GET", "/elsewhere", 403),
        (None, "GET", TASK, 401),
        (None, "GET", "/health", 200),
    ],
)
def test_who_may_is_served_and_who_may_not_is_not(port, name, method, path, status):
    headers = [token(name)] if name else []
    answer = real.ask(port, method, path, [*headers, ("x-taskman-subject", "user:root")])
    assert answer.status == status, answer
    if status == 200:
        assert answer.headers.get("x-served-for") == (f"user:{name}" if name else None)


def test_the_table_of_the_page_is_one():
    blocks = readme.blocks(ROOT / "docs" / "sidecar.md")
    (text,) = [each.text for each in blocks if (each.section, each.info) == ("Envoy", "yaml")]
    table = read_table("sidecar.md", text)
    assert [str(each.check or "public") for each in table.listed] == [
        "public",
        *["tasks:view on tasks/{id}"] * 2,
    ]


def test_the_policies_of_the_example_pass_their_tests():
    command = [Path(sys.executable).parent / "policy-test", EXAMPLE / "policies", "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
