"""Outbox and inbox in a service's own PostgreSQL database, where they share its transactions.

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE tasks ...")
        await write(connection, "task.events", Event(type="task.updated", data={...}))

`TABLES` makes both tables; a service has it in its migrations. The outbox of policies
(`store.postgres`) has the same columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from ..errors import UnavailableError
from .events import Event
from .relay import Outgoing

CHANNEL = "outbox"  # notified when something is written

TABLES = """
CREATE TABLE outbox (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    body bytea NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    told_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX outbox_waiting ON outbox (sequence) WHERE told_at IS NULL;
CREATE TABLE inbox (
    consumer text NOT NULL,
    id text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, id)
);
"""

_WRITE = "INSERT INTO outbox (id, exchange, routing_key, body) VALUES ($1::uuid, $2, $3, $4)"
_WAITING = """
SELECT id::text, exchange, routing_key, body FROM outbox
WHERE told_at IS NULL AND not_before <= now()
ORDER BY sequence LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_TOLD = "UPDATE outbox SET told_at = now() WHERE id = ANY($1::uuid[])"
# Pauses grow from a second to some minutes: a queue may yet be made.
_REFUSED = """
UPDATE outbox SET attempts = attempts + 1,
    not_before = now() + make_interval(secs => least(300, power(2, least(attempts, 10))))
WHERE id = ANY($1::uuid[])
"""
_COUNT = "SELECT count(*) FROM outbox WHERE told_at IS NULL"
_FORGET = "DELETE FROM outbox WHERE told_at < now() - make_interval(secs => $1)"
_FIRST = "INSERT INTO inbox (consumer, id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"

Connection = Any  # an asyncpg connection, or one of its pool


async def write(connection: Connection, exchange: str, event: Event) -> None:
    """Put an event into the outbox, in the transaction that it tells of."""
    await connection.execute(_WRITE, event.id, exchange, event.type, event.encode())
    await connection.execute(f"NOTIFY {CHANNEL}")  # told when the transaction is committed


async def is_first(connection: Connection, consumer: str, event: Event) -> bool:
    """Mark an event as handled, in the transaction of its effect. Whether it was not yet."""
    return await connection.fetchval(_FIRST, consumer, event.id) is not None


class PostgresOutbox:
    """The outbox of a database, for `Relay`; `role` is who may see all of it, where that is not
    whoever connects."""

    def __init__(self, pool: asyncpg.Pool, role: str | None = None) -> None:
        self._pool = pool
        self._role = role

    @asynccontextmanager
    async def batch(self, most: int) -> AsyncIterator[PostgresBatch]:
        """`Outbox.batch`: the rows stay locked until it ends. Raises UnavailableError."""
        body: BaseException | None = None
        async with self._transaction() as connection:
            rows = await connection.fetch(_WAITING, most)
            events = [Outgoing(*row) for row in rows]
            try:
                yield PostgresBatch(connection, events)
            except BaseException as error:
                body = error
        if body is not None:
            raise body

    async def wait(self, seconds: float) -> None:
        """`Outbox.wait`"""
        there_is = asyncio.Event()

        def heard(*_: object) -> None:
            there_is.set()

        with _losses():
            async with self._pool.acquire() as connection:
                await connection.add_listener(CHANNEL, heard)
                try:
                    # What was written before we listened is not heard.
                    async with connection.transaction():
                        await self._become(connection)
                        found = await connection.fetch(_WAITING, 1)
                    if not found:
                        await _at_most(seconds, there_is)
                finally:
                    await connection.remove_listener(CHANNEL, heard)

    async def waiting(self) -> int:
        """How many events wait to be told. Raises UnavailableError."""
        async with self._transaction() as connection:
            return int(await connection.fetchval(_COUNT))

    async def forget(self, seconds: float) -> None:
        """Delete what was told longer ago than this. Raises UnavailableError."""
        async with self._transaction() as connection:
            await connection.execute(_FORGET, seconds)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with _losses():
            async with self._pool.acquire() as connection, connection.transaction():
                await self._become(connection)
                yield connection

    async def _become(self, connection: Connection) -> None:
        if self._role is not None:
            await connection.execute(f'SET LOCAL ROLE "{self._role}"')


class PostgresBatch:
    """Rows of an outbox that are locked by a transaction."""

    def __init__(self, connection: Connection, events: Sequence[Outgoing]) -> None:
        self._connection = connection
        self.events = events

    async def told(self, ids: Sequence[str]) -> None:
        """`Batch.told`"""
        if ids:
            with _losses():
                await self._connection.execute(_TOLD, ids)

    async def refused(self, ids: Sequence[str]) -> None:
        """`Batch.refused`"""
        if ids:
            with _losses():
                await self._connection.execute(_REFUSED, ids)


# What a server that is down, restarted, or unreachable gives.
LOSSES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that is lost while something else waits for it
    OSError,
)


@contextmanager
def _losses() -> Iterator[None]:
    """What is lost inside is an UnavailableError."""
    try:
        yield
    except LOSSES as error:
        raise UnavailableError(f"PostgreSQL: {type(error).__name__}") from error


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
