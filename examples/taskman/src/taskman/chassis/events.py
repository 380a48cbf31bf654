"""Events: what a transaction says is told after it, what others tell has its effect once.

Laws: `say` is in the transaction that it tells of. A handler's effect and the mark that it happened
are one transaction (`once`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from taskman_authz.messaging import Event, Queue
from taskman_authz.messaging.postgres import is_first, write

from .database import Database, Transaction

Effect = Callable[[Transaction, Event], Awaitable[object]]


class Subscription(NamedTuple):
    """A queue, and what is done for each of its events."""

    queue: Queue
    handle: Callable[[Event], Awaitable[object]]


async def say(transaction: Transaction, exchange: str, *events: Event) -> None:
    """Have events told once the transaction is committed."""
    for event in events:
        await write(transaction, exchange, event)


def once(database: Database, queue: Queue, effect: Effect) -> Subscription:
    """A subscription whose effect happens once an event, however often it comes. An event of a
    company is handled as that company, one of none as the platform."""

    async def handle(event: Event) -> None:
        begun = database.company(event.company_id) if event.company_id else database.platform()
        async with begun as transaction:
            if await is_first(transaction, queue.name, event):
                await effect(transaction, event)

    return Subscription(queue, handle)
