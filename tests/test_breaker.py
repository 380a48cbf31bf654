"""Promises of the circuit breaker, and what it does compared with a model of it that keeps what
happened instead of counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from taskman_authz.breaker import Refused
from taskman_authz.client import Breaker, BreakerSettings, Counts, State
from taskman_authz.errors import ArgumentError

CLOSED, HALF_OPEN, OPEN = State.CLOSED, State.HALF_OPEN, State.OPEN


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, told: list[Any] | None = None, **settings: Any) -> Breaker:
    tell = (lambda *change: told.append(change)) if told is not None else lambda *_: None
    return Breaker("pdp", BreakerSettings(clock=clock, on_state_change=tell, **settings))


def call(each: Breaker, *outcomes: bool | None) -> None:
    for outcome in outcomes:
        each.leave(each.enter(), outcome)


def test_it_opens_after_six_failures_in_a_row_and_not_before():
    each = breaker(Clock())
    call(each, *[False] * 5, True, *[False] * 5)
    assert each.state is CLOSED
    call(each, False)
    assert each.state is OPEN


def test_open_it_refuses_and_says_for_how_long():
    clock = Clock()
    each = breaker(clock, timeout=30)
    call(each, *[False] * 6)
    clock.now += 10
    with pytest.raises(Refused, match="the circuit is open") as caught:
        each.enter()
    assert caught.value.seconds == 20


def test_after_the_timeout_it_lets_so_many_probe_and_closes_when_all_succeed():
    clock, told = Clock(), []
    each = breaker(clock, told)
    call(each, *[False] * 6)
    clock.now += 30
    probes = [each.enter() for _ in range(3)]
    with pytest.raises(Refused, match="3 calls probe it"):
        each.enter()
    for probe in probes:
        assert each.state is HALF_OPEN
        each.leave(probe, True)
    assert each.state is CLOSED
    assert told == [
        ("pdp", CLOSED, OPEN),
        ("pdp", OPEN, HALF_OPEN),
        ("pdp", HALF_OPEN, CLOSED),
    ]


def test_one_failed_probe_opens_it_for_another_timeout():
    clock = Clock()
    each = breaker(clock)
    call(each, *[False] * 6)
    clock.now += 30
    call(each, True, True, False)
    assert each.state is OPEN
    clock.now += 29
    assert each.state is OPEN
    clock.now += 1
    assert each.state is HALF_OPEN


def test_a_probe_that_was_given_up_makes_room_for_another():
    clock = Clock()
    each = breaker(clock)
    call(each, *[False] * 6)
    clock.now += 30
    call(each, *[None] * 10, True, True, True)
    assert each.state is CLOSED


def test_counts_of_a_closed_one_begin_anew_after_the_interval():
    clock = Clock()
    each = breaker(clock, interval=60)
    call(each, *[False] * 5)
    clock.now += 60
    call(each, *[False] * 5)
    assert each.state is CLOSED
    assert each.counts == Counts(requests=5, failures=5, consecutive_failures=5)


def test_without_an_interval_counts_stay():
    clock = Clock()
    each = breaker(clock, interval=0)
    call(each, *[False] * 5)
    clock.now += 1e9
    call(each, False)
    assert each.state is OPEN


def test_ready_to_trip_decides_when_it_opens():
    each = breaker(Clock(), ready_to_trip=lambda counts: counts.failures * 2 > counts.requests)
    call(each, True, True, False, True, False)
    assert each.state is CLOSED
    call(each, False, False)
    assert each.state is OPEN


def test_what_the_callers_functions_raise_reaches_no_caller():
    def fail(*_: Any) -> Any:
        raise RuntimeError

    settings = BreakerSettings(ready_to_trip=fail, on_state_change=fail, clock=Clock())
    each = Breaker("pdp", settings)
    call(each, False)
    assert each.state is OPEN


def test_a_state_change_may_ask_the_breaker():
    asked: list[State] = []

    def tell(*_: Any) -> None:
        asked.append(each.state)

    each: Breaker = Breaker("pdp", BreakerSettings(clock=Clock(), on_state_change=tell))
    call(each, *[False] * 6)
    assert asked == [OPEN]


@pytest.mark.parametrize(
    "wrong", [{"max_requests": 0}, {"max_requests": 1.5}, {"interval": -1}, {"timeout": "30"}]
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ArgumentError, match=f"^{next(iter(wrong))}: expected "):
        BreakerSettings(**wrong)


def test_threads_never_probe_more_than_they_may():
    clock = Clock()
    each = breaker(clock)
    call(each, *[False] * 6)
    clock.now += 30
    start = threading.Barrier(16)

    def probe(_: int) -> bool:
        start.wait(30)
        try:
            each.enter()
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(probe, range(16))) == 3


class Machine(RuleBasedStateMachine):
    """Calls that begin, end and are given up while time goes by. The model: the outcomes of the
    calls of the present period in their order, and which calls began in it."""

    @initialize(
        most=st.integers(1, 4), interval=st.sampled_from([0, 5, 60]), trips=st.integers(1, 4)
    )
    def begin(self, most: int, interval: float, trips: int) -> None:
        self.clock, self.told = Clock(), []
        self.most, self.interval, self.trips = most, interval, trips
        self.breaker = breaker(
            self.clock,
            self.told,
            max_requests=most,
            interval=interval,
            timeout=10,
            ready_to_trip=lambda counts: counts.consecutive_failures >= trips,
        )
        self.calls: list[tuple[int, int]] = []  # what `enter` gave, and the model's period
        self.changes: list[tuple[str, State, State]] = []
        self.state, self.period = CLOSED, 0
        self.renew(CLOSED)

    def renew(self, state: State) -> None:
        if state is not self.state:
            self.changes.append(("pdp", self.state, state))
        self.state, self.since, self.period = state, self.clock.now, self.period + 1
        self.outcomes: list[bool] = []
        self.inside = 0

    def pass_by(self) -> None:
        elapsed = self.clock.now - self.since
        if self.state is OPEN and elapsed >= 10:
            self.renew(HALF_OPEN)
        elif self.state is CLOSED and self.interval and elapsed >= self.interval:
            self.renew(CLOSED)

    @rule(seconds=st.sampled_from([0.5, 3, 5, 10, 60]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def enter(self) -> None:
        self.pass_by()
        full = self.inside + len(self.outcomes) >= self.most
        if self.state is OPEN or self.state is HALF_OPEN and full:
            with pytest.raises(Refused):
                self.breaker.enter()
            return
        self.calls.append((self.breaker.enter(), self.period))
        self.inside += 1

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), outcome=st.sampled_from([True, False, False, None]))
    def leave(self, data: Any, outcome: bool | None) -> None:
        began, period = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        self.pass_by()
        self.breaker.leave(began, outcome)
        if period != self.period:
            return
        self.inside -= 1
        if outcome is None:
            return
        self.outcomes.append(outcome)
        tail = self.outcomes[-self.trips :] if self.state is CLOSED else self.outcomes[-1:]
        if not any(tail) and (self.state is HALF_OPEN or len(tail) == self.trips):
            self.renew(OPEN)
        elif self.state is HALF_OPEN and len(self.outcomes) == self.most:
            self.renew(CLOSED)

    @invariant()
    def is_what_the_model_is(self) -> None:
        self.pass_by()
        assert self.breaker.state is self.state
        assert self.told == self.changes
        counts = self.breaker.counts
        assert counts.requests == self.inside + len(self.outcomes)
        assert counts.successes == self.outcomes.count(True)
        assert counts.failures == self.outcomes.count(False)


TestMachine = Machine.TestCase
