"""The server on libnghttp2: its addresses, its clock, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from taskman_authz.limits import DEFAULT

from ..authorization import Served
from ..door import Caller, Door
from ..faces import OURS, Face
from ..security import Listening, connection_names
from ..sockets import address_of, open_sockets
from .accepting import Accepting
from .answering import Answering
from .session import HAS_LINES, Connection, Endpoint

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ..settings import Settings

TICK = 1.0  # seconds between looks at what is late, unless something is due sooner
CLOSING = 1.0  # seconds that connections that were broken off have to say so


class Bounds(NamedTuple):
    """What connections may be and hold."""

    message_bytes: int
    held_bytes: int
    calls: int
    ping_interval: float
    keepalive: float
    max_age: float
    max_age_grace: float
    all_held_bytes: int = DEFAULT.connections_bytes
    header_bytes: int = DEFAULT.header_bytes
    streams: int = DEFAULT.connection_calls
    connections: int = DEFAULT.connections
    patience: float = DEFAULT.connection_seconds
    handshake: float = DEFAULT.handshake_seconds
    keepalive_timeout: float = DEFAULT.keepalive_seconds
    idle_frames: int = DEFAULT.idle_frames
    idle_frames_rate: int = DEFAULT.idle_frames_rate
    idle_frames_call: int = DEFAULT.idle_frames_call
    resets: int = DEFAULT.resets
    resets_rate: int = DEFAULT.resets_rate

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Those of a sidecar."""
        longest = settings.max_message_bytes + settings.max_reply_bytes
        return cls(
            settings.max_message_bytes,
            max(DEFAULT.connection_bytes, longest),
            settings.max_concurrent_calls,
            settings.min_ping_interval,
            settings.keepalive,
            settings.max_connection_age,
            settings.max_connection_age_grace,
        )

    @property
    def tick(self) -> float:
        """Seconds between looks."""
        due = (self.patience, self.keepalive, self.max_age or TICK * 4)
        return min(TICK, *(seconds / 4 for seconds in due))


class FastServer:
    """Answers the methods of services at several addresses. Of `faces` are the services that are
    not ours."""

    transport = "fast"

    def __init__(
        self,
        log: FilteringBoundLogger,
        services: Mapping[str, Mapping[str, Served]],
        door: Door,
        settings: Settings,
        listening: Listening,
        faces: Mapping[str, Face],
        bounds: Bounds | None = None,
    ) -> None:
        self._answering = Answering(settings)
        routes = {}
        for service, methods in services.items():
            face = faces.get(service, OURS)
            for name, served in methods.items():
                route = self._answering.route(face, name, served, door.of(face, name))
                routes[f"/{service}/{name}".encode()] = route
        self._listening = listening
        self._shares = settings.workers > 1
        self._bounds = bounds or Bounds.of(settings)
        self.endpoint = Endpoint(routes, self._answering, _caller, log.info, self._bounds)
        self._accepting: Accepting | None = None
        self._servers: list[asyncio.Server] = []
        self._paths: list[str] = []
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self, addresses: Sequence[str]) -> list[str]:
        """Open the addresses and begin to answer. Returns them with their ports filled in.
        Raises OSError naming the address that cannot be opened."""
        sockets = open_sockets(addresses, self._listening, self._shares)
        opened = [address_of(*each) for each in zip(sockets, addresses, strict=True)]
        for each in sockets:
            await self._serve(each)
        self._tick()
        return opened

    async def stop(self, grace: float) -> None:
        """Take no new calls, and give those in flight `grace` seconds to end."""
        if self._accepting is not None:
            self._accepting.stop()
        for server in self._servers:
            server.close()
        for path in self._paths:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self.endpoint.drain()
        if not await self._emptied(grace):
            self.endpoint.abort()
            await self._emptied(CLOSING)
        self._answering.stop()
        if self._accepting is not None:
            self._accepting.close()
        if self._ticking is not None:
            self._ticking.cancel()

    async def _serve(self, opened: socket.socket) -> None:
        certificates, tls = self._listening.certificates, None
        if opened.family == socket.AF_UNIX:
            self._paths.append(opened.getsockname())
        elif certificates is not None:
            from ..security.tls import server_context

            tls = server_context(certificates, ("h2",))
        if HAS_LINES:
            if self._accepting is None:
                self._accepting = Accepting(self.endpoint, self._bounds.handshake)
            return self._accepting.serve(opened, tls)
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.endpoint),
            sock=opened,
            ssl=tls,
            ssl_handshake_timeout=self._bounds.handshake if tls is not None else None,
        )
        self._servers.append(server)

    async def _emptied(self, seconds: float) -> bool:
        """Whether all connections have gone within so many seconds."""
        if not self.endpoint.connections:
            return True
        empty = asyncio.Event()
        self.endpoint.on_empty = empty.set
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(empty.wait(), seconds)
        return empty.is_set()

    def _tick(self) -> None:
        self.endpoint.look()
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(self._bounds.tick, self._tick)


def _caller(transport: asyncio.BaseTransport) -> Caller:
    return Caller(connection_names(transport))
