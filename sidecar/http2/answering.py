"""What becomes of a call: one answer, one that takes long, or many.

Laws: whatever a method is, the door is passed first. An answer to who has gone is dropped.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import re
import zlib
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from ..authorization import Aside, Later, Served, Stream
from ..door import Door
from ..faces import Face
from ..status import Code, Status
from ..trailers import trailers
from .session import Connection, Exchange, Route

if TYPE_CHECKING:
    from ..settings import Settings

# What zlib calls the forms of a compressed message, by their names in gRPC.
_FORMS = {b"gzip": 31, b"deflate": 15}
_LEVEL = 6
_PRINTED = re.compile(rb"[^ -$&-~]")


class Answering:
    """Answers calls of connections."""

    def __init__(self, settings: Settings) -> None:
        self._longest = settings.max_reply_bytes
        self._longest_asked = settings.max_message_bytes
        self._compresses = settings.compression == "gzip"
        # An answer that is no longer than this is sent as it is.
        self.plain_bytes = -1 if self._compresses else self._longest
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._tasks: set[asyncio.Future[Any]] = set()

    def route(self, face: Face, name: str, served: Served, door: Door) -> Route:
        """The route to a method, which passes this door."""
        way = None
        if isinstance(served, Stream):
            way = self._stream
        elif isinstance(served, Aside):
            way = self._wait
        elif isinstance(served, Later):
            way = self._await
        return Route(face, name, served, door, way)

    def answer(self, connection: Connection, exchange: Exchange) -> None:
        """Answer a call whose request is whole, now or later."""
        route, data = exchange.route, exchange.message
        if exchange.is_compressed:
            unpacked = unpack(data, exchange.encoding, self._longest_asked)
            if isinstance(unpacked, Status):
                return refuse(connection, exchange, unpacked)
            data = unpacked
        if route.way is not None:
            route.way(connection, exchange, data)
        else:
            self.end(connection, exchange, route.door.answer(exchange, route.served, data))

    def stop(self) -> None:
        """Begin nothing more."""
        self._aside.shutdown(wait=False, cancel_futures=True)

    def end(self, connection: Connection, exchange: Exchange, answer: bytes | Status) -> None:
        """Give the one answer, or say why there is none."""
        if isinstance(answer, Status):
            refuse_by = exchange.route.face.refuse
            if refuse_by is None:
                return refuse(connection, exchange, answer)
            answer = refuse_by(answer)
        if len(answer) > self._longest:
            message = f"the answer is longer than {self._longest} bytes"
            refuse(connection, exchange, Status(Code.RESOURCE_EXHAUSTED, message))
        elif self._compresses and b"gzip" in (exchange.accepted or b""):
            connection.respond(exchange, gzip.compress(answer, _LEVEL, mtime=0), True)
        else:
            connection.respond(exchange, answer)

    def _wait(self, connection: Connection, exchange: Exchange, data: bytes) -> None:
        door, served = exchange.route.door, cast(Aside, exchange.route.served)
        loop = asyncio.get_running_loop()
        found = loop.run_in_executor(self._aside, door.answer, exchange, served.method, data)
        exchange.on_close = found.cancel
        self._keep(found)

        def done(found: asyncio.Future[bytes | Status]) -> None:
            if not found.cancelled():
                self.end(connection, exchange, found.result())

        found.add_done_callback(done)

    def _await(self, connection: Connection, exchange: Exchange, data: bytes) -> None:
        door, served = exchange.route.door, cast(Later, exchange.route.served)

        async def answer() -> None:
            found = await door.answer_later(exchange, served.method, data)
            self.end(connection, exchange, found)

        task = asyncio.get_running_loop().create_task(answer())
        exchange.on_close = task.cancel
        self._keep(task)

    def _stream(self, connection: Connection, exchange: Exchange, data: bytes) -> None:
        door, served = exchange.route.door, cast(Stream, exchange.route.served)
        answers = door.answer(exchange, served.method, data)
        if isinstance(answers, Status):
            return refuse(connection, exchange, answers)
        telling = _tell(connection, exchange, cast("AsyncGenerator[bytes]", answers))
        task = asyncio.get_running_loop().create_task(telling)
        exchange.on_close = task.cancel
        self._keep(task)

    def _keep(self, task: asyncio.Future[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _tell(connection: Connection, exchange: Exchange, answers: AsyncGenerator[bytes]) -> None:
    """Send answers one after another, each when the former has been taken."""
    taken = asyncio.Event()
    exchange.on_taken = taken.set
    try:
        async with aclosing(answers):
            async for answer in answers:
                taken.clear()
                connection.send(exchange, answer)
                await taken.wait()
    except Exception as error:
        refuse(connection, exchange, exchange.route.door.refuse(exchange, error))
    else:
        connection.end(exchange)


def refuse(connection: Connection, exchange: Exchange, status: Status) -> None:
    """End a call with a status."""
    more = tuple((name.encode(), _value(value)) for name, value in trailers(status))
    connection.refuse(exchange, status.code.number, percent_encoded(status.message), more)


def percent_encoded(text: str) -> bytes:
    """A message as `grpc-message` has it."""
    data = text.encode("utf-8", "replace")
    return _PRINTED.sub(lambda found: b"%%%02X" % found[0][0], data)


def unpack(data: bytes, encoding: bytes | None, longest: int) -> bytes | Status:
    """A message that was compressed, or what is wrong with it."""
    form = _FORMS.get(encoding or b"")
    if form is None:
        if encoding in (None, b"identity"):
            return Status(Code.INTERNAL, "the message is compressed, and its encoding is not told")
        return Status(Code.UNIMPLEMENTED, "the encoding of the message is not known")
    reader = zlib.decompressobj(form)
    try:
        unpacked = reader.decompress(data, longest + 1)
    except zlib.error:
        return Status(Code.INTERNAL, "the message cannot be unpacked")
    if len(unpacked) > longest:
        return Status(Code.RESOURCE_EXHAUSTED, f"the message is longer than {longest} bytes")
    if not reader.eof or reader.unused_data:
        return Status(Code.INTERNAL, "the message cannot be unpacked")
    return unpacked


def _value(value: str | bytes) -> bytes:
    """A trailer's: bytes are in base64, without padding."""
    return value.encode() if isinstance(value, str) else base64.b64encode(value).rstrip(b"=")
