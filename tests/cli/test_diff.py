"""`diff`: 0 nothing would be decided otherwise, 1 something would, 2 an error."""

from __future__ import annotations

import io
import json
import sys

import pytest

from taskman_authz import PDP
from taskman_authz.cli import main
from taskman_authz.decision_log import DecisionLog

LINES = [
    {
        "subject": "user:1",
        "action": "notes:write",
        "resource": {"type": "notes", "id": "1", "owner": "1"},
    },
    {
        "subject": "user:2",
        "action": "notes:write",
        "resource": {"type": "notes", "id": "1", "owner": "1"},
    },
]


@pytest.fixture
def new(policies, tmp_path):
    """A folder in which everybody writes."""
    folder = tmp_path / "new"
    folder.mkdir()
    text = (policies / "notes.yaml").read_text()
    (folder / "notes.yaml").write_text(
        text.replace("    condition: resource.owner == subject.id\n", "")
    )
    return folder


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    return path


def diff(*arguments):
    return main(["diff", "policies", *map(str, arguments)])


def test_the_same_policies_are_0(policies, log, capsys):
    assert diff("policies", "--log", log) == 0
    assert capsys.readouterr().out == "0 of 2 requests would be decided otherwise\n"


def test_flips_of_a_log_are_1_and_told_by_rule_and_subject(new, log, capsys):
    assert diff(new, "--log", log) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 of 2 requests would be decided otherwise",
        "",
        "owners-write: 1 would be allowed, of 1 subject",
        "  line 2: user:2 notes:write notes/1",
        "",
        "of 1 subject:",
        "       1  user:2",
    ]


def test_json(new, log, capsys):
    assert diff(new, "--log", log, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["asked"], found["flipped"]) == (2, 1)
    (rule,) = found["rules"]
    assert (rule["policy"], rule["effect"], rule["count"]) == ("owners-write", "allow", 1)
    (example,) = rule["examples"]
    assert example["line"] == 2
    assert example["request"]["resource"] == {"type": "notes", "id": "1", "owner": "1"}
    assert (example["before"]["allowed"], example["after"]["allowed"]) == (False, True)
    assert found["subjects"] == [{"subject": "user:2", "count": 1}]


def test_a_log_on_standard_input(new, log, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
    assert diff(new, "--log", "-") == 1


def test_requests_are_made_up_without_a_log_and_shown_with_their_attributes(new, capsys):
    assert diff(new, "--requests", "500", "--now", "2026-01-01T00:00:00Z") == 1
    out = capsys.readouterr().out
    assert "owners-write: " in out
    assert '      resource {"owner": "x"}\n' in out
    assert diff("policies", "--requests", "500") == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere",),
        ("policies", "--log", "nowhere"),
        ("policies", "--requests", "many"),
        ("policies", "--now", "soon"),
        (),
    ],
)
def test_a_bad_argument_is_2(policies, arguments, capsys):
    assert diff(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_line_that_is_none_is_2_and_told_at_its_place(policies, log, capsys):
    log.write_text('{"subject": 1}\n{}\n')
    assert diff("policies", "--log", log) == 2
    assert f"{log}:1:1: error: no line of a log: " in capsys.readouterr().err
    log.write_text("no JSON\n")
    assert diff("policies", "--log", log) == 2
    assert "no line of a log: JSON is malformed" in capsys.readouterr().err


def test_a_decision_log_is_asked_again(new, tmp_path, capsys):
    path = tmp_path / "decisions.jsonl"
    with DecisionLog(path, mask=["subject.secret"]) as log:
        pdp = PDP(PDP.from_path("policies").policies, log=log)
        subject = {"type": "user", "id": "2", "secret": "s"}
        for owner in ("1", "2"):
            pdp.check(subject, "notes:write", {"type": "notes", "id": "n", "owner": owner})
    assert diff("policies", "--log", path) == 0
    assert capsys.readouterr().out == "0 of 2 requests would be decided otherwise\n"
    assert diff(new, "--log", path) == 1
    assert "line 1: user:2 notes:write notes/n" in capsys.readouterr().out
