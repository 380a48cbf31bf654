"""One connection of HTTP/1.1, as every HTTP server of the sidecar has it. (h11 bounds its headers.)

Laws: who has no request under way has a time to send the headers of one, whole; single bytes do not
lengthen it. As many connections as may be are never all held by who sends nothing: whoever has been
waited for longest makes way for the next.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class HTTPConnection(H11Protocol):
    """Waits for headers as long as uvicorn's `timeout_keep_alive` says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._end_of_wait: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, in the place of another where there are too many."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self._make_way()
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._wait_no_more()
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._end_of_wait is None and not self.transport.is_closing():
            self._end_of_wait = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._end_of_wait is not None:
            self._end_of_wait.cancel()
            self._end_of_wait = None

    def _make_way(self) -> None:
        """End the connection that has been waited for longest."""
        waiting = [
            (other._end_of_wait.when(), id(other), other)
            for other in self.connections
            if isinstance(other, HTTPConnection) and other._end_of_wait is not None
        ]
        if waiting:
            longest = min(waiting)[2]
            longest._wait_no_more()
            self.connections.discard(longest)  # its end is told later than what comes next
            longest.transport.abort()
