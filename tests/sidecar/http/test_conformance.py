"""The sidecar passes every level of the certification scenario, as `authzen-check` tells."""

from __future__ import annotations

import json

import pytest

from taskman_authz.cli import main, policy_test
from tests.sidecar.http.conftest import FIXTURE

pytestmark = pytest.mark.process

LEVELS = [
    "Basic Core",
    "Basic Properties",
    "Batch Core",
    "Batch Properties",
    "Search Core",
    "Search Properties",
    "Discovery",
]


@pytest.mark.parametrize("tenant", ["", "/acme"])
def test_every_level_passes_without_advice(point, tenant, capsys):
    status = main(["authzen-check", f"http://{point.http[0]}{tenant}", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    wrong = [check for level in told["levels"] for check in level["checks"] if not check["passed"]]
    assert wrong == []
    assert [level["name"] for level in told["levels"]] == LEVELS
    assert status == 0


def test_it_is_told_level_by_level(point, capsys):
    assert main(["authzen-check", f"http://{point.http[0]}/"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == LEVELS
    assert all(": passed (" in line for line in lines)


def test_the_fixture_is_tested(capsys):
    arguments = ["-q", "--coverage", "--fail-under", "100", str(FIXTURE / "policies")]
    assert policy_test(arguments) == 0, capsys.readouterr().out
