"""Who connects, where this module's lines serve and not the loop's transports."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

from .session import Endpoint, Lines

BACKLOG = 100  # connections that wait to be accepted, and that are accepted at a time
AGAIN = 1.0  # seconds until accepting is tried again, where the process has too much open

_TOO_MUCH_OPEN = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Accepting:
    """Accepts connections for `endpoint` in the running loop. A handshake of TLS may take
    `handshake` seconds."""

    def __init__(self, endpoint: Endpoint, handshake: float) -> None:
        self._endpoint = endpoint
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self._opened: dict[socket.socket, ssl.SSLContext | None] = {}
        self._lines = Lines(self._loop)
        self._loop.add_reader(self._lines.fileno(), self._lines.ready)

    def serve(self, opened: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept whoever connects to a bound socket."""
        opened.setblocking(False)
        opened.listen(BACKLOG)
        self._opened[opened] = tls
        self._loop.add_reader(opened, self._accept, opened)

    def stop(self) -> None:
        """Accept nobody more, and close the sockets."""
        for opened in self._opened:
            self._loop.remove_reader(opened)
            opened.close()
        self._opened.clear()

    def close(self) -> None:
        """Read and write nothing more: to be called when all connections have ended. Who has not
        ended a handshake by then has none."""
        self._lines.close()
        self._loop.remove_reader(self._lines.fileno())

    def _accept(self, opened: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                connected, _ = opened.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _TOO_MUCH_OPEN:
                    raise
                self._endpoint.tell("no connection can be accepted: too much is open")
                self._loop.remove_reader(opened)
                self._loop.call_later(AGAIN, self._accept_again, opened)
                return
            connected.setblocking(False)
            if connected.family != socket.AF_UNIX:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = self._opened[opened]
            self._lines.add(connected, self._endpoint, tls, self._handshake)

    def _accept_again(self, opened: socket.socket) -> None:
        if opened in self._opened:
            self._loop.add_reader(opened, self._accept, opened)
