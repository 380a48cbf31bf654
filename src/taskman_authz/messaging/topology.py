"""Exchanges and queues, as data, and how they are declared.

    Topology(("iam.events",), (Queue("audit.iam", {"iam.events": ("iam.#",)}),))

For each queue there is a second one, `<name>.dlq`, that holds what could not be handled; such
messages go by the exchange `taskman.dlx` with the queue's name as routing key.

Laws: everything is durable, and queues are quorum queues. Declaring is safe to repeat; a queue that
exists and is another one is an error that names it, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelPreconditionFailed

from ..errors import StoreError

DEAD_LETTERS = "taskman.dlx"
# A message whose consumer dies this often is put aside by the broker itself.
DELIVERIES = 20


class Queue(NamedTuple):
    """A queue, and the patterns of routing keys that it is bound by, by exchange."""

    name: str
    bindings: Mapping[str, tuple[str, ...]]

    @property
    def dead_letters(self) -> str:
        """The queue of what could not be handled."""
        return f"{self.name}.dlq"


class Topology(NamedTuple):
    """Topic exchanges, and queues."""

    exchanges: tuple[str, ...]
    queues: tuple[Queue, ...] = ()

    async def declare(self, channel: AbstractChannel) -> None:
        """Make what is not there. Raises StoreError for what is there and is another one."""
        for name in self.exchanges:
            await _declared_exchange(channel, name, aio_pika.ExchangeType.TOPIC)
        if self.queues:
            await _declared_exchange(channel, DEAD_LETTERS, aio_pika.ExchangeType.DIRECT)
        for queue in self.queues:
            await _declared_queue(channel, queue)


async def _declared_exchange(
    channel: AbstractChannel, name: str, kind: aio_pika.ExchangeType
) -> None:
    try:
        await channel.declare_exchange(name, kind, durable=True)
    except ChannelPreconditionFailed as error:
        raise StoreError(f"the exchange `{name}` is another one: {error}") from error


async def _declared_queue(channel: AbstractChannel, queue: Queue) -> None:
    try:
        aside = await channel.declare_queue(
            queue.dead_letters, durable=True, arguments={"x-queue-type": "quorum"}
        )
        await aside.bind(DEAD_LETTERS, queue.name)
        made = await channel.declare_queue(
            queue.name,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERIES,
                "x-dead-letter-exchange": DEAD_LETTERS,
                "x-dead-letter-routing-key": queue.name,
                # Put aside at least once: without it a broker that dies in between loses it.
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
    except ChannelPreconditionFailed as error:
        raise StoreError(f"the queue `{queue.name}` is another one: {error}") from error
    for exchange, patterns in queue.bindings.items():
        for pattern in patterns:
            await made.bind(exchange, pattern)
