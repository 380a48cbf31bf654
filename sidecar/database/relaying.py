"""The events of the database, told to RabbitMQ by whoever is asked to, and counted.

Laws: several may relay at a time, for an event is told by who holds its row. What was told is
forgotten after a day. Whatever fails is tried again until it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from aio_pika.abc import AbstractChannel

from taskman_authz.errors import AuthzError, StoreError, UnavailableError
from taskman_authz.limits import Limits
from taskman_authz.messaging import Batch, DeadLetters, Link, Relay, Topology
from taskman_authz.messaging.postgres import PostgresOutbox

from .connecting import Connecting, ReadDSN

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

TOPOLOGY = Topology(("iam.events",))
ROLE = "authz_platform"  # of the database: it sees the events of all companies
CONNECTIONS = 4  # telling, waiting for more, counting, and one that is being given up
COUNT = 2.0  # seconds between counts
ASIDE = 15.0  # seconds between counts of what was put aside
FORGET = 600.0  # seconds between forgettings
AGE = 86_400.0  # seconds after which what was told is forgotten
PAUSE = 1.0  # seconds until what failed is tried again


class Counts(NamedTuple):
    """Events that wait (None: nobody knows now), those told and refused so far, and messages that
    were put aside, by queue."""

    waiting: int | None
    told: int
    refused: int
    put_aside: dict[str, int]


class Relaying:
    """Tells what the outbox of the database holds over `link`. `tell` learns of counts; of `queues`
    what was put aside is counted."""

    def __init__(
        self,
        dsn: ReadDSN,
        limits: Limits,
        link: Link,
        log: FilteringBoundLogger,
        tell: Callable[[Counts], object],
        queues: Sequence[str] = (),
    ) -> None:
        self._outbox = _Outbox(Connecting(dsn, limits, CONNECTIONS))
        self._relay = Relay(self._outbox, link, topology=TOPOLOGY, on_problem=log.warning)
        self._link = link
        self._log = log
        self._tell = tell
        self._queues = queues
        self._put_aside: dict[str, int] = {}

    def tasks(self) -> list[Coroutine[Any, Any, object]]:
        """What goes on, until cancelled."""
        tasks: list[Coroutine[Any, Any, object]] = [
            self._run(),
            self._always(self._count, COUNT),
            self._always(self._forget, FORGET),
        ]
        return [*tasks, self._always(self._count_aside, ASIDE)] if self._queues else tasks

    def close(self) -> None:
        """Give up the connections."""
        self._outbox.drop()

    async def _run(self) -> NoReturn:
        while True:
            try:
                await self._relay.run()
            except Exception as error:  # no tables yet, an exchange of another kind
                self._log.error("events cannot be told", why=_told(error))
                self._outbox.drop()
                await asyncio.sleep(PAUSE)

    async def _always(
        self, what: Callable[[], Coroutine[Any, Any, object]], pause: float
    ) -> NoReturn:
        while True:
            try:
                await what()
            except Exception as error:  # to stop would be worse than any one failure
                self._log.debug("not counted, or not forgotten", why=_told(error))
            await asyncio.sleep(pause * random.uniform(0.9, 1.1))

    async def _count(self) -> None:
        waiting = None
        try:
            waiting = await (await self._outbox.get()).waiting()
        finally:
            relay = self._relay
            self._tell(Counts(waiting, relay.told, relay.refused, self._put_aside))

    async def _forget(self) -> None:
        await (await self._outbox.get()).forget(AGE)

    async def _count_aside(self) -> None:
        found: dict[str, int] = {}
        for queue in self._queues:
            # One that there is not yet has nothing aside.
            with contextlib.suppress(UnavailableError, StoreError):
                await self._link.once(partial(_count_letters, queue, found))
        self._put_aside = found


async def _count_letters(queue: str, found: dict[str, int], channel: AbstractChannel) -> None:
    letters = DeadLetters(channel, queue)
    found[letters.queue] = await letters.count()


class _Outbox:
    """The outbox, over connections that are made anew when they were lost."""

    def __init__(self, connecting: Connecting) -> None:
        self._connecting = connecting
        self.drop = connecting.drop

    async def get(self) -> PostgresOutbox:
        """The outbox now. Raises UnavailableError."""
        try:
            database = await self._connecting.get()
        except StoreError as error:
            raise UnavailableError(f"PostgreSQL: {error}") from error
        return PostgresOutbox(database.pool, ROLE)

    @contextlib.asynccontextmanager
    async def batch(self, most: int) -> AsyncIterator[Batch]:
        """`Outbox.batch`"""
        outbox = await self.get()
        async with self._dropping(), outbox.batch(most) as batch:
            yield batch

    async def wait(self, seconds: float) -> None:
        """`Outbox.wait`"""
        outbox = await self.get()
        async with self._dropping():
            await outbox.wait(seconds)

    @contextlib.asynccontextmanager
    async def _dropping(self) -> AsyncIterator[None]:
        try:
            yield
        except (UnavailableError, TimeoutError):
            self._connecting.drop()
            raise


def _told(error: Exception) -> str:
    """What went wrong; of errors of others, whose text may hold a value, the kind."""
    return str(error) if isinstance(error, AuthzError) else type(error).__name__
