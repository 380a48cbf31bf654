"""What other policies would decide otherwise, of logged requests and of made up ones."""

from __future__ import annotations

import json

import pytest

from taskman_authz import CompileError, authorize
from taskman_authz.testing import load_suites
from taskman_authz.testing.differences import changed_rules, differ
from taskman_authz.testing.generation import requests, templates
from taskman_authz.testing.replay import replay
from tests.house.source import ROOT
from tests.policy.helpers import compiled, document, policy

NOW = 1_768_473_000_000_000_000  # 2026-01-15T10:30:00Z
OWN = "resource.owner == subject.id"
OLD = compiled(document(policy("own", condition=OWN), policy("z", effect="deny", roles=["bad"])))


def line(**fields):
    whole = {"subject": "user:1", "action": "t:edit", "resource": "t/1", **fields}
    return json.dumps(whole).encode() + b"\n"


def owned(owner, **fields):
    return line(resource={"type": "t", "id": "1", "owner": owner}, **fields)


# -- logs ------------------------------------------------------------------------------------------


def test_flips_are_told_by_rule_and_subject():
    new = compiled(document(policy("all"), policy("z", effect="deny", roles=["bad"])))
    lines = [owned("1"), owned("2"), owned("3", subject="user:7"), line(action="a:b")]
    found = replay(OLD, new, lines, "log")
    assert (found.asked, found.flipped) == (4, 3)
    (rule,) = found.by_rule
    assert (rule.rule, rule.effect, rule.count) == ("all", "allow", 3)
    assert [flip.line for flip in rule.examples] == [2, 3, 4]
    assert found.by_subject == [("user:1", 2), ("user:7", 1)]


def test_what_is_no_longer_allowed_is_told_of_the_rule_that_allowed_it():
    found = replay(OLD, compiled(document(policy("other", roles=["x"]))), [owned("1")], "log")
    assert [(rule.rule, rule.effect) for rule in found.by_rule] == [("own", "deny")]


def test_equal_policies_flip_nothing():
    assert replay(OLD, OLD, [owned("1"), owned("2")], "log").flipped == 0


def test_lines_of_a_decision_log_are_read():
    written = owned(
        "1",
        time="2026-01-15T10:30:00Z",
        action={"name": "t:edit"},
        context={},
        company_id=None,
        now="2026-01-15T10:30:00.000000001Z",
        allowed=True,
        reasons=[{"code": "allowed_by_policy", "policy": "own", "message": ""}],
        revision="0" * 32,
        duration_ns=1,
    )
    found = replay(OLD, OLD, [written], "log")
    assert (found.asked, found.unlike) == (1, 0)


def test_each_is_asked_at_its_own_time():
    old = compiled(document(policy("a", condition="now < timestamp('2026-01-01T00:00:00Z')")))
    new = compiled(document(policy("a", condition="now < timestamp('2025-01-01T00:00:00Z')")))
    lines = [line(now=f"{year}-06-01T00:00:00Z") for year in (2024, 2025, 2026)]
    found = replay(old, new, lines, "log")
    assert [flip.line for rule in found.by_rule for flip in rule.examples] == [2]


def test_the_same_question_at_another_time_is_no_other_example():
    new = compiled(document(policy("all")))
    times = [f"2026-01-15T10:30:0{second}Z" for second in range(4)]
    lines = [*(owned("2", now=time) for time in times), owned("3", now=times[0])]
    (rule,) = replay(OLD, new, lines, "log").by_rule
    assert (rule.count, [each.line for each in rule.examples]) == (5, [1, 5])


def test_what_was_logged_otherwise_is_counted():
    found = replay(OLD, OLD, [owned("1", allowed=False), owned("1", allowed=True)], "log")
    assert found.unlike == 1


def test_lines_that_are_not_whole_are_left_out_and_counted():
    found = replay(OLD, OLD, [line(incomplete=True), owned("1")], "log")
    assert (found.asked, found.incomplete) == (1, 1)


@pytest.mark.parametrize(
    "bad",
    [b"{\n", b"[]\n", b'{"subject": "user:1"}\n', b"\xff\n", line(subject="x"), line(now="x")],
)
def test_a_line_that_is_none_is_told_at_its_place(bad):
    with pytest.raises(CompileError) as caught:
        replay(OLD, OLD, [owned("1"), b"\n", bad, owned("1")], "log.jsonl")
    (issue,) = caught.value.issues
    assert (issue.place.source, issue.place.line, issue.code) == ("log.jsonl", 3, "bad_line")


def test_a_last_line_whose_end_was_never_written_is_left_out():
    assert replay(OLD, OLD, [owned("1"), owned("1")[:-20]], "log").asked == 1


# -- requests that are made up ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "rule", "effect"),
    [
        ({"condition": OWN}, {}, "p", "allow"),
        ({}, {"condition": OWN}, "p", "deny"),
        ({"condition": OWN}, {"condition": f"{OWN} && resource.level < 3"}, "p", "deny"),
        ({"condition": "context.n >= 5"}, {"condition": "context.n > 5"}, "p", "deny"),
        ({"roles": ["a"]}, {"roles": ["a", "b"]}, "p", "allow"),
        ({"actions": ["t:edit"]}, {"actions": ["t:*"]}, "p", "allow"),
        ({"resources": ["t/*"]}, {"resources": ["t/1"]}, "p", "deny"),
        ({"effect": "deny", "condition": "context.x"}, {"effect": "deny"}, "p", "deny"),
    ],
)
def test_a_changed_rule_is_found_to_flip_something(old, new, rule, effect):
    around = policy("base", roles=["member"], condition="has(context.ok) && context.ok")
    one, other = (compiled(document(around, policy("p", **each))) for each in (old, new))
    found = differ(one, other, 4_000, 0, NOW)
    assert [(each.rule, each.effect) for each in found.by_rule] == [(rule, effect)]
    for flip in found.by_rule[0].examples:
        assert authorize(one, flip.request) == flip.before
        assert authorize(other, flip.request) == flip.after
    again = differ(one, other, 4_000, 0, NOW)
    assert (found.asked, found.flipped) == (again.asked, again.flipped) == (4_000, found.flipped)


def test_equal_policies_have_no_changed_rules_and_flip_nothing():
    assert changed_rules(OLD, OLD) == []
    assert differ(OLD, OLD, 500, 0, NOW).flipped == 0


def test_policies_without_a_rule_make_no_requests():
    empty = compiled(document())
    assert differ(empty, empty, 100, 0, NOW).asked == 0


def test_made_up_requests_come_to_every_shipped_rule():
    (suite, *_) = load_suites([str(ROOT / "policies" / "taskman" / "iam_test.yaml")])
    policies = suite.policies
    reached = set()
    for request in requests(templates([policies], NOW), 3_000, 0):
        asked = request
        kind, id = asked.resource_type, asked.resource_id
        rows = policies.index.candidates(asked.company_id, asked.action, kind, id, asked.roles)
        reached |= {row.id for row in rows}
    assert reached == {row.id for row in policies.rules}
