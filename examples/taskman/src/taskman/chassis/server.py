"""The gRPC server of a service, and the one way of every call: who, request id and trace, deadline,
the method, errors as statuses, one line in the log, metrics.

Laws: a call without a valid token reaches no method, but for those that are named as open. No call
goes on after its deadline. An error that nobody foresaw is told as `internal error`.
"""

from __future__ import annotations

import asyncio
import re
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from .caller import ANONYMOUS, Caller, Tokens, enter
from .errors import DETAILS, Internal, ServiceError, TooLate, Unauthenticated
from .metrics import Metrics
from .settings import Settings
from .tracing import Traces

_PEER = re.compile(r"ipv[46]:(.+):\d+")
STREAM = 300.0  # seconds of an answer in parts
MESSAGE_BYTES = 1024 * 1024  # of a request; nothing that we take is near that


class Door(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """What every call passes. `open_methods` may be called by who has no token."""

    def __init__(
        self,
        tokens: Tokens,
        metrics: Metrics,
        log: Any,
        traces: Traces,
        timeout: float,
        open_methods: Collection[str] = (),
    ) -> None:
        self._tokens = tokens
        self._metrics = metrics
        self._log = log
        self._traces = traces
        self._timeout = timeout
        self._open = frozenset(open_methods)

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap the method that is called; those of gRPC itself (health, reflection) are not."""
        handler = await continuation(details)
        if handler is None or details.method.startswith("/grpc."):
            return handler
        name = details.method.rpartition("/")[2]
        coding = (handler.request_deserializer, handler.response_serializer)

        async def answer(request: Any, context: Any) -> Any:
            async with self._passing(name, context, self._timeout):
                return await handler.unary_unary(request, context)

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            async with self._passing(name, context, STREAM):
                async for each in handler.unary_stream(request, context):
                    yield each

        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(answer, *coding)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream, *coding)
        raise RuntimeError(f"{details.method} takes a stream, which nothing here guards")

    @asynccontextmanager
    async def _passing(self, name: str, context: Any, most: float) -> AsyncIterator[None]:
        began = time.perf_counter()
        metadata = dict(context.invocation_metadata() or ())
        left = min(context.time_remaining() or most, most)
        id, trace = (str(metadata.get(name, "")) for name in ("x-request-id", "traceparent"))
        structlog.contextvars.clear_contextvars()
        try:
            with self._traces.answering(name, id, trace, left):
                async with asyncio.timeout(left):
                    enter(who := await self._caller(name, metadata, context.peer()))
                    structlog.contextvars.bind_contextvars(
                        user_id=who.id if who.kind == "user" else "", company_id=who.company_id
                    )
                    yield
        except Exception as error:
            found = self._error(error)
            self._told(name, found, began)
            await context.abort(found.code, found.text, ((DETAILS, found.status()),))
        self._told(name, None, began)

    async def _caller(self, name: str, metadata: dict[str, Any], peer: str) -> Caller:
        scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
        if scheme.lower() == "bearer" and token:
            return await self._tokens.read(token)
        if name not in self._open:
            raise Unauthenticated("expected a token: authorization: Bearer ...")
        found = _PEER.fullmatch(urllib.parse.unquote(peer))
        ip = found[1].strip("[]") if found else ""
        return Caller("anonymous", ANONYMOUS.id, ip=ip)

    def _error(self, error: Exception) -> ServiceError:
        if isinstance(error, ServiceError):
            return error
        if isinstance(error, TimeoutError):
            return TooLate("there was no answer in time")
        self._log.error("A call failed", exc_info=error)
        return Internal("internal error")

    def _told(self, name: str, error: ServiceError | None, began: float) -> None:
        seconds = time.perf_counter() - began
        status = "OK" if error is None else error.code.name
        self._metrics.answered(name, status, seconds, "" if error is None else type(error).__name__)
        said: dict[str, Any] = {"method": name, "status": status}
        self._log.info("Call answered", **said, duration_ms=round(seconds * 1000, 3))


class Server:
    """A gRPC server with health and reflection."""

    def __init__(self, door: Door, settings: Settings) -> None:
        self._settings = settings
        self._server = grpc.aio.server(
            interceptors=[door], options=[("grpc.max_receive_message_length", MESSAGE_BYTES)]
        )
        self._health: Any = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    async def start(self, servicers: Collection[tuple[Callable[..., None], Any, str]]) -> str:
        """Serve: `add_..._to_server`, the servicer, its full name. The address."""
        for add, servicer, _ in servicers:
            add(servicer, self._server)
        names = [name for _, _, name in servicers]
        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._server)
        given = credentials(self._settings)
        listen = self._settings.listen
        if given is None:
            port = self._server.add_insecure_port(listen)
        else:
            port = self._server.add_secure_port(listen, grpc.ssl_server_credentials(*given))
        await self._server.start()
        for name in ("", *names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return f"{listen.rpartition(':')[0]}:{port}"

    async def stop(self, grace: float) -> None:
        """Say that it stops, take no new calls, and let those under way end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)


def credentials(settings: Settings) -> tuple[list[tuple[bytes, bytes]], bytes, bool] | None:
    """Key, certificate and authority for mutual TLS; None where there is none."""
    if not (settings.tls_key and settings.tls_certificate and settings.tls_authority):
        return None
    pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
    return [pair], settings.tls_authority.read_bytes(), True
