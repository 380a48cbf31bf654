"""`test`, which is `policy-test`: 0 passed, 1 failed, 2 did not load."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from taskman_authz.cli import main, policy_test

TESTS = """\
cases:
  - name: owners write
    subject: user:1
    action: notes:write
    resource: {type: notes, id: n1, owner: "1"}
    expect: allow
    policy: owners-write
  - name: strangers do not write
    subject: user:2
    action: notes:write
    resource: {type: notes, id: n1, owner: "1"}
    expect: deny
"""


@pytest.fixture
def tests(policies):
    (policies / "notes_test.yaml").write_text(TESTS)
    return policies


def flip(policies):
    path = policies / "notes.yaml"
    path.write_text(path.read_text().replace("effect: allow", "effect: deny", 1))


def test_all_passed_is_0(tests, capsys):
    assert policy_test([str(tests)]) == 0
    assert re.search(r"^2 passed, 0 failed in \d+\.\d\d s$", capsys.readouterr().out, re.MULTILINE)


def test_test_is_policy_test(tests, capsys):
    assert main(["test", str(tests)]) == 0
    assert "2 passed, 0 failed" in capsys.readouterr().out


def test_a_flipped_effect_is_1_and_told_by_case_expected_actual_and_rule(tests, capsys):
    flip(tests)
    assert policy_test(["policies"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED policies/notes_test.yaml:2: owners write\n" in printed
    assert re.search(r"expected +allow by owners-write\n", printed)
    assert re.search(r"actual +deny\n", printed)
    assert re.search(r"decided by +owners-write\n", printed)
    assert "[denied_by_policy]" in printed
    assert "1 passed, 1 failed" in printed


def test_verbose_names_every_case(tests, capsys):
    policy_test(["-v", "policies"])
    printed = capsys.readouterr().out
    assert "passed policies/notes_test.yaml:8: strangers do not write\n" in printed


def test_quiet_is_one_line(tests, capsys):
    policy_test(["-q", "policies"])
    assert capsys.readouterr().out.count("\n") == 1


def test_cases_are_chosen_by_a_part_of_their_name(tests, capsys):
    assert policy_test(["policies", "-k", "STRANGERS"]) == 0
    assert "1 passed, 0 failed" in capsys.readouterr().out


def test_a_run_stops_at_the_first_failure(tests, capsys):
    flip(tests)
    assert policy_test(["policies", "-x"]) == 1
    assert "0 passed, 1 failed" in capsys.readouterr().out


def test_json_is_one_object(tests, capsys):
    assert policy_test(["policies", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] == 2


def test_junit_is_written_beside_the_text(tests, tmp_path, capsys):
    flip(tests)
    assert policy_test(["policies", "--junit", "out.xml"]) == 1
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == [
        "owners write",
        "strangers do not write",
    ]
    assert len(list(root.iter("failure"))) == 1
    assert "1 passed, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["policies", "-k", "nobody"], "no case has `nobody` in its name"),
        (["policies/notes.yaml"], "policies/notes.yaml:1:1: error: this is a policy document"),
        (["empty"], "no *_test.yaml in empty"),
        (["nowhere"], "nowhere: no such file or directory"),
        (["policies", "--junit", "no/where.xml"], "no/where.xml: no such file or directory"),
        ([], "the following arguments are required: PATH"),
    ],
)
def test_an_error_is_2_and_told(tests, tmp_path, capsys, arguments, words):
    (tmp_path / "empty").mkdir()
    assert policy_test(arguments) == 2
    assert words in capsys.readouterr().err


def test_a_test_that_does_not_load_is_told_with_its_place(tests, capsys):
    (tests / "bad_test.yaml").write_text(TESTS.replace("subject: user:2", "subjekt: user:2"))
    assert policy_test(["policies"]) == 2
    error = capsys.readouterr().err
    assert "bad_test.yaml:9:5: error: unknown key `subjekt`" in error
    assert "did you mean `subject`?" in error
    assert "policy-test: 2 errors" in error
