"""What `session.pyx` has for others."""

from asyncio import Protocol, Transport
from collections.abc import Callable
from typing import Any

from ..door import Caller
from .answering import Route
from .server import Bounds

class Endpoint:
    connections: set[Connection]
    calls: int
    held: int
    draining: bool
    on_empty: Callable[[], Any] | None
    def __init__(
        self,
        routes: dict[bytes, Route],
        answer: Callable[[Connection, Exchange], Any],
        identify: Callable[[Transport], Caller],
        tell: Callable[[str], Any],
        bounds: Bounds,
    ) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...
    def look(self) -> None: ...

class Exchange:
    route: Route
    message: bytes
    encoding: bytes | None
    accepted: bytes | None
    is_compressed: bool
    closed: bool
    request_id: str
    traceparent: str
    tracestate: str
    min_revision: str
    authorization: str
    left: float | None
    on_taken: Callable[[], Any] | None
    on_close: Callable[[], Any] | None

class Connection(Protocol):
    caller: Caller
    def __init__(self, endpoint: Endpoint) -> None: ...
    def respond(self, exchange: Exchange, message: bytes, is_compressed: bool = False) -> None: ...
    def send(self, exchange: Exchange, message: bytes) -> None: ...
    def end(self, exchange: Exchange) -> None: ...
    def refuse(
        self, exchange: Exchange, code: int, text: bytes, more: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None: ...
