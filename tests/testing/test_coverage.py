"""Coverage: which rules, outcomes and clauses decisions came to."""

from __future__ import annotations

from taskman_authz.testing import coverage, load_suites
from taskman_authz.testing.coverage import Share, joined

from .helpers import write

POLICIES = """\
policies:
  - id: deny-first
    effect: deny
    roles: ["*"]
    actions: ["a:b"]
    resources: ["a/*"]
    condition: has(resource.shut) && resource.shut
  - id: open
    effect: allow
    roles: ["*"]
    actions: ["a:b"]
    resources: ["a/*"]
    condition: "resource.x > 1 ? subject.id == '1' : resource.tags.exists(t, t == 'a' || t == 'b')"
  - id: always
    effect: allow
    roles: [member]
    actions: ["a:b"]
    resources: ["a/*"]
  - id: nobody-asks
    effect: allow
    roles: ["*"]
    actions: ["c:d"]
    resources: ["*"]
"""


def measured(tmp_path, *resources, roles="[]"):
    cases = [
        f"  - {{name: c{number}, subject: {{type: user, id: '1', roles: {roles}}}, action: 'a:b',"
        f" resource: {{type: a, id: '1', {attributes}}}, expect: allow}}"
        for number, attributes in enumerate(resources)
    ]
    path = write(tmp_path, "cases:\n" + "\n".join(cases) + "\n", POLICIES)
    return coverage(load_suites([path]))


def rule(found, id):
    return next(each for each in found.rules if each.policy == id)


def clauses(found, id):
    return {each.text: (each.true, each.false) for each in rule(found, id).clauses}


def test_a_rule_that_no_decision_came_to_is_not_covered(tmp_path):
    found = measured(tmp_path, "x: 2")
    assert {each.policy: each.reached for each in found.rules} == {
        "always": 0,
        "deny-first": 1,
        "nobody-asks": 0,
        "open": 1,
    }
    assert found.shares["rules"] == Share(2, 4)


def test_a_rule_behind_the_one_that_decided_was_not_reached(tmp_path):
    found = measured(tmp_path, "shut: true, x: 2", roles="[member]")
    assert rule(found, "deny-first").met == 1
    assert rule(found, "open").reached == 0
    assert rule(found, "always").reached == 0


def test_outcomes_are_met_and_not_met_and_failures_are_not_met(tmp_path):
    found = measured(tmp_path, "x: 2", "x: a")
    assert (rule(found, "open").met, rule(found, "open").not_met, rule(found, "open").failed) == (
        1,
        0,
        1,
    )
    assert rule(found, "open").outcomes == (2, 2)
    assert rule(found, "deny-first").outcomes == (1, 2)


def test_a_rule_without_a_condition_has_one_outcome(tmp_path):
    found = measured(tmp_path, "x: 'no number'", roles="[member]")
    assert rule(found, "always").outcomes == (1, 1)


def test_both_sides_of_every_operand_and_question_are_counted(tmp_path):
    found = measured(tmp_path, "shut: false, x: 2", "x: 1, tags: [c, b]")
    assert clauses(found, "deny-first") == {
        "has(resource.shut)": (1, 1),
        "resource.shut": (0, 1),
    }
    assert clauses(found, "open") == {
        "resource.x > 1": (1, 1),
        "t == 'a'": (0, 2),
        "t == 'b'": (1, 1),
    }
    assert found.shares["clauses"] == Share(8, 10)


def test_the_same_policy_in_two_suites_is_one(tmp_path):
    one = measured(tmp_path, "x: 2")
    other = measured(tmp_path, "x: 1, tags: []")
    both = joined([one, other])
    assert len(both.rules) == 4
    assert clauses(both, "open")["resource.x > 1"] == (1, 1)


def test_a_share_of_nothing_is_all():
    assert Share(0, 0).percent == 100
    assert str(Share(1, 3)) == "33.3 % (1 of 3)"
