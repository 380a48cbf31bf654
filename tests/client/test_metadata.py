"""Promises of what goes with a call: its id, the caller's trace, what interceptors add."""

from __future__ import annotations

import importlib
import sys
from collections import namedtuple
from typing import Any

import grpc
import pytest
from opentelemetry import context, trace

from taskman_authz import client
from taskman_authz.client import AsyncClient, Client, metadata
from taskman_authz.errors import RequestError, UnavailableError
from tests.client.conftest import QUESTION, abort, yes

SPAN = trace.SpanContext(
    trace_id=0x4BF92F3577B34DA6A3CE929D0E0E4736,
    span_id=0x00F067AA0BA902B7,
    is_remote=False,
    trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def span():
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(SPAN)))
    yield
    context.detach(token)


def test_every_call_has_an_id_of_its_own_or_the_one_it_is_given(point):
    server = point(yes)
    with Client(server.address) as pdp:
        pdp.check(*QUESTION)
        pdp.check(*QUESTION)
        pdp.check(*QUESTION, request_id="req-7")
        with pytest.raises(UnavailableError):  # a Check's answer is no BatchCheck's
            pdp.batch_check([QUESTION, QUESTION], request_id="req-8")
    ids = [call["x-request-id"] for call in server.calls]
    assert len(set(ids)) == 4
    assert ids[2:] == ["req-7", "req-8"]


def test_an_error_names_the_id(serve):
    with Client(serve(abort(grpc.StatusCode.INTERNAL, "why"))) as pdp:
        with pytest.raises(UnavailableError, match="to request req-7: internal: why"):
            pdp.check(*QUESTION, request_id="req-7")


@pytest.mark.parametrize("request_id", ["", "two words", "a\nb", "x" * 2_000, 7])
def test_an_id_that_cannot_be_sent_is_a_request_error(request_id):
    with Client() as pdp, pytest.raises(RequestError, match="^request_id: expected "):
        pdp.check(*QUESTION, request_id=request_id)


async def test_the_trace_of_the_caller_goes_on(point, span):
    server = point(yes)
    with Client(server.address) as pdp:
        pdp.check(*QUESTION)
    async with AsyncClient(server.address) as asynchronous:
        await asynchronous.check(*QUESTION)
    assert [call["traceparent"] for call in server.calls] == [TRACEPARENT] * 2


def test_without_a_trace_none_is_made_up(point):
    server = point(yes)
    with Client(server.address) as pdp:
        pdp.check(*QUESTION)
    assert "traceparent" not in server.calls[0]


def test_without_opentelemetry_calls_go_without_a_trace(monkeypatch, span):
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(client, "metadata", metadata)  # the import below replaces it
    monkeypatch.delitem(sys.modules, metadata.__name__)
    fresh = importlib.import_module(metadata.__name__)
    assert fresh.metadata_of("req-7", None) == (("x-request-id", "req-7"),)


Details = namedtuple("Details", ("method", "timeout", "metadata", "credentials", "wait_for_ready"))


class Adding(grpc.UnaryUnaryClientInterceptor):
    """Adds a header, as a tracer does."""

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_with_header(details), request)


class AsyncAdding(grpc.aio.UnaryUnaryClientInterceptor):
    """The same under asyncio."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(_with_header(details), request)


class Failing(grpc.UnaryUnaryClientInterceptor):
    """Is broken."""

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        raise LookupError("internal text")


def _with_header(details: Any) -> Details:
    headers = (*details.metadata, ("x-from", "tests"))
    return Details(details.method, details.timeout, headers, None, None)


async def test_interceptors_see_every_call(point):
    server = point(yes)
    with Client(server.address, interceptors=[Adding()]) as pdp:
        assert pdp.check(*QUESTION)
    async with AsyncClient(server.address, interceptors=[AsyncAdding()]) as asynchronous:
        assert await asynchronous.check(*QUESTION)
    assert [call["x-from"] for call in server.calls] == ["tests", "tests"]
    assert all("x-request-id" in call for call in server.calls)


def test_an_interceptor_that_fails_is_no_answer(serve):
    with Client(serve(yes), interceptors=[Failing()]) as pdp:
        with pytest.raises(UnavailableError, match="LookupError") as caught:
            pdp.check(*QUESTION)
    assert "internal text" not in str(caught.value)
