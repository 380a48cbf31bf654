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


# -- measures --------------------------------------------------------------------------------------


def test_coverage_is_told_and_a_threshold_that_is_not_met_is_1(tests, capsys):
    assert policy_test([str(tests), "--coverage"]) == 0
    printed = capsys.readouterr().out
    assert "  rules     50.0 % (1 of 2)\n" in printed
    assert "members-read-by-day: no decision came to it\n" in printed
    assert policy_test([str(tests), "--fail-under", "50"]) == 1  # of clauses fewer were seen
    assert "of clauses were seen, less than 50 %" in capsys.readouterr().err
    assert policy_test([str(tests), "--fail-under", "20"]) == 0


def test_mutants_are_told_and_a_score_that_is_not_met_is_1(tests, capsys):
    assert policy_test([str(tests), "--mutate"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^  noticed   \d+\.\d % \(\d+ of \d+\)$", printed, re.MULTILINE)
    assert "members-read-by-day: no case notices: delete rule: the policy is not there" in printed
    assert policy_test([str(tests), "--min-score", "90"]) == 1
    assert "of mutants were noticed, less than 90 %" in capsys.readouterr().err


def test_mutants_are_not_asked_where_cases_fail(tests, capsys):
    flip(tests)
    assert policy_test([str(tests), "--mutate"]) == 1
    assert (
        "not asked: what fails without a mutant says nothing about one" in capsys.readouterr().out
    )


def test_measures_in_json(tests, capsys):
    assert policy_test([str(tests), "--coverage", "--mutate", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["coverage"]["rules"] == {"seen": 1, "all": 2, "percent": 50.0}
    (owners, _) = sorted(report["coverage"]["policies"], key=lambda each: each["line"])
    assert owners["clauses"] == [{"text": "resource.owner == subject.id", "true": 1, "false": 1}]
    flipped = [each for each in report["mutation"]["mutants"] if each["kind"] == "flip effect"]
    assert {each["policy"]: each["killed_by"] for each in flipped} == {
        "owners-write": "owners write",
        "members-read-by-day": None,
    }


def test_tap(tests, capsys):
    assert policy_test([str(tests), "--format", "tap"]) == 0
    assert capsys.readouterr().out.startswith("TAP version 14\n1..2\nok 1 - ")


def test_a_page_is_written(tests, tmp_path):
    path = tmp_path / "report.html"
    assert policy_test([str(tests), "--coverage", "--mutate", "--html", str(path)]) == 0
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_times_of_decisions(tests, capsys, monkeypatch):
    monkeypatch.setattr("taskman_authz.testing.timing.SECONDS", 0.0)
    assert policy_test([str(tests), "--bench", "-k", "strangers"]) == 0
    assert "over 1 cases" in capsys.readouterr().out


def test_several_processes(tests, capsys):
    (tests / "more_test.yaml").write_text(TESTS)
    assert policy_test([str(tests), "-j", "2", "-q"]) == 0
    assert "4 passed, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [("-j", "0"), ("--fail-under", "101"), ("--min-score", "x"), ("--watch", "--format", "json")],
)
def test_a_bad_option_is_2(tests, options, capsys):
    assert policy_test([str(tests), *options]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_watching_runs_again_when_a_file_changes_and_ends_at_an_interrupt(
    tests, capsys, monkeypatch
):
    from taskman_authz.cli import test as command

    states = iter([1, 1, 2, 3, KeyboardInterrupt])

    def state(paths):
        found = next(states)
        if found is KeyboardInterrupt:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(command, "_state", state)
    monkeypatch.setattr(command.time, "sleep", lambda seconds: None)
    assert policy_test([str(tests), "--watch", "-q"]) == 130
    assert capsys.readouterr().out.count("2 passed, 0 failed") == 2
