"""Promises of the client where a decision point hangs, fails or goes away: it closes, at once once
it knows, and comes back by itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import grpc
import pytest

from taskman_authz.client import AsyncClient, BreakerSettings, Client, State
from taskman_authz.errors import ArgumentError, RequestError, UnavailableError
from tests.client.conftest import NO, QUESTION, YES, abort, yes
from tests.test_breaker import Clock

PATIENCE = 30.0
DOWN = abort(grpc.StatusCode.INTERNAL, "broken")


@pytest.fixture
def hang():
    """A handler that answers no sooner than the test is over."""
    over = threading.Event()

    def handler(data: bytes, context: Any) -> bytes:
        over.wait(PATIENCE)
        return yes(data, context)

    yield handler
    over.set()


def fail(client: Client, times: int, **options: Any) -> None:
    for _ in range(times):
        with pytest.raises(UnavailableError):
            client.check(*QUESTION, **options)


# -- the circuit breaker -----------------------------------------------------------------------


def test_a_decision_point_that_hangs_is_soon_not_asked_any_more(point, hang):
    server = point(hang)
    with Client(server.address, timeout=0.05) as client:
        fail(client, 6)
        asked = len(server.calls)
        with pytest.raises(UnavailableError, match=r"circuit is open until 2\d{3}-.*, for \d+"):
            client.check(*QUESTION)
        with pytest.raises(UnavailableError, match="the circuit is open"):
            client.batch_check([QUESTION])
        assert client.breaker.state is State.OPEN
    assert len(server.calls) == asked


async def test_the_async_client_does_not_ask_it_either(point, hang):
    server = point(hang)
    async with AsyncClient(server.address, timeout=0.05) as client:
        failed = [client.check(*QUESTION) for _ in range(6)]
        outcomes = await asyncio.gather(*failed, return_exceptions=True)
        assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
        with pytest.raises(UnavailableError, match="the circuit is open"):
            await client.check(*QUESTION)


def test_one_that_is_well_again_is_asked_again(point):
    server, clock, told = point(DOWN), Clock(), []
    settings = BreakerSettings(clock=clock, on_state_change=lambda *change: told.append(change[1:]))
    with Client(server.address, breaker=settings, timeout=PATIENCE) as client:
        fail(client, 7)
        assert len(server.calls) == 6
        clock.now += 30
        fail(client, 2)  # the first one probes, and it is open again
        assert len(server.calls) == 7
        server.handler = yes
        clock.now += 30
        for _ in range(4):
            assert client.check(*QUESTION)
    opened, probed = (State.CLOSED, State.OPEN), (State.OPEN, State.HALF_OPEN)
    again, closed = (State.HALF_OPEN, State.OPEN), (State.HALF_OPEN, State.CLOSED)
    assert told == [opened, probed, again, probed, closed]


def test_a_change_of_the_circuit_is_logged(serve, caplog):
    with caplog.at_level(logging.WARNING), Client(serve(DOWN)) as client:
        fail(client, 6)
    assert "closed -> open" in caplog.text


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.CANCELLED,
    ],
)
def test_questions_that_are_refused_open_nothing(point, code):
    # Otherwise who sends what is too long would keep everybody else from being answered.
    server = point(abort(code, "field: refused"))
    with Client(server.address) as client:
        for _ in range(20):
            with pytest.raises((RequestError, UnavailableError)):
                client.check(*QUESTION)
        assert client.breaker.state is State.CLOSED
    assert len(server.calls) == 20


def test_a_question_that_cannot_be_asked_is_not_counted(serve):
    with Client(serve(yes)) as client:
        for _ in range(10):
            with pytest.raises(RequestError):
                client.check("nobody", "a:b", "t/1")
        assert client.breaker.counts.requests == 0


async def test_callers_who_give_up_are_not_counted(point, hang):
    server = point(hang)
    async with AsyncClient(server.address, timeout=PATIENCE) as client:
        tasks = [asyncio.ensure_future(client.check(*QUESTION)) for _ in range(10)]
        await asyncio.sleep(0)
        assert client.breaker.counts.requests == 10
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert client.breaker.counts.requests == 0
        assert client.breaker.state is State.CLOSED


def test_without_a_breaker_every_call_is_sent(point):
    server = point(DOWN)
    with Client(server.address, breaker=None) as client:
        fail(client, 10)
        assert client.breaker is None
    assert len(server.calls) == 10


# -- deadlines and tries -------------------------------------------------------------------------


def test_a_call_may_have_a_deadline_of_its_own(serve, hang):
    with Client(serve(hang), timeout=PATIENCE) as client:
        with pytest.raises(UnavailableError, match="deadline_exceeded"):
            client.check(*QUESTION, timeout=0.05)
        with pytest.raises(UnavailableError, match="deadline_exceeded"):
            client.batch_check([QUESTION], timeout=0.05)


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan"), "1"])
def test_a_deadline_that_means_nothing_is_refused(wrong):
    with pytest.raises(ArgumentError, match="^timeout: expected seconds"):
        Client(timeout=wrong)
    with Client() as client, pytest.raises(ArgumentError, match="^timeout: expected seconds"):
        client.check(*QUESTION, timeout=wrong)


def test_tries_end(point):
    server = point(abort(grpc.StatusCode.UNAVAILABLE, "never"))
    with Client(server.address, timeout=PATIENCE) as client:
        fail(client, 1)
    assert 1 < len(server.calls) <= 5


def test_tries_end_with_the_deadline(point):
    server = point(abort(grpc.StatusCode.UNAVAILABLE, "never"))
    with Client(server.address) as client:
        fail(client, 1, timeout=0.02)
        assert len(server.calls) < 5  # five take some two tenths of a second
        server.handler = yes
        assert client.check(*QUESTION, timeout=PATIENCE)  # what was under way has come by now
        before = len(server.calls)
        assert client.check(*QUESTION, timeout=PATIENCE)
        assert len(server.calls) == before + 1  # nobody tries the former any more


def test_one_that_restarts_is_found_again_within_the_deadline(point):
    server = point(yes)
    with Client(server.address, timeout=PATIENCE) as client:
        assert client.check(*QUESTION)
        server.stop()
        fail(client, 1, timeout=0.2)
        point(yes, server.address)
        assert client.check(*QUESTION)


# -- denying instead of raising ------------------------------------------------------------------


def test_told_to_deny_no_answer_is_a_no_with_its_reason(point, caplog):
    server = point(DOWN)
    with Client(server.address, on_unavailable="deny") as client:
        for _ in range(8):  # the last ones do not go out
            decision = client.check(*QUESTION)
            assert not decision
            assert (decision.reasons[0].code, decision.revision) == ("unavailable", "")
            assert "broken" not in decision.reasons[0].message
        assert client.breaker.state is State.OPEN
    assert "internal: broken" in caplog.text


def test_told_to_deny_a_batch_is_denied_item_by_item(serve):
    items = [QUESTION, ("user:1", "tasks:edit", "nowhere"), QUESTION]
    with Client(serve(DOWN), on_unavailable="deny") as client:
        decisions = client.batch_check(items)
    codes = ["unavailable", "invalid_request", "unavailable"]
    assert [decision.reasons[0].code for decision in decisions] == codes
    assert not any(decisions)


async def test_told_to_deny_the_async_client_denies_too(serve):
    async with AsyncClient(serve(DOWN), on_unavailable="deny") as client:
        assert (await client.check(*QUESTION)).reasons[0].code == "unavailable"
    assert not await client.check(*QUESTION)  # closed


def test_told_to_deny_what_is_answered_is_answered(point):
    server = point(yes)
    with Client(server.address, on_unavailable="deny") as client:
        assert client.check(*QUESTION) == YES
        server.handler = abort(grpc.StatusCode.INVALID_ARGUMENT, "action: expected a name")
        with pytest.raises(RequestError):
            client.check(*QUESTION)


def test_there_is_no_way_to_allow():
    for wrong in ("allow", None, True, NO):
        with pytest.raises(ArgumentError, match="^on_unavailable: expected `raise` or `deny`"):
            Client(on_unavailable=wrong)
