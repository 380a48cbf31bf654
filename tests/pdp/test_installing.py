"""Policies that are exchanged while threads ask: each decision is wholly one revision's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from taskman_authz import PDP, Decision
from taskman_authz.policy import PolicySet
from tests.policy.helpers import compiled, document, policy

THREADS = 8
ROUNDS = 100
PATIENCE = 60.0  # seconds that threads wait for each other, who should all come at once

# Each set says something else to the same question, and reads it through slots of other numbers.
FIRST = compiled(
    document(
        policy("one", condition="context.halfway == context.number && context.name == 'a'"),
        policy("two", condition="context.tags.exists(t, t == context.name)"),
    )
)
SECOND = compiled(
    document(
        policy("three", condition="context.name == 'a' && context.halfway == context.number"),
        policy("no", effect="deny", condition="context.number > 2 || subject.id == 'nobody'"),
    )
)
THIRD = compiled(document(policy("four", condition="context.gone == context.number")))
SETS = {each.revision: each for each in (FIRST, SECOND, THIRD)}


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Context:
    """A caller's object. `at_halfway` is done when a condition reads `halfway`."""

    def __init__(self, number: int, at_halfway: Callable[[], object] = lambda: None) -> None:
        self.number = number
        self.name = "ab"[number % 2]
        self.tags = [self.name, "c"] if number % 3 else ["d"]
        self._at_halfway = at_halfway

    @property
    def halfway(self) -> int:
        self._at_halfway()
        return self.number


def question(context: Context) -> tuple[Any, ...]:
    return f"user:{context.number}", "tasks:edit", "tasks/1", context


def alone(policies: PolicySet, number: int) -> Decision:
    """The decision where nobody exchanges anything."""
    return PDP(policies).check(*question(Context(number)))


def test_the_sets_decide_differently() -> None:
    assert len(SETS) == 3
    said = {each.revision: [alone(each, n).allowed for n in range(5)] for each in SETS.values()}
    assert len({tuple(answers) for answers in said.values()}) == 3


@pytest.mark.parametrize("number", range(5))
def test_policies_installed_halfway_do_not_touch_the_decision_under_way(number: int) -> None:
    pdp = PDP(FIRST)
    found = pdp.check(*question(Context(number, lambda: pdp.install(SECOND))))
    assert found == alone(FIRST, number)
    assert pdp.policies is SECOND
    assert pdp.check(*question(Context(number))) == alone(SECOND, number)


def test_policies_installed_halfway_do_not_touch_the_batch_under_way() -> None:
    pdp = PDP(FIRST)
    items = [question(Context(number, lambda: pdp.install(SECOND))) for number in range(5)]
    assert pdp.batch_check(items) == [alone(FIRST, number) for number in range(5)]
    assert pdp.policies is SECOND


def test_a_question_asked_within_a_decision_is_another_decision() -> None:
    pdp = PDP(FIRST)
    inner: list[Decision] = []

    def ask() -> None:
        pdp.install(SECOND)
        inner.append(pdp.check(*question(Context(4))))
        pdp.install(FIRST)
        inner.append(pdp.check(*question(Context(2))))

    assert pdp.check(*question(Context(1, ask))) == alone(FIRST, 1)
    assert inner == [alone(SECOND, 4), alone(FIRST, 2)]


def test_decisions_that_are_halfway_at_one_time_share_nothing() -> None:
    """Every thread is within the same condition of the same set before any goes on."""
    pdp = PDP(FIRST)
    meeting = Barrier(THREADS)

    def work(number: int) -> Decision:
        return pdp.check(*question(Context(number, lambda: meeting.wait(PATIENCE))))

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, range(THREADS)))
    assert found == [alone(FIRST, number) for number in range(THREADS)]


def test_every_decision_in_many_threads_is_wholly_one_revisions() -> None:
    expected = {(name, n): alone(each, n) for name, each in SETS.items() for n in range(5)}
    pdp = PDP(FIRST)
    begin = Barrier(THREADS)

    def ask(first: int) -> list[tuple[int, Decision]]:
        begin.wait(PATIENCE)
        found = []
        for number in range(first, first + ROUNDS):
            # Besides who only installs, and on a busy machine may get no turn.
            pdp.install([FIRST, SECOND, THIRD][number % 3])
            number %= 5
            found.append((number, pdp.check(*question(Context(number)))))
            batch = pdp.batch_check([question(Context(each)) for each in range(5)])
            assert len({decision.revision for decision in batch}) == 1
            found += enumerate(batch)
        return found

    def install(first: int) -> list[tuple[int, Decision]]:
        begin.wait(PATIENCE)
        while answering:
            for each in SETS.values():
                pdp.install(each)
        return []

    answering = True
    with ThreadPoolExecutor(THREADS) as pool:
        installer = pool.submit(install, 0)
        try:
            found = [pair for each in pool.map(ask, range(THREADS - 1)) for pair in each]
        finally:
            answering = False
        installer.result()
    assert len(found) == (THREADS - 1) * ROUNDS * 6
    assert [each for each in found if each[1] != expected[each[1].revision, each[0]]] == []
    assert {decision.revision for _, decision in found} == set(SETS)
