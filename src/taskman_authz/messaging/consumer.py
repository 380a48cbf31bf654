"""Events are handled: each as often as it must be, and no more often than it may.

Laws: a message is acknowledged when its handler is through, or when it lies aside with the reason.
A handler that fails is tried again, after growing pauses, `Retries.attempts` times in all. What is
no event, or fails in the end, is put aside, and the queue goes on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, NoReturn

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from ..errors import RequestError
from .events import Event
from .link import Link, Problem
from .topology import DEAD_LETTERS, Queue, Topology

Handler = Callable[[Event], Awaitable[object]]
PREFETCH = 50  # messages that are handled at once
TIMEOUT = 5.0  # seconds for an answer of the broker


class Retries(NamedTuple):
    """How often a handler is tried, and the pauses between: the first, doubled each time."""

    attempts: int = 5
    pause: float = 0.1  # seconds
    longest: float = 10.0  # seconds


RETRIES = Retries()


class Consumer:
    """Has the events of a queue handled by `handler`, over `link`, after declaring `topology`."""

    def __init__(
        self,
        queue: Queue,
        handler: Handler,
        link: Link,
        topology: Topology,
        *,
        retries: Retries = RETRIES,
        prefetch: int = PREFETCH,
        on_problem: Problem | None = None,
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._link = link
        self._topology = topology
        self._retries = retries
        self._prefetch = prefetch
        self._tell = on_problem
        self.handled = self.retried = self.put_aside = 0

    async def run(self) -> NoReturn:
        """Handle events as they come, until cancelled."""
        await self._link.always(self._work, self._prefetch)

    async def _work(self, channel: AbstractChannel) -> None:
        await self._topology.declare(channel)
        queue = await channel.get_queue(self._queue.name, ensure=False)
        aside = await channel.get_exchange(DEAD_LETTERS, ensure=False)
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def take(message: AbstractIncomingMessage) -> None:
            try:
                await self._take(message, aside)
            except Exception as error:  # the channel's: all begins anew over another one
                if not failed.done():
                    failed.set_exception(error)

        tag = await queue.consume(take, timeout=TIMEOUT)
        try:
            await failed
        finally:
            if not channel.is_closed:
                await queue.cancel(tag)

    async def _take(
        self, message: AbstractIncomingMessage, aside: aio_pika.abc.AbstractExchange
    ) -> None:
        try:
            event = Event.decode(message.body)
        except RequestError as error:
            await self._put_aside(message, aside, error, 1)
        else:
            for attempt in range(1, self._retries.attempts + 1):
                try:
                    await self._handler(event)
                except Exception as error:  # whatever it was, the next event must be handled
                    if attempt == self._retries.attempts:
                        await self._put_aside(message, aside, error, attempt)
                        break
                    self.retried += 1
                    await asyncio.sleep(self._pause(attempt))
                else:
                    self.handled += 1
                    break
        await message.ack()

    def _pause(self, attempt: int) -> float:
        pause = self._retries.pause * 2.0 ** (attempt - 1)
        return min(pause, self._retries.longest) * random.uniform(0.5, 1.0)

    async def _put_aside(
        self,
        message: AbstractIncomingMessage,
        aside: aio_pika.abc.AbstractExchange,
        error: Exception,
        attempts: int,
    ) -> None:
        headers: dict[str, Any] = {
            "x-reason": f"{type(error).__name__}: {error}"[:1_000],
            "x-attempts": attempts,
            "x-exchange": message.exchange or "",
            "x-routing-key": message.routing_key or "",
        }
        kept = aio_pika.Message(
            message.body,
            headers=headers,
            message_id=message.message_id,
            type=message.type,
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await aside.publish(kept, self._queue.name, mandatory=True, timeout=TIMEOUT)
        self.put_aside += 1
        if self._tell is not None:
            self._tell(
                "an event was put aside",
                event_type=message.routing_key,
                id=message.message_id,
                queue=self._queue.dead_letters,
                attempts=attempts,
                why=type(error).__name__,
            )
