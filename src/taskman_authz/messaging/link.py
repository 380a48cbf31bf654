"""A connection to RabbitMQ that is made again when it is lost.

Law: who works over a link is told of a loss by an exception in what it awaits, and begins anew;
nothing is hidden from it, so nothing that was not confirmed counts as done.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPException, ChannelInvalidStateError

from ..errors import UnavailableError

# What a broker that is down, restarted, or unreachable gives.
LOSSES = (AMQPException, ChannelInvalidStateError, OSError, asyncio.TimeoutError)

# What goes wrong is told to `on_problem`, once; aio-pika would also write it to standard error.
for _name in ("aio_pika", "aiormq"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

Work = Callable[[AbstractChannel], Coroutine[Any, Any, object]]
Problem = Callable[..., object]  # a logger's method: message, and fields by name


class Link:
    """Connections to the broker at `url` (`amqp://user:password@host:port/vhost`)."""

    def __init__(
        self,
        url: str,
        name: str = "taskman-authz",
        *,
        timeout: float = 5.0,
        longest_pause: float = 2.0,
        on_problem: Problem | None = None,
    ) -> None:
        self._url = url
        self._name = name
        self._timeout = timeout
        self._longest = longest_pause
        self._tell = on_problem
        self.is_up = False

    async def once(self, work: Work, prefetch: int = 0) -> None:
        """Do `work` over a channel with publisher confirms, which is lost with its connection.
        Raises UnavailableError where the broker cannot be reached or is lost on the way."""
        try:
            await self._work(work, prefetch)
        except LOSSES as error:
            raise UnavailableError(f"RabbitMQ: {_told(error)}") from error

    async def always(self, work: Work, prefetch: int = 0) -> NoReturn:
        """Do `work`, and again over another connection when it ends or one is lost; until
        cancelled. Pauses grow from 50 ms and vary at random."""
        pause = 0.05
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._work(work, prefetch)
            except (*LOSSES, UnavailableError) as error:
                if self._tell is not None:
                    self._tell("events wait", why=_told(error))
            if asyncio.get_running_loop().time() - began > self._longest:
                pause = 0.05  # it worked for a while
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, self._longest)

    async def _work(self, work: Work, prefetch: int) -> None:
        connection = await aio_pika.connect(
            self._url,
            timeout=self._timeout,
            client_properties={"connection_name": self._name},
        )
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            if prefetch:
                await channel.set_qos(prefetch_count=prefetch)
            self.is_up = True
            await _until_lost(connection, work(channel))
        finally:
            self.is_up = False
            await _closed(connection)


async def _until_lost(connection: AbstractConnection, work: Coroutine[Any, Any, object]) -> None:
    """Await `work`; where the connection is lost first, give it up and raise that."""
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(_connection: object, error: BaseException | None) -> None:
        if not lost.done():
            lost.set_exception(error or ConnectionError("closed"))

    connection.close_callbacks.add(tell)
    working = asyncio.create_task(work)
    try:
        first: set[asyncio.Future[Any]] = {working, lost}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        (working if working.done() else lost).result()
    finally:
        connection.close_callbacks.discard(tell)
        if not lost.done():
            lost.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


async def _closed(connection: AbstractConnection) -> None:
    """Close a connection that may be lost already."""
    try:
        await asyncio.wait_for(connection.close(), 2)
    except LOSSES:
        return


def _told(error: BaseException) -> str:
    """What went wrong, without the URL, which holds a password."""
    if isinstance(error, UnavailableError):
        return str(error)
    return str(getattr(error, "reason", "") or "") or type(error).__name__
