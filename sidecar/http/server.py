"""The HTTP transport: uvicorn in the sidecar's own loop, on sockets that are opened here.

Laws: an address in use is refused in words. Signals are the sidecar's. How long headers are, how
many connections there are and how long an idle one stays is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import uvicorn

from ..server import try_path

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from structlog.typing import FilteringBoundLogger

    from ..settings import Settings

HEADER_BYTES = 32_768  # of a request, its first line included


class HTTPServer:
    """Answers with `app` at several addresses."""

    def __init__(self, app: ASGIApp, settings: Settings, log: FilteringBoundLogger) -> None:
        logging.getLogger("uvicorn.error").handlers = [_Handler(log)]
        logging.getLogger("uvicorn.error").propagate = False
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",  # which bounds the headers
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
        )
        self._paths: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Begin to answer at sockets that `open_sockets` opened."""
        self._paths = [each.getsockname() for each in sockets if each.family == socket.AF_UNIX]
        self._task = asyncio.create_task(self._server.serve(list(sockets)))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Take no new calls, and let those in flight end within the grace."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        for path in self._paths:
            with contextlib.suppress(OSError):
                os.unlink(path)


def open_sockets(addresses: Sequence[str]) -> list[socket.socket]:
    """A bound socket an address. Raises OSError naming the one that cannot be opened."""
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            opened.append(_open(address))
    except BaseException:
        for each in opened:
            each.close()
        raise
    return opened


def address_of(opened: socket.socket, address: str) -> str:
    """The address with its port filled in."""
    if opened.family == socket.AF_UNIX:
        return address
    return f"{address.rpartition(':')[0]}:{opened.getsockname()[1]}"


def _open(address: str) -> socket.socket:
    try:
        if address.startswith("unix:"):
            return _open_path(address.removeprefix("unix:").removeprefix("//"))
        return _open_host(address)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from None


def _open_path(path: str) -> socket.socket:
    try_path(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # left behind by a process that was killed
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.bind(path)
    return opened


def _open_host(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    family, kind, protocol, _, place = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(place)
        opened.listen()
    except BaseException:
        opened.close()
        raise
    return opened


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The sidecar hears them."""
        yield


class _Handler(logging.Handler):
    """What uvicorn says, as the sidecar speaks."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.error("http server", said=record.getMessage(), exc_info=record.exc_info)
