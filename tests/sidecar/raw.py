"""HTTP/2 without gRPC's manners: streams whose frames are whatever a test likes."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Sequence
from types import TracebackType

import h2.config
import h2.connection
import h2.events
import h2.settings

from tests.sidecar.process import PATIENCE

CHECK = "/taskman_authz.v1.AuthorizationService/Check"
BATCH_CHECK = "/taskman_authz.v1.AuthorizationService/BatchCheck"


def framed(data: bytes, length: int | None = None, flag: int = 0) -> bytes:
    """A gRPC message: a flag, a length, which may be a lie, and the data."""
    return struct.pack(">BI", flag, len(data) if length is None else length) + data


class Raw:
    """A connection to a sidecar, by its address or as it is. `window` is how many bytes of a stream
    it lets the other send."""

    def __init__(self, to: str | socket.socket, window: int = 65_535) -> None:
        if isinstance(to, str):
            host, _, port = to.rpartition(":")
            to = socket.create_connection((host, int(port)), PATIENCE)
        self.socket = to
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.ended: dict[int, dict[str, str]] = {}  # streams, and what they ended with
        self.bodies: dict[int, bytearray] = {}  # what came as data
        self.went_away: int | None = None
        self._told: dict[int, dict[str, str]] = {}
        self.http.initiate_connection()
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what waits to be sent."""
        self.socket.sendall(self.http.data_to_send())

    def begin(
        self,
        path: str,
        data: bytes,
        content_type: str = "application/grpc",
        end: bool = True,
        more: Sequence[tuple[str, str]] = (),
        method: str = "POST",
    ) -> int:
        """Begin a call and send data as it is, with `more` headers. Gives its stream."""
        stream = self.http.get_next_available_stream_id()
        headers = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "sidecar"),
            ("content-type", content_type),
            ("te", "trailers"),
            *more,
        ]
        self.http.send_headers(stream, headers)
        self.send(stream, data, end)
        return stream

    def send(self, stream: int, data: bytes, end: bool = False) -> None:
        """Send data as it is, when the other lets it."""
        self.flush()
        while len(data) > (room := min(16_384, self.http.local_flow_control_window(stream))):
            if room:
                self.http.send_data(stream, data[:room])
                data = data[room:]
                self.flush()
            else:
                self.hear()
        self.http.send_data(stream, data, end_stream=end)
        self.flush()

    def end(self, stream: int) -> dict[str, str]:
        """The headers and trailers that a call ends with; `reset` where it is broken off."""
        while stream not in self.ended:
            if not self.hear():
                return {"reset": "connection"}
            self.flush()
        return self.ended[stream]

    def hear(self) -> bool:
        """See what comes next; False where the connection has ended."""
        data = self.socket.recv(65_536)
        for event in self.http.receive_data(data) if data else ():
            self._see(event)
        return bool(data)

    def goaway(self) -> int | None:
        """The code of the frame that the other ends the connection with, when it has; None where it
        says nothing."""
        with contextlib.suppress(ConnectionError):
            while self.went_away is None and self.hear():
                with contextlib.suppress(OSError):  # it may have closed, and what it said be here
                    self.flush()
        return self.went_away

    def _see(self, event: h2.events.Event) -> None:
        if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
            self._told.setdefault(event.stream_id, {}).update(dict(event.headers))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.went_away = int(event.error_code)
        if isinstance(event, h2.events.DataReceived):
            self.bodies.setdefault(event.stream_id, bytearray()).extend(event.data)
        if isinstance(event, h2.events.StreamReset):
            self.ended.setdefault(event.stream_id, {"reset": str(int(event.error_code))})
        if isinstance(event, h2.events.StreamEnded):
            self.ended[event.stream_id] = self._told.get(event.stream_id, {})

    def ask(self, path: str, data: bytes, content_type: str = "application/grpc") -> dict[str, str]:
        """`begin`, and `end`."""
        return self.end(self.begin(path, data, content_type))
