"""Real grpcio servers that answer every method with a function, and end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from taskman_authz import wire
from taskman_authz.decision import Decision, Reason

YES = Decision(True, (Reason("allowed_by_policy", "p", "policy `p` allows it"),), "r1")
NO = Decision(False, (Reason("no_policy_applies", "", "no policy applies"),), "r1")
QUESTION = ("user:1", "tasks:edit", "tasks/1")

Handler = Callable[[bytes, Any], bytes]


class Point:
    """A decision point that answers with `handler`, which may be replaced. `calls` are the headers
    of those that came."""

    def __init__(
        self, handler: Handler, address: str, credentials: grpc.ServerCredentials | None
    ) -> None:
        self.handler = handler
        self.calls: list[dict[str, Any]] = []
        self.health = health.HealthServicer()
        self._server = grpc.server(ThreadPoolExecutor(8))
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        method = grpc.unary_unary_rpc_method_handler(self._handle)
        methods = {"Check": method, "BatchCheck": method}
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(wire.SERVICE, methods),)
        )
        if credentials is None:
            port = self._server.add_insecure_port(address)
        else:
            port = self._server.add_secure_port(address, credentials)
        self.address = address if address.startswith("unix:") else f"127.0.0.1:{port}"
        self.tell_health(True)
        self._server.start()

    def _handle(self, data: bytes, context: Any) -> bytes:
        self.calls.append(dict(context.invocation_metadata()))
        return self.handler(data, context)

    def tell_health(self, serving: bool) -> None:
        """What the standard health service says from now on."""
        status = health_pb2.HealthCheckResponse
        self.health.set(wire.SERVICE, status.SERVING if serving else status.NOT_SERVING)

    def stop(self) -> None:
        """Drop its calls and let go of its address."""
        self._server.stop(None).wait()


@pytest.fixture
def point() -> Iterator[Callable[..., Point]]:
    """Starts a `Point`."""
    points: list[Point] = []

    def begin(
        handler: Handler,
        address: str = "127.0.0.1:0",
        credentials: grpc.ServerCredentials | None = None,
    ) -> Point:
        points.append(Point(handler, address, credentials))
        return points[-1]

    yield begin
    for each in points:
        each.stop()


@pytest.fixture
def serve(point) -> Callable[[Handler], str]:
    """Starts a `Point`, and gives its address."""
    return lambda handler: point(handler).address


def yes(_data: bytes, _context: Any) -> bytes:
    return wire.write_decision(YES)


def abort(code: grpc.StatusCode, details: str) -> Handler:
    def handler(_data: bytes, context: Any) -> bytes:
        context.abort(code, details)
        raise AssertionError

    return handler
