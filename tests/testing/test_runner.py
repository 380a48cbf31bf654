"""Cases pass when the decision, and the policy that made it, are the expected ones."""

from __future__ import annotations

import pytest

from taskman_authz.testing import load_suites, run

from .helpers import write

FILE = """\
fixtures:
  subjects:
    owner: {type: user, id: "1"}
    member: {type: user, id: "2", roles: [member]}
  resources:
    note: {type: notes, id: n1, owner: "1"}
cases:
"""


def case(**fields) -> str:
    given = {
        "name": "case",
        "subject": "owner",
        "action": "notes:write",
        "resource": "note",
        "expect": "allow",
        **fields,
    }
    return "  - {" + ", ".join(f"{key}: '{value}'" for key, value in given.items()) + "}\n"


def results(tmp_path, *cases, **options):
    return list(run(load_suites([write(tmp_path, FILE + "".join(cases))]), **options))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"policy": "owners-write"},
        {"subject": "member", "expect": "deny"},
        {"subject": "member", "action": "notes:read", "policy": "members-read"},
        {"now": "2026-01-02T00:00:00Z", "expect": "deny", "policy": "nothing-after-closing-time"},
        {"now": "2026-01-01T23:59:59.999999999Z"},
    ],
)
def test_a_case_passes(tmp_path, fields):
    (result,) = results(tmp_path, case(**fields))
    assert (result.passed, result.complaint) == (True, "")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"expect": "deny"}, "expected deny, got allow"),
        ({"subject": "member"}, "expected allow, got deny"),
        (
            {"policy": "members-read"},
            "expected policy `members-read` to decide, `owners-write` did",
        ),
        (
            {"subject": "member", "expect": "deny", "policy": "owners-write"},
            "expected policy `owners-write` to decide, no policy did",
        ),
    ],
)
def test_a_case_fails(tmp_path, fields, complaint):
    (result,) = results(tmp_path, case(**fields))
    assert (result.passed, result.complaint) == (False, complaint)


def test_a_condition_that_was_not_met_decided_nothing(tmp_path):
    (result,) = results(tmp_path, case(subject="member", expect="deny"))
    assert result.deciders == ()
    assert result.decision.reasons


def test_all_cases_run_though_one_fails(tmp_path):
    assert len(results(tmp_path, case(expect="deny"), case())) == 2


def test_a_run_can_stop_at_the_first_failure(tmp_path):
    found = results(tmp_path, case(), case(expect="deny"), case(), stop_at_first=True)
    assert [result.passed for result in found] == [True, False]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"reason": "allowed_by_policy"}, ""),
        ({"reason": "allowed_by_policy", "policy": "owners-write"}, ""),
        (
            {"reason": "allowed_by_policy", "policy": "members-read"},
            (
                "expected reason allowed_by_policy of `members-read`,"
                " found allowed_by_policy of `owners-write`"
            ),
        ),
        ({"subject": "member", "expect": "deny", "reason": "condition_not_met"}, ""),
        (
            {"subject": "member", "expect": "deny", "reason": "condition_failed"},
            "expected reason condition_failed, found condition_not_met of `owners-write`",
        ),
        (
            {"action": "notes", "expect": "deny", "reason": "condition_not_met"},
            "expected reason condition_not_met, found no_policy_applies",
        ),
        (
            {"action": "notes", "expect": "allow", "reason": "no_policy_applies"},
            "expected allow, got deny",
        ),
    ],
)
def test_an_expected_reason(tmp_path, fields, complaint):
    (result,) = results(tmp_path, case(**fields))
    assert result.complaint == complaint
