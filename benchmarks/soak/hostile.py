"""Connections that send what no client should: sessions of HTTP/2 with changes, in pieces, some
left open, some not read. What they are answered is nobody's business; that others are answered is.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Sequence
from random import Random

import h2.config
import h2.connection
import h2.errors

from taskman_authz.wire import SERVICE
from tests.fuzz.mutation import mutated
from tests.sidecar.raw import framed

CONNECTIONS = 4  # at a time
SESSIONS = 50
LINGER = 0.2  # seconds that one waits for an answer at most
IN_TLS = 0.8  # of the connections where TLS is spoken
REST = 0.01  # seconds between two connections of one
PATHS = ("Check", "BatchCheck", "Explain", "WatchRevisions", "None")
PIECES = [
    b"\0\0\0\0\1\0\0\0\1",  # data that ends a call
    b"\0\0\0\1\5\0\0\0\3\x83\x86\x84",  # headers
    b"\0\0\4\3\0\0\0\0\1\0\0\0\x08",  # a reset
    b"\0\0\4\x08\0\0\0\0\1\x7f\xff\xff\xff",  # a window that overflows
    b"\0\0\x08\6\0\0\0\0\0" + bytes(8),  # a ping
    b"\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0",  # a window of nothing
    b"\xff\xff\xff\xff",
]


class Hostile:
    """Sends to `address` for as long as `run` runs; `counts` says how many connections there
    were. Where there is a `root` of it, most are in TLS, and the others in plain all the same."""

    def __init__(
        self, address: str, root: bytes | None, messages: Sequence[bytes], counts: Counter[str]
    ) -> None:
        self._tls: ssl.SSLContext | None = None
        if root is not None:
            self._tls = ssl.create_default_context(cadata=root.decode())
            self._tls.set_alpn_protocols(["h2"])
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self._random = Random(1)
        self._corpus = [_session(self._random, messages) for _ in range(SESSIONS)]
        self._counts = counts

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._go_on())

    async def _go_on(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                await self._connect()
            await asyncio.sleep(REST)

    async def _connect(self) -> None:
        tls = self._tls if self._random.random() < IN_TLS else None
        reader, writer = await asyncio.open_connection(*self._address, ssl=tls)
        self._counts["hostile connections"] += 1
        try:
            data = mutated(self._random, self._corpus, PIECES)
            cut = self._random.choice((9, 100, 10_000))
            for start in range(0, len(data), cut):
                writer.write(data[start : start + cut])
                await writer.drain()
            if self._random.random() < 0.8:
                async with asyncio.timeout(LINGER):
                    while await reader.read(65_536):
                        pass
        finally:
            writer.transport.abort()


def _session(random: Random, messages: Sequence[bytes]) -> bytes:
    """What a client sends: calls, some with a wrong body, some given up, pings."""
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    http.initiate_connection()
    for _ in range(random.randint(1, 8)):
        stream = http.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"/{SERVICE}/{random.choice(PATHS)}"),
            (":authority", "a"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", random.choice(["1S", "0n", "x"])),
        ]
        http.send_headers(stream, headers)
        body = framed(random.choice(messages), flag=random.choice([0, 0, 0, 1]))
        for part in (body[:7], body[7:]):
            http.send_data(stream, part)
        if random.random() < 0.8:
            http.end_stream(stream)
        if random.random() < 0.2:
            http.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        if random.random() < 0.2:
            http.ping(bytes(8))
    return http.data_to_send()
