"""The transport: a grpcio server whose handlers are functions from request bytes to reply bytes.

Laws: whatever a method is (quick, long, a stream), the door is passed first. What ends a stream
becomes a status as what ends a call does.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
from grpc_reflection.v1alpha import reflection

from taskman_authz.v1 import authorization_pb2  # noqa: F401  # reflection finds it in the pool

from .addresses import UNIX, try_address
from .authorization import Aside, Later, Method, Served, Stream
from .door import Call, Caller, Door
from .faces import OURS, Face
from .grpc_log import ClientsGo
from .security import Listening, grpc_names
from .status import Code, Status
from .trailers import trailers

if TYPE_CHECKING:
    from .settings import Settings

A = TypeVar("A")
Handler = Callable[[bytes, "Context"], A]
Context = grpc.aio.ServicerContext[bytes, bytes]
# Calls at once of one connection: grpcio leaves one without a whole message open while the
# connection is.
STREAMS = 1_000
_CLIENTS_GO = ClientsGo()
_CODES = {code: grpc.StatusCode[code.name] for code in Code}


def described(services: Iterable[str], faces: Mapping[str, Face]) -> list[str]:
    """The services that reflection tells of: of those that refuse in their own words there is no
    description."""
    names = [name for name in services if faces.get(name, OURS).refuse is None]
    return [*names, reflection.SERVICE_NAME]


class Server:
    """Answers the methods of services at several addresses, with reflection. Of `faces` are the
    services that are not ours."""

    transport = "grpcio"

    def __init__(
        self,
        services: Mapping[str, Mapping[str, Served]],
        door: Door,
        settings: Settings,
        listening: Listening | None = None,
        faces: Mapping[str, Face] | None = None,
    ) -> None:
        logging.getLogger("grpc._cython.cygrpc").addFilter(_CLIENTS_GO)
        self._door = door
        self._listening = listening or Listening()
        self._faces = faces or {}
        self._shares = settings.workers > 1
        self._longest = settings.max_reply_bytes
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")
        compression = grpc.Compression.Gzip if settings.compression == "gzip" else None
        self._server = grpc.aio.server(
            options=_options(settings),
            compression=compression,
            maximum_concurrent_rpcs=settings.max_concurrent_calls,
        )
        handlers = [self._handlers(name, methods) for name, methods in services.items()]
        self._server.add_generic_rpc_handlers(handlers)
        if settings.reflection:
            names = described(services, self._faces)
            reflection.enable_server_reflection(names, self._server)

    async def start(self, addresses: Sequence[str]) -> list[str]:
        """Open the addresses and begin to answer. Returns them with their ports filled in.
        Raises OSError naming the address that cannot be opened."""
        if not self._shares:
            for address in addresses:
                try_address(address)
        opened = [_open(self._server, self._listening, address) for address in addresses]
        await self._server.start()
        return opened

    async def stop(self, grace: float) -> None:
        """Take no new calls, and give those in flight `grace` seconds to end."""
        await self._server.stop(grace)

    # -- handlers -------------------------------------------------------------------------------

    def _handlers(
        self, service: str, methods: Mapping[str, Served]
    ) -> grpc.GenericRpcHandler[bytes, bytes]:
        handlers: dict[str, Any] = {
            name: self._handler(self._faces.get(service, OURS), name, method)
            for name, method in methods.items()
        }
        return grpc.method_handlers_generic_handler(service, handlers)

    def _handler(self, face: Face, name: str, method: Served) -> Any:
        if isinstance(method, Stream):
            return grpc.unary_stream_rpc_method_handler(self._streaming(face, name, method))
        if isinstance(method, Later):
            return grpc.unary_unary_rpc_method_handler(self._awaiting(face, name, method))
        if isinstance(method, Aside):
            return grpc.unary_unary_rpc_method_handler(self._waiting(face, name, method))
        return grpc.unary_unary_rpc_method_handler(self._answering(face, name, method))

    def _answering(self, face: Face, name: str, method: Method) -> Handler[Awaitable[bytes]]:
        door = self._door.of(face)

        async def handle(data: bytes, context: Context) -> bytes:
            answer = door.answer(_GrpcCall(face, name, context), method, data)
            if type(answer) is bytes and len(answer) <= self._longest:
                return answer
            if face.refuse is not None and isinstance(answer, Status):
                return face.refuse(answer)
            await self._abort(answer, context)

        return handle

    def _awaiting(self, face: Face, name: str, later: Later) -> Handler[Awaitable[bytes]]:
        async def handle(data: bytes, context: Context) -> bytes:
            call = _GrpcCall(face, name, context)
            answer = await self._door.answer_later(call, later.method, data)
            if type(answer) is bytes and len(answer) <= self._longest:
                return answer
            if face.refuse is not None and isinstance(answer, Status):
                return face.refuse(answer)
            await self._abort(answer, context)

        return handle

    def _waiting(self, face: Face, name: str, aside: Aside) -> Handler[Awaitable[bytes]]:
        async def handle(data: bytes, context: Context) -> bytes:
            arguments = _GrpcCall(face, name, context), aside.method, data
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._aside, self._door.answer, *arguments)
            if type(answer) is bytes and len(answer) <= self._longest:
                return answer
            await self._abort(answer, context)

        return handle

    def _streaming(self, face: Face, name: str, stream: Stream) -> Handler[AsyncIterator[bytes]]:
        door = self._door.of(face)

        async def handle(data: bytes, context: Context) -> AsyncIterator[bytes]:
            call = _GrpcCall(face, name, context)
            answers = door.answer(call, stream.method, data)
            if isinstance(answers, Status):
                await self._abort(answers, context)
            try:
                async for answer in answers:
                    yield answer
            except Exception as error:
                status = door.refuse(call, error)
            else:
                return
            await self._abort(status, context)

        return handle

    async def _abort(self, answer: bytes | Status, context: Context) -> NoReturn:
        """End a call with a status: why there is no answer, or that it is too long."""
        if not isinstance(answer, Status):
            message = f"the answer is longer than {self._longest} bytes"
            answer = Status(Code.RESOURCE_EXHAUSTED, message)
        await context.abort(_CODES[answer.code], answer.message, trailers(answer))


_HEADERS = {
    "request_id": "x-request-id",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
    "authorization": "authorization",
    "min_revision": "min-revision",
}


class _GrpcCall(Call):
    """A call whose headers and whose caller's names are read when somebody asks for them: with
    grpcio that takes longer than to decide."""

    __slots__ = ("_context",)

    def __init__(self, face: Face, method: str, context: Context) -> None:
        super().__init__(face.name, method, left=context.time_remaining())
        self._context = context
        del self.caller, self.request_id, self.traceparent, self.tracestate, self.authorization
        del self.min_revision

    def __getattr__(self, name: str) -> Any:
        """The value of a slot that is empty."""
        if name == "caller":
            self.caller = Caller(grpc_names(self._context))
        elif name in _HEADERS:
            metadata: dict[Any, Any] = dict(self._context.invocation_metadata() or ())
            for slot, header in _HEADERS.items():
                setattr(self, slot, metadata.get(header, ""))
        else:
            raise AttributeError(name)
        return getattr(self, name)


def _options(settings: Settings) -> list[tuple[str, int]]:
    options = [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # Otherwise a second sidecar would silently share the port and answer half of the calls.
        ("grpc.max_concurrent_streams", STREAMS),
        # Workers do share it, and their supervisor has looked whether it was free.
        ("grpc.so_reuseport", int(settings.workers > 1)),
        ("grpc.keepalive_time_ms", _milliseconds(settings.keepalive)),
        ("grpc.keepalive_permit_without_calls", 1),
        (
            "grpc.http2.min_ping_interval_without_data_ms",
            _milliseconds(settings.min_ping_interval),
        ),
    ]
    if settings.max_connection_age:
        grace = settings.max_connection_age_grace
        options += [
            ("grpc.max_connection_age_ms", _milliseconds(settings.max_connection_age)),
            ("grpc.max_connection_age_grace_ms", _milliseconds(grace)),
        ]
    return options


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)


def _open(server: grpc.aio.Server, listening: Listening, address: str) -> str:
    try:
        port = listening.open(server, address)
    except OSError as error:
        raise OSError(error.errno, error.strerror, address) from None
    except RuntimeError:
        raise OSError(errno.EADDRNOTAVAIL, "cannot be opened", address) from None
    return address if address.startswith(UNIX) else f"{address.rpartition(':')[0]}:{port}"
