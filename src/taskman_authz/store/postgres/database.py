"""A database of policies: its connections, its transactions, and the revision that is current.

Laws: every transaction works as one of two roles, neither of which owns a table: `authz_service`
for one company, `authz_platform` for all. Which one is set when it begins and gone when it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...limits import DEFAULT, Limits
from .connecting import pool_of, told_as_ours

if TYPE_CHECKING:
    from .connecting import Connection, Pool

POOL_SIZE = 10  # connections


class Head(NamedTuple):
    """The current revision: its number, 0 where nothing was written yet, and its content hash."""

    number: int
    content_hash: str


class Database:
    """Connections to one database: `async with await Database.connect(dsn) as database`."""

    def __init__(self, pool: Pool, limits: Limits = DEFAULT) -> None:
        self._pool = pool
        self.limits = limits

    @property
    def pool(self) -> Pool:
        """The connections, for who relays the outbox."""
        return self._pool

    @classmethod
    async def connect(
        cls, dsn: str, *, size: int = POOL_SIZE, limits: Limits = DEFAULT
    ) -> Database:
        """Connect, with up to `size` connections. The user must be a member of both roles. Raises
        ArgumentError, StoreError."""
        return cls(await pool_of(dsn, size, limits), limits)

    async def close(self) -> None:
        """Close all connections; those in use once they are not, or after a while."""
        try:
            async with asyncio.timeout(self.limits.database_seconds):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    def abandon(self) -> None:
        """Close all connections at once, and wait for nobody: for a server that does not answer."""
        self._pool.terminate()

    async def __aenter__(self) -> Database:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(
        self, company: str | None, *, reads: bool = False
    ) -> AsyncIterator[Connection]:
        """A transaction on what a company sees, or on everything (None); one that only `reads` sees
        all as it was at one moment. Raises StoreError."""
        isolation: Literal["repeatable_read", "read_committed"]
        isolation = "repeatable_read" if reads else "read_committed"
        with told_as_ours():
            async with (
                self._pool.acquire(timeout=self.limits.database_seconds) as connection,
                connection.transaction(isolation=isolation, readonly=reads),
            ):
                await become(connection, company)
                yield connection


async def become(connection: Connection, company: str | None) -> None:
    """Work for a company, or for the platform (None), to the end of the transaction."""
    role = "authz_platform" if company is None else "authz_service"
    await connection.execute(f"SET LOCAL ROLE {role}")
    await connection.execute("SELECT set_config('app.company_id', $1, true)", company or "")


async def head_of(connection: Connection, empty: str) -> Head:
    """The current revision; `empty` is the content hash of no policies. For the platform only: a
    company does not see every revision."""
    row = await connection.fetchrow(
        "SELECT number, content_hash FROM revisions ORDER BY number DESC LIMIT 1"
    )
    return Head(0, empty) if row is None else Head(row["number"], row["content_hash"])
