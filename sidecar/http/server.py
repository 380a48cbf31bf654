"""The HTTP transport: uvicorn in the sidecar's own loop.

Laws: where there are certificates every TCP connection is in TLS. Who is at the other end stands in
the scope, as the connection proves it. Signals are the sidecar's. How long headers are, how many
connections there are and how long an idle one stays is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import uvicorn

from ..http_connection import HTTPConnection
from ..security import Listening, connection_names

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from structlog.typing import FilteringBoundLogger

    from ..settings import Settings

HEADER_BYTES = 32_768  # of a request, its first line included
NAMES = "taskman_authz.names"  # in a scope: what the connection says that the caller is


class HTTPServer:
    """Answers with `app` at several addresses."""

    def __init__(
        self, app: ASGIApp, settings: Settings, listening: Listening, log: FilteringBoundLogger
    ) -> None:
        logging.getLogger("uvicorn.error").handlers = [_Handler(log)]
        logging.getLogger("uvicorn.error").propagate = False
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            log_level=logging.ERROR,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=HEADER_BYTES,
            limit_concurrency=settings.http_connections,
            timeout_keep_alive=max(1, round(settings.http_timeout)),
            timeout_graceful_shutdown=max(1, round(settings.grace)),
        )
        self._server = _Server(config, _tls(listening), settings.http_timeout)
        self._paths: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Begin to answer at sockets that are bound."""
        self._paths = [each.getsockname() for each in sockets if each.family == socket.AF_UNIX]
        self._task = asyncio.create_task(self._server.serve(list(sockets)))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0)

    async def stop(self, grace: float) -> None:
        """Take no new calls, and let those in flight end within the grace; at once if that is 0."""
        self._server.should_exit = True
        self._server.force_exit = grace == 0
        if self._task is not None:
            await asyncio.shield(self._task)  # whoever does not wait any longer ends it by 0
        for path in self._paths:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _tls(listening: Listening) -> ssl.SSLContext | None:
    if listening.certificates is None:
        return None
    from ..security.tls import server_context

    return server_context(listening.certificates)


class _Server(uvicorn.Server):
    """A server in somebody else's process, with sockets in TLS and others."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None, patience: float) -> None:
        super().__init__(config)
        self._tls = tls
        self._patience = patience

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The sidecar hears them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer. (uvicorn's own has all sockets in TLS, or none.)"""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            state = self.lifespan.state
            return _Protocol(self.config, self.server_state, state, loop)

        self.servers = []
        for each in sockets or ():
            tls = None if each.family == socket.AF_UNIX else self._tls
            patience = None if tls is None else self._patience
            server = await loop.create_server(
                protocol, sock=each, ssl=tls, ssl_handshake_timeout=patience
            )
            self.servers.append(server)
        self.started = True


class _Protocol(HTTPConnection):
    """A connection with the names of who is at the other end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        names, app = connection_names(transport), self.app

        async def named(scope: Scope, receive: Receive, send: Send) -> None:
            scope[NAMES] = names
            await app(scope, receive, send)

        self.app = named


class _Handler(logging.Handler):
    """What uvicorn says, as the sidecar speaks."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.error("http server", said=record.getMessage(), exc_info=record.exc_info)
