"""The transport: a grpcio server whose handlers are functions from request bytes to reply bytes.

Law: an address in use is refused in words, never shared or taken over.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from taskman_authz.v1 import authorization_pb2  # noqa: F401  # reflection finds it in the pool

from .authorization import Method
from .door import Call, Caller, Door
from .security import Listening, grpc_names
from .status import Code, Status

if TYPE_CHECKING:
    from .settings import Settings


class Face(NamedTuple):
    """How a service whose messages are somebody else's differs from ours: what its calls are known
    by, and how it says that there is no answer (None: a status of gRPC)."""

    name: str = "grpc"
    refuse: Callable[[Status], bytes] | None = None


OURS = Face()


class Server:
    """Answers the methods of services at several addresses, with health and reflection. Of `faces`
    are the services that are not ours."""

    def __init__(
        self,
        services: Mapping[str, Mapping[str, Method]],
        door: Door,
        settings: Settings,
        listening: Listening | None = None,
        faces: Mapping[str, Face] | None = None,
    ) -> None:
        self._door = door
        self._listening = listening or Listening()
        self._faces = faces or {}
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._server = grpc.aio.server(
            options=_options(settings), maximum_concurrent_rpcs=settings.max_concurrent_calls
        )
        handlers = [self._handlers(name, methods) for name, methods in services.items()]
        self._server.add_generic_rpc_handlers(handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection:
            # Of the others there is no description.
            names = [name for name in services if name not in self._faces]
            names += [health.SERVICE_NAME, reflection.SERVICE_NAME]
            reflection.enable_server_reflection(names, self._server)

    async def start(self, addresses: Sequence[str]) -> list[str]:
        """Open the addresses and begin to answer. Returns them with their ports filled in.
        Raises OSError naming the address that cannot be opened."""
        opened = [_open(self._server, self._listening, address) for address in addresses]
        await self._server.start()
        return opened

    async def tell_health(self, service: str, serving: bool) -> None:
        """What the standard health service answers from now on for `service` ("": all of it)."""
        status = health_pb2.HealthCheckResponse
        await self._health.set(service, status.SERVING if serving else status.NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Say that we are not serving, take no new calls, and give those in flight `grace`
        seconds to end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)

    def _handlers(
        self, service: str, methods: Mapping[str, Method]
    ) -> grpc.GenericRpcHandler[bytes, bytes]:
        return grpc.method_handlers_generic_handler(
            service,
            {
                name: grpc.unary_unary_rpc_method_handler(self._handler(service, name, method))
                for name, method in methods.items()
            },
        )

    def _handler(self, service: str, name: str, method: Method) -> Any:
        face = self._faces.get(service, OURS)

        async def handle(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            answer = self._door.answer(_GrpcCall(face, name, context), method, data)
            if type(answer) is bytes:
                return answer
            assert isinstance(answer, Status)
            if face.refuse is not None:
                return face.refuse(answer)
            await context.abort(_CODES[answer.code], answer.message, _trailers(answer))

        return handle


_CODES = {code: grpc.StatusCode[code.name] for code in Code}


_HEADERS = {
    "request_id": "x-request-id",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
    "authorization": "authorization",
}


class _GrpcCall(Call):
    """A call whose headers and whose caller's names are read when somebody asks for them: with
    grpcio that takes longer than to decide."""

    __slots__ = ("_context",)

    def __init__(
        self, face: Face, method: str, context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> None:
        super().__init__(face.name, method, left=context.time_remaining())
        self._context = context
        del self.caller, self.request_id, self.traceparent, self.tracestate, self.authorization

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


def _trailers(status: Status) -> tuple[tuple[str, str], ...]:
    """When to come again, as gRPC's own retries read it (gRFC A6)."""
    if status.retry_after is None:
        return ()
    return (("grpc-retry-pushback-ms", str(math.ceil(status.retry_after * 1_000))),)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # Otherwise a second sidecar would silently share the port and answer half of the calls.
        ("grpc.so_reuseport", 0),
    ]


def _open(server: grpc.aio.Server, listening: Listening, address: str) -> str:
    is_unix = address.startswith("unix:")
    try:
        if is_unix:
            try_path(address.removeprefix("unix:").removeprefix("//"))
        else:
            _try_host(address)
        port = listening.open(server, address)
    except OSError as error:
        raise OSError(error.errno, error.strerror, address) from None
    except RuntimeError:
        raise OSError(errno.EADDRNOTAVAIL, "cannot be opened", address) from None
    return address if is_unix else f"{address.rpartition(':')[0]}:{port}"


# grpcio does not say why an address cannot be opened, and replaces the file of a unix socket even
# while somebody answers there: so both are tried before.


def try_path(path: str) -> None:
    """Raises OSError where no unix socket can be opened at a path, or somebody answers there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
            if probe.connect_ex(path) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            return  # left behind by a process that was killed; grpcio removes it
        probe.bind(path)
    os.unlink(path)


def _try_host(address: str) -> None:
    host, _, port = address.rpartition(":")
    errors = []
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    for family, kind, protocol, _, place in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                probe.listen()
        except OSError as error:
            errors.append(error)
    # A name may stand for an address that this machine has not (::1): one that opens is enough,
    # unless another one is taken.
    taken = [error for error in errors if error.errno in (errno.EADDRINUSE, errno.EACCES)]
    if taken or len(errors) == len(found):
        raise (taken or errors)[0]
