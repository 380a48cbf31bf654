"""What an outbox holds is told to the broker, until it has all of it.

Laws: an event leaves the outbox when the broker has confirmed it and some queue has it. What is
lost between the two is told again, with the same id. Several relays may work on one outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, NoReturn, Protocol

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange
from aio_pika.exceptions import DeliveryError

from .link import Link, Problem
from .topology import Topology

BATCH = 100  # events that are under way at once


class Outgoing(NamedTuple):
    """An event as it lies in an outbox."""

    id: str
    exchange: str
    routing_key: str
    body: bytes


class Batch(Protocol):
    """Events that nobody else tells meanwhile."""

    @property
    def events(self) -> Sequence[Outgoing]:
        """The oldest ones first."""
        ...

    async def told(self, ids: Sequence[str]) -> None:
        """These are told, and need not be again."""
        ...

    async def refused(self, ids: Sequence[str]) -> None:
        """No queue takes these: they wait, and do not stand in the way of others."""
        ...


class Outbox(Protocol):
    """Where events wait to be told."""

    def batch(self, most: int) -> AbstractAsyncContextManager[Batch]:
        """Some of the events. Whatever was not told when it ends waits on."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until there is something new, perhaps; at most so long."""
        ...


class Relay:
    """Tells the events of `outbox` over `link`, after declaring `topology`, if it is given."""

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        *,
        topology: Topology | None = None,
        interval: float = 1.0,
        timeout: float = 5.0,
        on_problem: Problem | None = None,
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._topology = topology
        self._interval = interval
        self._timeout = timeout
        self._tell = on_problem
        self.told = self.refused = 0

    async def run(self) -> NoReturn:
        """Tell events as they come, until cancelled. Raises StoreError for an exchange that is
        another one."""
        await self._link.always(self._work)

    async def _work(self, channel: AbstractChannel) -> None:
        if self._topology is not None:
            await self._topology.declare(channel)
        exchanges: dict[str, AbstractExchange] = {}
        while True:
            async with self._outbox.batch(BATCH) as batch:
                told, refused = await self._publish(channel, exchanges, batch.events)
                await batch.told(told)
                await batch.refused(refused)
            self.told += len(told)
            self.refused += len(refused)
            if not batch.events:
                await self._outbox.wait(self._interval)

    async def _publish(
        self,
        channel: AbstractChannel,
        exchanges: dict[str, AbstractExchange],
        events: Sequence[Outgoing],
    ) -> tuple[list[str], list[str]]:
        """Publish events, in their order. The ids of those that are confirmed, and of those that
        no queue takes."""
        for event in events:
            if event.exchange not in exchanges:
                exchanges[event.exchange] = await channel.get_exchange(event.exchange, ensure=False)
        results = await asyncio.gather(
            *(self._one(exchanges[event.exchange], event) for event in events),
            return_exceptions=True,
        )
        told, refused = [], []
        for event, result in zip(events, results, strict=True):
            if isinstance(result, DeliveryError):
                refused.append(event.id)
                if self._tell is not None:
                    self._tell("no queue takes an event", event_type=event.routing_key, id=event.id)
            elif isinstance(result, BaseException):
                raise result
            else:
                told.append(event.id)
        return told, refused

    async def _one(self, exchange: AbstractExchange, event: Outgoing) -> None:
        message = aio_pika.Message(
            event.body,
            message_id=event.id,
            type=event.routing_key,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await exchange.publish(message, event.routing_key, mandatory=True, timeout=self._timeout)
