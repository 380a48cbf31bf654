"""Strategies: requests that policies have something to say about."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings

from taskman_authz import PDP, authorize, cel
from taskman_authz.errors import ArgumentError
from taskman_authz.pdp.explain import explain
from taskman_authz.policy import Schema
from taskman_authz.policy.schema_document import read_schema
from taskman_authz.testing.strategies import requests
from tests.house.source import ROOT
from tests.policy.helpers import compiled, document, policy

NOW = 1_768_473_000_000_000_000  # 2026-01-15T10:30:00Z
TASKMAN = PDP.from_path(ROOT / "policies" / "taskman").policies
REQUESTS = requests(TASKMAN, NOW)
QUICK = settings(max_examples=2_000, database=None, phases=[Phase.generate])


@given(REQUESTS)
def test_an_explanation_is_of_the_decision_and_its_change_flips_it(request):
    found = explain(TASKMAN, request)
    assert found.decision == authorize(TASKMAN, request)
    if found.change:
        after = authorize(TASKMAN, found.change.request)
        assert after == found.change.decision
        assert after.allowed != found.decision.allowed
        assert len(found.change.attributes) > 0


@given(REQUESTS)
def test_who_was_deactivated_does_nothing(request):
    if isinstance(request.subject, dict) and request.subject.get("is_active") is False:
        assert not authorize(TASKMAN, request)


@pytest.mark.parametrize("allowed", [True, False])
def test_both_answers_are_found(allowed):
    found = find(
        REQUESTS,
        lambda request: authorize(TASKMAN, request).allowed is allowed,
        settings=QUICK,
    )
    assert authorize(TASKMAN, found).allowed is allowed


def test_both_sides_of_a_bound_are_found_and_shrink():
    condition = "resource.level >= 3 && subject.id == resource.owner"
    policies = compiled(document(policy("p", roles=["a"], condition=condition)))
    found = find(requests(policies, NOW), lambda request: authorize(policies, request).allowed)
    assert (found.roles, found.subject["roles"]) == (("a",), ["a"])
    assert set(found.resource) == {"level", "owner"}
    assert found.resource["level"] >= 3


SCHEMA = Schema.of(
    subjects={"user": {"level": "int"}},
    resources={
        "t": (
            ["edit"],
            {
                "owner": "string",
                "due": "timestamp",
                "took": "duration",
                "tags": "list(string)",
                "counts": "map(string, double)",
                "free": "dyn",
            },
        )
    },
    context={"managed": "bool"},
)
TYPED = requests(
    compiled(document(policy("p", resources=["t/*"], condition="resource.owner == subject.id"))),
    NOW,
    SCHEMA,
)
KINDS = {
    ("subject", "level"): int,
    ("resource", "owner"): str,
    ("resource", "tags"): list,
    ("resource", "counts"): dict,
    ("context", "managed"): bool,
}


@given(TYPED)
def test_a_schema_gives_attributes_of_its_types(request):
    for root in ("subject", "resource", "context"):
        for name, value in (getattr(request, root) or {}).items():
            if (root, name) in KINDS:
                assert type(value) is KINDS[root, name]
    resource = request.resource or {}
    assert "free" not in resource
    for name, function in (("due", "timestamp"), ("took", "duration")):
        if name in resource:
            cel.evaluate(f"{function}(x)", {"x": resource[name]})


def test_a_schema_gives_values_that_no_condition_names():
    found = find(TYPED, lambda request: (request.resource or {}).get("owner", "x") not in "annx")
    assert type(found.resource["owner"]) is str


def test_what_is_always_there_is_there():
    schema = read_schema("schema.yaml", "resources: {t: {actions: [edit], attributes: {a: int}}}")[
        0
    ]
    made = requests(compiled(document(policy("p", resources=["t/*"]))), NOW, schema)
    find(made, lambda request: type(request.resource["a"]) is int)


def test_policies_without_a_rule_have_nothing_to_ask_about():
    with pytest.raises(ArgumentError, match="expected rules to ask about"):
        requests(compiled(document()))
