"""Promises of the transport, with methods of the test's own: deadlines, failures, its log."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.authorization import Method
from taskman_authz_sidecar.door import Call, Door
from taskman_authz_sidecar.security import Listening
from taskman_authz_sidecar.settings import Settings
from taskman_authz_sidecar.transports import choose

from tests.sidecar.process import FAST, PATIENCE

Ask = Callable[..., Any]


@pytest.fixture(params=["grpcio", FAST])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def logger() -> CapturingLogger:
    return CapturingLogger()


@pytest.fixture
def serve(
    logger: CapturingLogger, transport: str
) -> Iterator[Callable[[Mapping[str, Method]], str]]:
    """Starts a server in a thread and gives its address."""
    endings: list[Callable[[], None]] = []

    def begin(methods: Mapping[str, Method]) -> str:
        log = structlog.wrap_logger(logger, processors=[])
        opened: list[str] = []
        is_open = threading.Event()
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        async def run() -> None:
            make = choose(Settings(transport=transport), log)
            server = make({"test.Service": methods}, Door(log), Settings(), Listening(), {})
            opened.extend(await server.start(["127.0.0.1:0"]))
            is_open.set()
            await stop.wait()
            await server.stop(0)

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()

        def end() -> None:
            loop.call_soon_threadsafe(stop.set)
            thread.join(PATIENCE)
            loop.close()

        endings.append(end)
        assert is_open.wait(PATIENCE)
        return opened[0]

    yield begin
    for end in endings:
        end()


@pytest.fixture
def asker() -> Iterator[Callable[[str], Ask]]:
    """Connects, and gives the method `Check` from bytes to bytes."""
    channels = []

    def connect(address: str) -> Ask:
        channels.append(grpc.insecure_channel(address))
        ask: Ask = channels[-1].unary_unary("/test.Service/Check", None, None)
        return ask

    yield connect
    for channel in channels:
        channel.close()


# grpcio reads, in threads of its own, while a method of ours runs; the other one counts from when
# it reads (`http2/test_calls.py`).
@pytest.mark.parametrize("transport", ["grpcio"], indirect=True)
def test_a_call_whose_deadline_has_passed_is_not_decided(serve, asker):
    decided: list[bytes] = []
    begun, go_on = threading.Event(), threading.Event()

    def check(data: bytes, _call: Call) -> bytes:
        decided.append(data)
        if data == b"slow":
            begun.set()
            go_on.wait(PATIENCE)
        return data

    ask = asker(serve({"Check": check}))
    slow = ask.future(b"slow", timeout=PATIENCE)  # type: ignore[attr-defined]
    assert begun.wait(PATIENCE)
    with pytest.raises(grpc.RpcError) as caught:
        ask(b"late", timeout=0.05)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    go_on.set()
    assert slow.result() == b"slow"
    assert ask(b"next", timeout=PATIENCE) == b"next"
    assert decided == [b"slow", b"next"]


def test_a_failure_of_ours_is_internal_and_only_the_log_says_which(serve, asker, logger):
    def check(_data: bytes, _call: Call) -> bytes:
        raise ZeroDivisionError("secret")

    ask = asker(serve({"Check": check}))
    with pytest.raises(grpc.RpcError) as caught:
        ask(b"", timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()
    (call,) = logger.calls
    assert call.method_name == "error"
    assert (call.kwargs["method"], call.kwargs["status"]) == ("Check", "INTERNAL")
    assert isinstance(call.kwargs["exc_info"], ZeroDivisionError)
