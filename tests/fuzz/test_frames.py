"""Whatever bytes a connection of the transport on libnghttp2 is sent, in whatever pieces: it raises
nothing, answers only what was asked, and keeps nothing when it has gone.

What is sent are whole sessions of a client of HTTP/2 with changes; `test_doors` says how many.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import h2.config
import h2.connection
import h2.errors
import pytest
import structlog
from taskman_authz_sidecar.authorization import Aside
from taskman_authz_sidecar.door import Call, Door
from taskman_authz_sidecar.http2 import missing
from taskman_authz_sidecar.security import Listening
from taskman_authz_sidecar.settings import Settings

from tests.fuzz.mutation import mutated
from tests.fuzz.test_doors import EXAMPLES, SEED
from tests.sidecar.raw import framed

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no transport on libnghttp2: {missing()}")

HELD = 200_000  # bytes that a connection may keep
ASKED = b"may the answer be yes"
PIECES = [
    b"\0\0\0\0\1\0\0\0\1",  # data that ends a call
    b"\0\0\0\1\5\0\0\0\3\x83\x86\x84",  # headers
    b"\0\0\4\3\0\0\0\0\1\0\0\0\x08",  # a reset
    b"\0\0\4\x08\0\0\0\0\1\x7f\xff\xff\xff",  # a window that overflows
    b"\0\0\x08\6\0\0\0\0\0" + bytes(8),  # a ping
    b"\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0",  # a window of nothing
    b"\0\0\0\4\1\0\0\0\0",  # settings are acknowledged
    b"\0\0\5\x09\4\0\0\0\1hello",  # a continuation
    b"\0\xff\xff\0\0\0\0\0\1",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
]


class Written(asyncio.Transport):
    """A transport in memory, whose peer reads now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


def session(random: Random) -> bytes:
    """What a client sends: calls, some with a wrong body, some given up, pings, settings."""
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    http.initiate_connection()
    for _ in range(random.randint(1, 8)):
        stream = http.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"/test.Service/{random.choice(['Echo', 'Later', 'None'])}"),
            (":authority", "a"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", random.choice(["1S", "0n", "x"])),
        ]
        http.send_headers(stream, headers)
        body = framed(ASKED * random.choice([0, 1, 100]), flag=random.choice([0, 0, 0, 1]))
        for part in (body[:7], body[7:]):
            http.send_data(stream, part)
        if random.random() < 0.8:
            http.end_stream(stream)
        if random.random() < 0.2:
            http.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        if random.random() < 0.2:
            http.ping(bytes(8))
    return http.data_to_send()


def test_no_bytes_break_a_connection():
    from taskman_authz_sidecar.http2.server import Bounds, FastServer
    from taskman_authz_sidecar.http2.session import Connection

    random = Random(SEED)
    corpus = [session(random) for _ in range(30)]
    asked: list[bytes] = []

    def echo(data: bytes, _call: Call) -> bytes:
        asked.append(data)
        return data

    async def main() -> None:
        settings = Settings(transport="fast", max_message_bytes=10_000)
        bounds = Bounds.of(settings)._replace(held_bytes=HELD, idle_frames=100)
        services = {"test.Service": {"Echo": echo, "Later": Aside(echo)}}
        log = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[])
        server = FastServer(log, services, Door(log), settings, Listening(), {}, bounds)
        for _ in range(EXAMPLES):
            data = mutated(random, corpus, PIECES)
            written, connection = Written(), Connection(server.endpoint)
            connection.connection_made(written)
            try:
                while data and not written.closed:
                    cut = random.choice((1, 9, 100, 10_000))
                    connection.data_received(data[:cut])
                    data = data[cut:]
                    if random.random() < 0.05:
                        connection.pause_writing()
                        await asyncio.sleep(0)
                        connection.resume_writing()
                    assert server.endpoint.held < HELD + 100_000
                connection.eof_received()
            except Exception as error:
                raise AssertionError(f"seed {SEED}: {data!r}") from error
            finally:
                connection.connection_lost(None)
            assert (server.endpoint.calls, server.endpoint.held) == (0, 0)
            assert not server.endpoint.connections
        await server.stop(0)

    asyncio.run(main())
    assert asked
