"""A budget that a decision has spent: it comes back soon, and it is a no."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taskman_authz import PDP, Decision, Limits, compile_documents
from tests.policy.helpers import compiled, document, policy

LOOPS = "true"
for name in "gfedcba":
    LOOPS = f"resource.numbers.all({name}, {LOOPS})"
NUMBERS = list(range(30))
EVERYWHERE = {"roles": ["*"], "actions": ["tasks:edit"], "resources": ["tasks/*"]}


def decided(*policies: dict[str, Any], **limits: int) -> Decision:
    pdp = PDP(compile_documents([("p.yaml", document(*policies))], Limits(**limits)))
    task = {"type": "tasks", "id": "1", "numbers": NUMBERS}
    return pdp.check("user:1", "tasks:edit", task)


def codes(decision: Decision) -> list[tuple[str, str]]:
    assert not decision.allowed
    return [(reason.code, reason.policy) for reason in decision.reasons]


def test_seven_loops_over_thirty_numbers_grant_nothing():
    began = time.perf_counter()
    found = decided(policy("loops", condition=LOOPS, **EVERYWHERE))
    assert time.perf_counter() - began < 30  # unbounded, it is an hour
    assert codes(found) == [("condition_failed", "loops")]


def test_seven_loops_in_a_deny_policy_deny():
    found = decided(
        policy("open", **EVERYWHERE),
        policy("loops", effect="deny", condition=LOOPS, **EVERYWHERE),
    )
    assert codes(found) == [("denied_by_error", "loops")]


@pytest.mark.parametrize(
    "condition",
    [
        f"{LOOPS} || resource.id == '1'",
        f"!{LOOPS} || resource.id == '1'",
        f"[1, 2].exists(e, {LOOPS} || resource.id == '1')",
        f"({LOOPS} ? 1 : 2) < 3 || resource.id == '1'",
    ],
)
def test_nothing_is_granted_around_a_spent_budget(condition):
    found = decided(policy("around", condition=condition, **EVERYWHERE))
    assert codes(found) == [("condition_failed", "around")]


def test_nothing_is_granted_after_a_spent_budget():
    found = decided(
        policy("a-loops", condition=LOOPS, **EVERYWHERE),
        policy("b-open", **EVERYWHERE),
        policy("c-met", condition="resource.id == '1'", **EVERYWHERE),
    )
    assert codes(found) == [("condition_failed", "a-loops")]


def test_all_conditions_of_a_decision_share_one_budget():
    def each(number: int) -> dict[str, Any]:
        loop = f"resource.numbers.exists(n, n == {number + 100})"
        return policy(f"p{number}", condition=loop, **EVERYWHERE)

    many = [each(number) for number in range(8)]
    turn = 3  # nodes: `==`, `n`, the number
    enough = len(many) * len(NUMBERS) * turn
    assert {code for code, _ in codes(decided(*many, decision_steps=enough))} == {
        "condition_not_met"
    }
    assert codes(decided(*many, decision_steps=enough - 1)) == [("condition_failed", "p7")]


def test_the_next_decision_has_a_budget_of_its_own():
    pdp = PDP(compiled(document(policy("loops", condition=LOOPS, **EVERYWHERE))))
    for numbers, allowed in ((NUMBERS, False), ([1], True), (NUMBERS, False), ([], True)):
        task = {"type": "tasks", "id": "1", "numbers": numbers}
        assert pdp.check("user:1", "tasks:edit", task).allowed is allowed
