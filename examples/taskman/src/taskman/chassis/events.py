"""Events: what a transaction says is told after it, what others tell has its effect once.

Laws: `say` is in the transaction that it tells of. A handler's effect and the mark that it happened
are one transaction (`once`). That somebody who is needed does not answer is no fault of the event:
it waits for them. One that fails otherwise is put aside in the end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from taskman_authz.messaging import Event, Queue
from taskman_authz.messaging.postgres import is_first, write

from .database import Database, Transaction
from .errors import Unavailable

LONGEST_PAUSE = 5.0  # seconds until an event is tried again
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

    async def attempt(event: Event) -> None:
        begun = database.company(event.company_id) if event.company_id else database.platform()
        async with begun as transaction:
            if await is_first(transaction, queue.name, event):
                await effect(transaction, event)

    async def handle(event: Event) -> None:
        pause = 0.1
        while True:
            try:
                return await attempt(event)
            except Unavailable:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, LONGEST_PAUSE)

    return Subscription(queue, handle)
