"""Promises of how often, and how many at a time, callers may call."""

from __future__ import annotations

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from taskman_authz_sidecar.door import Call, Caller
from taskman_authz_sidecar.security.rates import CALLERS, CallRate
from taskman_authz_sidecar.status import Code, Refusal, Status, http_headers

from tests.sidecar.asking import ask, ask_whole, connect
from tests.sidecar.process import PATIENCE


def wait(rate: CallRate, name: str = "") -> float:
    """Seconds that a caller has to wait; 0: the call is let through."""
    try:
        rate(Call("grpc", "Check", Caller((name, "unix") if name else ())))
    except Refusal as refusal:
        assert refusal.status.code is Code.RESOURCE_EXHAUSTED
        assert refusal.status.retry_after is not None
        return refusal.status.retry_after
    return 0.0


def test_a_burst_and_then_as_many_as_the_rate():
    now = [1_000.0]
    rate = CallRate(10, 5, lambda: now[0])
    assert [wait(rate) for _ in range(5)] == [0] * 5
    assert [wait(rate) for _ in range(3)] == pytest.approx([0.1] * 3)  # refused is not counted
    now[0] += 0.1
    assert [wait(rate), wait(rate)] == pytest.approx([0, 0.1])
    now[0] += 0.25
    assert [wait(rate) for _ in range(3)] == pytest.approx([0, 0, 0.05])
    now[0] += 3_600
    assert [wait(rate) for _ in range(6)] == pytest.approx([0] * 5 + [0.1])


def test_over_any_time_no_more_than_burst_and_rate_are_let_through():
    now = [0.0]
    rate = CallRate(7, 3, lambda: now[0])
    let = 0
    for _ in range(10_000):
        now[0] += 0.01
        let += wait(rate) == 0
    assert let == pytest.approx(3 + 100 * 7, abs=1)


def test_callers_are_counted_by_themselves():
    rate = CallRate(1, 1, lambda: 0.0)
    assert [wait(rate, name) > 0 for name in ("a", "b", "", "a", "b", "")] == [False] * 3 + [
        True
    ] * 3


def test_what_is_remembered_of_callers_is_bounded():
    rate = CallRate(1, 1, lambda: 0.0)
    for number in range(CALLERS + 10):
        assert wait(rate, f"token:{number}") == 0
    assert len(rate._due) == CALLERS
    assert wait(rate, f"token:{CALLERS + 9}") > 0


def test_over_http_it_is_said_in_headers():
    assert http_headers(Status(Code.RESOURCE_EXHAUSTED, "", (), 1.2)) == {"Retry-After": "2"}
    assert http_headers(Status(Code.RESOURCE_EXHAUSTED, "", (), 0.001)) == {"Retry-After": "1"}
    assert http_headers(Status(Code.UNAUTHENTICATED, "")) == {"WWW-Authenticate": "Bearer"}
    assert http_headers(Status(Code.PERMISSION_DENIED, "")) == {}


@pytest.mark.process
def test_who_calls_too_often_is_told_when_to_come_again(policies, start):
    sidecar = start(policies, "--rate-limit", "0.001", "--rate-burst", "3")
    with connect(sidecar.address) as channel:
        assert [ask(channel) for _ in range(3)] == ["OK"] * 3
        status, message, trailers = ask_whole(channel)
    assert (status, message) == ("RESOURCE_EXHAUSTED", "more calls than this caller may make")
    assert 0 < int(trailers["grpc-retry-pushback-ms"]) <= 1_000_000


@pytest.mark.process
def test_more_calls_at_a_time_than_are_allowed_are_refused(policies, start):
    sidecar = start(policies, "--max-concurrent-calls", "2")
    with connect(sidecar.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE) for _ in "12"]
        for watch in watches:
            next(watch)
        assert ask(channel) == "RESOURCE_EXHAUSTED"
        for watch in watches:
            watch.cancel()
        with pytest.raises(grpc.RpcError):
            next(watches[0])
