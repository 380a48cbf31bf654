"""What could not be handled: looked at, handled again, or dropped.

Law: a message leaves its queue when another one has confirmed it, or when it is dropped by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from ..errors import StoreError

SUFFIX = ".dlq"
MOST = 10_000  # messages that are looked at in one go


class DeadLetter(NamedTuple):
    """A message that was put aside."""

    id: str
    queue: str  # where it could not be handled
    routing_key: str
    reason: str
    attempts: int
    body: bytes


class DeadLetters:
    """The messages that were put aside for some queue, over a channel."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel = channel
        self.queue = queue.removesuffix(SUFFIX)

    async def count(self) -> int:
        """How many there are. Raises StoreError where there is no such queue."""
        try:
            found = await self._channel.declare_queue(f"{self.queue}{SUFFIX}", passive=True)
        except ChannelNotFoundEntity:
            raise StoreError(f"there is no queue `{self.queue}{SUFFIX}`") from None
        return found.declaration_result.message_count or 0

    async def show(self, most: int = MOST) -> list[DeadLetter]:
        """Some of them, the oldest first. They stay."""
        found = []
        async with self._taken(most) as messages:
            async for message in messages:
                found.append(_letter(message, self.queue))
        return found

    async def replay(self, ids: Collection[str] | None = None, most: int = MOST) -> int:
        """Put messages back into the queue that they come from: those with these ids, or all. How
        many."""
        done = 0
        async with self._taken(most) as messages:
            async for message in messages:
                if ids is None or (message.message_id or "") in ids:
                    await self._channel.default_exchange.publish(
                        _again(message), self.queue, mandatory=True, timeout=5
                    )
                    await message.ack()
                    done += 1
        return done

    async def drop(self, ids: Collection[str] | None = None, most: int = MOST) -> int:
        """Throw messages away: those with these ids, or all. How many."""
        done = 0
        async with self._taken(most) as messages:
            async for message in messages:
                if ids is None or (message.message_id or "") in ids:
                    await message.ack()
                    done += 1
        return done

    @asynccontextmanager
    async def _taken(self, most: int) -> AsyncIterator[AsyncIterator[AbstractIncomingMessage]]:
        """The messages that are there now, one by one. What is not acknowledged goes back."""
        count = min(most, await self.count())
        queue = await self._channel.get_queue(f"{self.queue}{SUFFIX}", ensure=False)
        held: list[AbstractIncomingMessage] = []

        async def each() -> AsyncIterator[AbstractIncomingMessage]:
            for _ in range(count):
                message = await queue.get(fail=False)
                if message is None:
                    return
                held.append(message)
                yield message

        try:
            yield each()
        finally:
            if not self._channel.is_closed:
                await self._put_back([each for each in held if not each.processed])

    async def _put_back(self, messages: list[AbstractIncomingMessage]) -> None:
        # What goes back to a quorum queue is given out again in the order in which it came back.
        for message in messages:
            await message.nack(requeue=True)
        # A quorum queue takes them back some time later; the next look must find them.
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while await self.count() < len(messages):
                    await asyncio.sleep(0.01)


def _letter(message: AbstractIncomingMessage, queue: str) -> DeadLetter:
    headers = message.headers
    deaths = headers.get("x-death")
    reason, attempts = headers.get("x-reason"), headers.get("x-attempts")
    if reason is None and isinstance(deaths, list) and deaths and isinstance(deaths[0], dict):
        reason = f"put aside by the broker: {deaths[0].get('reason')!s}"
    key = headers.get("x-routing-key") or message.type or message.routing_key
    return DeadLetter(
        message.message_id or "",
        queue,
        str(key or ""),
        str(reason or "unknown"),
        attempts if isinstance(attempts, int) else 0,
        message.body,
    )


def _again(message: AbstractIncomingMessage) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        message_id=message.message_id,
        type=str(message.headers.get("x-routing-key") or message.type or ""),
        content_type=message.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
