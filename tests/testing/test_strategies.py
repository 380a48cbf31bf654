"""Strategies: requests that policies have something to say about."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings

from taskman_authz import PDP, authorize
from taskman_authz.errors import ArgumentError
from taskman_authz.pdp.explain import explain
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


def test_policies_without_a_rule_have_nothing_to_ask_about():
    with pytest.raises(ArgumentError, match="expected rules to ask about"):
        requests(compiled(document()))
