"""Explanations: what every rule had to say, the clause that decided, and a change that flips it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from taskman_authz import PDP, Entity, RequestError, Schema, authorize, make_request
from taskman_authz.limits import DEFAULT
from taskman_authz.pdp.explain import DecisionExplanation, explain
from taskman_authz.policy import compile_documents
from taskman_authz.request import CheckRequest
from taskman_authz.testing import load_suites
from tests.house.source import ROOT
from tests.policy.helpers import compiled, document, policy

OWN = (
    "subject.department == 'engineering' && resource.owner == subject.id"
    " || subject.roles.contains('admin')"
)
ANN = {"type": "user", "id": "ann", "roles": ["dev"], "department": "engineering"}


def explained(*policies: dict[str, Any], others: bool = False, **question: Any):
    pdp = PDP(compiled(document(*policies)))
    whole = {"subject": "user:ann", "action": "t:edit", "resource": "t/1", **question}
    return pdp.explain(**whole, others=others)


def changes(found: DecisionExplanation) -> dict[str, tuple[Any, Any]]:
    """The attributes of the smallest change; None stands for what is not there."""
    assert found.change is not None
    return {each.path: (each.before, each.after) for each in found.change.attributes}


def why(found: DecisionExplanation, policy: str) -> list[tuple[str, Any]]:
    """The clauses that decided in a policy, and what they came to."""
    rule = next(each for each in found.rules if each.policy == policy)
    return [
        (clause.text, clause.value if clause.error is None else clause.error.code)
        for clause in rule.deciding
    ]


# -- rules and clauses -----------------------------------------------------------------------------


def test_it_names_the_clause_and_the_one_attribute_that_would_allow():
    task = {"type": "t", "id": "1", "owner": "bob"}
    found = explained(policy("own", condition=OWN), subject=ANN, resource=task)
    assert not found.decision
    assert why(found, "own") == [
        ("resource.owner == subject.id", False),
        ("subject.roles.contains('admin')", False),
    ]
    assert changes(found) == {"resource.owner": ("bob", "ann")}
    assert explained(
        policy("own", condition=OWN), subject=ANN, resource={**task, "owner": "ann"}
    ).decision


@pytest.mark.parametrize(
    ("condition", "deciding"),
    [
        ("context.a && context.b", [("context.b", False)]),
        ("context.b && context.a", [("context.b", False)]),
        ("context.a || context.b", [("context.a", True)]),
        ("context.b || context.c", [("context.b", False), ("context.c", False)]),
        ("context.a && context.d", [("context.d", "no_such_key")]),
        ("!(context.a && context.b)", [("context.b", False)]),
        ("!context.a", [("!context.a", False)]),
        ("context.a ? context.b : context.d", [("context.a", True), ("context.b", False)]),
        ("cel.bind(x, context.b, x || context.c)", [("x", False), ("context.c", False)]),
        ("[1, 2].exists(x, x > 2)", [("[1, 2].exists(x, x > 2)", False)]),
    ],
)
def test_deciding_clauses(condition, deciding):
    context = {"a": True, "b": False, "c": False}
    assert why(explained(policy("p", condition=condition), context=context), "p") == deciding


def test_rules_come_in_the_order_in_which_they_decide_and_one_decides():
    found = explained(
        policy("a", condition="context.no"),
        policy("b"),
        policy("c"),
        policy("z", effect="deny", condition="context.no"),
        context={"no": False},
    )
    told = [(rule.policy, rule.outcome, rule.decided) for rule in found.rules]
    assert told == [
        ("z", "not_met", False),
        ("a", "not_met", False),
        ("b", "met", True),
        ("c", "met", False),
    ]


def test_a_failed_deny_decides_and_its_error_is_told():
    found = explained(policy("a"), policy("z", effect="deny", condition="resource.x == 1"))
    assert [(rule.outcome, rule.decided) for rule in found.rules] == [
        ("failed", True),
        ("met", False),
    ]
    assert why(found, "z") == [("resource.x == 1", "no_such_key")]
    assert changes(found) == {"resource.x": (None, 2)}


def test_places_are_those_of_the_files():
    text = document(policy("a"), policy("b", condition="resource.x == 1"))
    found = explain(compile_documents([("p.yaml", text)]), make_request("user:1", "t:edit", "t/1"))
    lines = text.splitlines()
    for rule in found.rules:
        assert rule.place is not None
        assert lines[rule.place.line - 1].startswith(f"- id: {rule.policy}")
        assert rule.place.source == "p.yaml"
    condition = found.rules[1].condition
    assert condition is not None
    assert lines[condition.line - 1].startswith("  condition: resource.x == 1")


def test_why_rules_do_not_apply():
    rules = [
        policy("acts", actions=["t:view", "t:list"]),
        policy("things", resources=["u/*"]),
        policy("roles", roles=["admin"]),
        policy("nobody", roles=[]),
        policy("nothing", actions=["a:b"], resources=["c/d"], roles=["e"]),
        policy("all"),
    ]
    found = explained(*rules, others=True, subject=ANN)
    told = {
        rule.policy: [(each.field, each.asked, each.found) for each in rule.mismatches]
        for rule in found.others
    }
    assert told == {
        "acts": [("action", ("t:view", "t:list"), ("t:edit",))],
        "things": [("resource", ("u/*",), ("t/1",))],
        "roles": [("role", ("admin",), ("dev",))],
        "nobody": [("role", (), ("dev",))],
        "nothing": [
            ("action", ("a:b",), ("t:edit",)),
            ("resource", ("c/d",), ("t/1",)),
            ("role", ("e",), ("dev",)),
        ],
    }
    assert not any(rule.applies for rule in found.others)
    assert [rule.policy for rule in found.rules] == ["all"]
    assert explained(*rules).others == ()


def test_why_a_policy_of_another_company_does_not_apply():
    policies = compiled(document(policy("theirs"), company="acme"))
    request = make_request("user:1", "t:edit", "t/1", company_id="globex")
    (rule,) = explain(policies, request, others=True).others
    assert [(each.field, each.asked, each.found) for each in rule.mismatches] == [
        ("company", ("acme",), ("globex",))
    ]


def test_a_question_that_cannot_be_understood_is_refused_as_by_check():
    with pytest.raises(RequestError) as caught:
        explained(policy("a"), subject="nobody")
    assert caught.value.field == "subject"


# -- changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "resource", "change"),
    [
        ("resource.level < 3", {"level": 5}, {"resource.level": (5, 2)}),
        ("3 >= resource.level", {"level": 5}, {"resource.level": (5, 3)}),
        ("resource.level != 3", {"level": 3}, {"resource.level": (3, 4)}),
        ("resource.open", {"open": False}, {"resource.open": (False, True)}),
        ("!resource.open", {"open": True}, {"resource.open": (True, False)}),
        ("!has(resource.end)", {"end": 1}, {"resource.end": (1, None)}),
        ("has(resource.end) && resource.end > 2", {}, {"resource.end": (None, 3)}),
        ("resource.state in ['new', 'old']", {"state": "x"}, {"resource.state": ("x", "new")}),
        ("subject.id in resource.team", {"team": ["b"]}, {"resource.team": (["b"], ["b", "ann"])}),
        ("resource.tags.contains('a')", {"tags": []}, {"resource.tags": ([], ["a"])}),
        ("!('a' in resource.tags)", {"tags": ["a", "b"]}, {"resource.tags": (["a", "b"], ["b"])}),
        ("resource.name.startsWith('x-')", {"name": "y"}, {"resource.name": ("y", "x-")}),
        ("resource.?team.orValue('') == 'a'", {}, {"resource.team": (None, "a")}),
        ("resource.a.b == 'c'", {"a": {"d": 1}}, {"resource.a.b": (None, "c")}),
        ("resource['a']['b c'] == 1", {}, {"resource.a.b c": (None, 1)}),
        ("size(resource.parts) == 2", {"parts": ["a"]}, {"resource.parts": (["a"], ["x", "x"])}),
        ("resource.price + 2 == 10", {"price": 1}, {"resource.price": (1, 8)}),
        ("10 - resource.price > 2", {"price": 9}, {"resource.price": (9, 7)}),
        ("cel.bind(l, resource.level, l > 0 && l < 2)", {"level": 9}, {"resource.level": (9, 1)}),
        (
            "resource.shares.exists(s, s.user == subject.id && s.level > 2)",
            {"shares": []},
            {"resource.shares": ([], [{"user": "ann", "level": 3}])},
        ),
        ("resource.tags.all(t, t in ['a'])", {"tags": ["b"]}, {"resource.tags": (["b"], ["a"])}),
        (
            "resource.?team.optMap(t, t == 'a').orValue(false)",
            {"team": "b"},
            {"resource.team": ("b", "a")},
        ),
        (
            "timestamp(resource.until) > now",
            {"until": "2026-01-01T00:00:00Z"},
            {"resource.until": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:01Z")},
        ),
        (
            "now - timestamp(resource.at) < duration('1h')",
            {"at": "2026-01-01T00:00:00Z"},
            {"resource.at": ("2026-01-01T00:00:00Z", "2026-01-01T23:00:01Z")},
        ),
    ],
)
def test_one_attribute(condition, resource, change):
    at = 1_767_312_000_000_000_000  # 2026-01-02
    task = {"type": "t", "id": "1", **resource}
    found = explained(policy("p", condition=condition), resource=task, now=at)
    assert not found.decision
    assert changes(found) == change


@pytest.mark.parametrize(
    ("subject", "context", "change"),
    [
        ({}, {}, {"subject.level": (None, 3)}),
        ({"level": 1}, {"level": 5}, {"subject.level": (1, 3)}),
        ({}, {"level": 1}, {"context.level": (1, 3)}),
    ],
)
def test_an_attribute_with_a_fallback_is_changed_or_what_stands_in_for_it(subject, context, change):
    schema = Schema.of(
        subjects={"user": {"level": "int"}},
        context={"level": "int"},
        fallbacks={"subject.level": "context.level"},
    )
    text = document(policy("high", condition="subject.level >= 3"))
    pdp = PDP(compile_documents([("high.yaml", text)], schema=schema))
    found = pdp.explain({"type": "user", "id": "ann", **subject}, "t:edit", "t/1", context=context)
    assert changes(found) == change


def test_several_attributes_where_one_is_not_enough():
    condition = "resource.a == 1 && subject.b == 'x' && context.c"
    found = explained(policy("p", condition=condition))
    assert changes(found) == {
        "resource.a": (None, 1),
        "subject.b": (None, "x"),
        "context.c": (None, True),
    }


def test_fewest_attributes_win_over_the_first_rule():
    found = explained(
        policy("a", condition="resource.a == 1 && resource.b == 2"),
        policy("b", condition="resource.c == 3"),
    )
    assert changes(found) == {"resource.c": (None, 3)}


def test_an_attribute_that_is_there_is_changed_before_one_is_added():
    found = explained(
        policy("a", condition="resource.a == 1"),
        policy("b", condition="resource.b == 2"),
        resource={"type": "t", "id": "1", "b": 0},
    )
    assert changes(found) == {"resource.b": (0, 2)}


def test_a_deny_is_turned_off_and_an_allow_turned_on():
    found = explained(
        policy("a", condition="resource.owner == subject.id"),
        policy("z", effect="deny", condition="resource.archived"),
        resource={"type": "t", "id": "1", "owner": "bob", "archived": True},
    )
    assert changes(found) == {
        "resource.archived": (True, False),
        "resource.owner": ("bob", "ann"),
    }


def test_a_role_is_a_change_too_and_comes_after_attributes():
    admins = policy("admins", roles=["admin"])
    assert changes(explained(admins, subject=ANN)) == {"subject.roles": (["dev"], ["dev", "admin"])}
    open_ones = policy("open", condition="resource.open")
    assert changes(explained(admins, open_ones, subject=ANN)) == {"resource.open": (None, True)}


def test_what_would_deny_what_is_allowed():
    assert changes(explained(policy("own", roles=["dev"]), subject=ANN)) == {
        "subject.roles": (["dev"], [])
    }
    found = explained(
        policy("a"), policy("z", effect="deny", condition="context.?x.orValue(false)")
    )
    assert changes(found) == {"context.x": (None, True)}


def test_none_is_told_where_none_was_found():
    found = explained(policy("p", condition="resource.id == 'other'"))
    assert found.change is None
    assert found.search.complete


def test_the_search_ends_at_its_limit_and_says_so():
    text = document(policy("p", condition="resource.a == 1 && resource.b == 2 && context.c == 3"))
    limits = msgspec.structs.replace(DEFAULT, changes_tried=5)
    policies = compile_documents([("p.yaml", text)], limits)
    search = explain(policies, make_request("user:1", "t:edit", "t/1")).search
    assert (search.change, search.tried, search.complete) == (None, 5, False)


def test_what_is_thought_of_many_rules_ends_at_its_limit_and_says_so():
    rules = [policy(f"p{n}", condition=f"resource.id == '{n}x'") for n in range(4)]
    limits = msgspec.structs.replace(DEFAULT, changed_rules=3)
    policies = compile_documents([("p.yaml", document(*rules))], limits)
    request = make_request("user:1", "t:edit", "t/1")
    assert not explain(policies, request).search.complete
    assert explain(compiled(document(*rules)), request).search.complete


def test_what_many_rules_read_is_not_tried_again_and_again():
    rules = [
        policy(f"p{n}", condition=f"resource.a == 1 && resource.id == '{n}'") for n in range(9)
    ]
    request = make_request("user:1", "t:edit", "t/x")
    assert explain(compiled(document(*rules)), request).search.tried == 2


def test_a_member_of_what_has_none_is_put_in_its_place():
    task = {"type": "t", "id": "1", "a": "text"}
    found = explained(policy("p", condition="resource.a.b == 'c'"), resource=task)
    assert changes(found) == {"resource.a.b": (None, "c")}
    assert found.change.request.resource["a"] == {"b": "c"}


@dataclass
class Task:
    owner: str
    level: int = 0


class Model:
    def __init__(self, owner: str) -> None:
        self.owner = owner


@pytest.mark.parametrize("attributes", [Task("bob"), Model("bob")])
def test_objects_are_changed_aside(attributes):
    found = explained(
        policy("p", condition="resource.owner == subject.id"),
        resource=Entity("t", "1", attributes),
    )
    assert changes(found) == {"resource.owner": ("bob", "ann")}
    assert attributes.owner == "bob"


def test_what_the_caller_passed_stays_as_it_is():
    task = {"type": "t", "id": "1", "a": {"b": [1]}}
    before = copy.deepcopy(task)
    explained(policy("p", condition="resource.a.b.contains(2) && resource.a.c"), resource=task)
    assert task == before


def applied(request: CheckRequest, found: DecisionExplanation) -> CheckRequest:
    """The request with the told change, put into it by hand."""
    assert found.change is not None
    holders: dict[str, Any] = {
        "subject": copy.deepcopy(request.subject or {}),
        "resource": copy.deepcopy(request.resource or {}),
        "context": copy.deepcopy(request.context or {}),
    }
    for each in found.change.attributes:
        root, *path, last = each.path.split(".")
        inner = holders[root]
        for name in path:
            inner = inner.setdefault(name, {})
        if each.absent:
            del inner[last]
        else:
            inner[last] = each.after
    return msgspec.structs.replace(request, roles=None, **holders)


def test_every_change_that_is_told_of_shipped_policies_flips_the_decision():
    found_some = 0
    for suite in load_suites([str(ROOT / "policies")]):
        for case in suite.cases[::7]:
            found = explain(suite.policies, case.request)
            assert found.decision == authorize(suite.policies, case.request)
            assert found.search == explain(suite.policies, case.request).search
            if found.change:
                found_some += 1
                after = authorize(suite.policies, applied(case.request, found))
                assert after.allowed != found.decision.allowed
                assert after == found.change.decision
    assert found_some > 100
