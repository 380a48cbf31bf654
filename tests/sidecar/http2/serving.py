"""A server on libnghttp2 in a thread of the test, with methods and bounds of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import grpc
import structlog
import uvloop
from structlog.testing import CapturingLogger
from taskman_authz_sidecar.authorization import Aside, Stream
from taskman_authz_sidecar.door import Call, Door
from taskman_authz_sidecar.http2.server import Bounds, FastServer
from taskman_authz_sidecar.security import Listening
from taskman_authz_sidecar.security.certificates import make_identity
from taskman_authz_sidecar.settings import Settings
from taskman_authz_sidecar.status import Code, Refusal

from tests.sidecar.authority import Authority
from tests.sidecar.process import PATIENCE
from tests.sidecar.raw import Raw

SERVICE = "test.Service"
PATH = f"/{SERVICE}/"


class Methods:
    """What is served: `calls` are those that came to `Echo`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.counted = 0  # messages that `count` has given
        self.going = threading.Event()
        self.gone = threading.Event()

    def echo(self, data: bytes, call: Call) -> bytes:
        """The same bytes."""
        self.calls.append(call)
        return data

    def refuse(self, data: bytes, _call: Call) -> bytes:
        """Never an answer."""
        raise Refusal(Code.PERMISSION_DENIED, data.decode(), retry_after=1.5)

    def wait(self, data: bytes, _call: Call) -> bytes:
        """The same bytes, when `going` is set."""
        assert self.going.wait(PATIENCE)
        return data

    async def count(self, data: bytes, _call: Call) -> AsyncIterator[bytes]:
        """As many messages as the data says, each a kilobyte; none ends."""
        try:
            for number in range(int(data)):
                self.counted = number
                yield b"%04d" % number + bytes(1_020)
            await asyncio.Event().wait()
        finally:
            self.gone.set()

    def served(self) -> dict[str, Any]:
        """By name."""
        return {
            "Echo": self.echo,
            "Refuse": self.refuse,
            "Wait": Aside(self.wait),
            "Count": Stream(self.count),
        }


@functools.cache
def authority() -> Authority:
    """Whose certificates the servers show."""
    return Authority()


def certificates() -> Any:
    """What is shown; nothing here replaces it."""
    return SimpleNamespace(identity=make_identity(*authority().issue(), client_ca=None))


class Serving:
    """A server that runs, in TLS or in plain."""

    def __init__(self, settings: Settings, bounds: Bounds | None, listen: str, tls: bool) -> None:
        self.tls = tls
        self.methods = Methods()
        self.logger = CapturingLogger()
        self.address = ""
        self._log = structlog.wrap_logger(self.logger, processors=[])
        self._parts = (settings, bounds, listen)
        self._is_open = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._run()))
        self._thread.start()
        assert self._is_open.wait(PATIENCE)

    async def _run(self) -> None:
        settings, bounds, listen = self._parts
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        services = {SERVICE: self.methods.served()}
        door = Door(self._log)
        listening = Listening(certificates() if self.tls else None)
        self.server = FastServer(self._log, services, door, settings, listening, {}, bounds)
        (self.address,) = await self.server.start([listen])
        self._is_open.set()
        await self._ended.wait()
        await self.server.stop(self._grace)

    def stop(self, grace: float = 0) -> threading.Thread:
        """Begin to stop; the thread ends when it has."""
        self._grace = grace
        with contextlib.suppress(RuntimeError):  # it has stopped
            self._loop.call_soon_threadsafe(self._ended.set)
        return self._thread

    def channel(self, kind: Any = grpc) -> Any:
        """Of a stock client of gRPC; `kind` may be `grpc.aio`."""
        if not self.tls:
            return kind.insecure_channel(self.address)
        return kind.secure_channel(self.address, grpc.ssl_channel_credentials(authority().pem))

    def dial(self) -> socket.socket:
        """A connection, and nothing more."""
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), PATIENCE)

    def connect(self) -> socket.socket:
        """A connection that HTTP/2 can be spoken on."""
        if not self.tls:
            return self.dial()
        context = ssl.create_default_context(cadata=authority().pem.decode())
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(self.dial(), server_hostname="localhost")

    def raw(self, window: int = 65_535) -> Raw:
        """HTTP/2 by hand."""
        return Raw(self.connect(), window)

    def said(self) -> list[str]:
        """The events of its log."""
        return [call.args[0] if call.args else call.kwargs["event"] for call in self.logger.calls]


@contextmanager
def serving(
    settings: Settings | None = None,
    listen: str = "127.0.0.1:0",
    tls: bool = False,
    **bounds: float,
) -> Iterator[Serving]:
    """A server while in here. `bounds` are those that differ."""
    settings = settings or Settings(transport="fast")
    running = Serving(settings, Bounds.of(settings)._replace(**bounds), listen, tls)
    try:
        yield running
    finally:
        running.methods.going.set()
        running.stop().join(PATIENCE)
