"""What `session.pyx` has for others."""

import socket
import ssl
from asyncio import AbstractEventLoop, Protocol, Transport
from collections.abc import Callable
from typing import Any

from ..door import Call, Caller, Door
from ..faces import Face
from .answering import Answering
from .server import Bounds

class Endpoint:
    connections: set[Connection]
    calls: int
    held: int
    draining: bool
    tell: Callable[[str], Any]
    on_empty: Callable[[], Any] | None
    def __init__(
        self,
        routes: dict[bytes, Route],
        answering: Answering,
        identify: Callable[[Transport], Caller],
        tell: Callable[[str], Any],
        bounds: Bounds,
    ) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...
    def look(self) -> None: ...

Way = Callable[[Connection, Exchange, bytes], None]

class Route:
    face: Face
    name: str
    served: Any
    door: Door
    way: Way | None
    def __init__(
        self, face: Face, name: str, served: Any, door: Door, way: Way | None = None
    ) -> None: ...

class Exchange(Call):
    route: Route
    message: bytes
    encoding: bytes | None
    accepted: bytes | None
    is_compressed: bool
    closed: bool
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

HAS_LINES: bool

class Lines:
    def __init__(self, loop: AbstractEventLoop) -> None: ...
    def fileno(self) -> int: ...
    def add(
        self,
        socket: socket.socket,
        endpoint: Endpoint,
        context: ssl.SSLContext | None = None,
        patience: float = 0,
    ) -> None: ...
    def close(self) -> None: ...
    def ready(self) -> None: ...
