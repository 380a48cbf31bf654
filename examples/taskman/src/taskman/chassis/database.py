"""A service's database: transactions that see one company, by row-level security.

Laws: every transaction works as one of two roles that own nothing. `taskman_service` sees the rows
of the company that is set when the transaction begins; `taskman_platform` sees all, and is for what
belongs to no company yet (who signs in) or to every one (jobs). No statement runs outside. Whoever
has a transaction takes no other one beside it: many who did would wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from taskman_authz_sidecar.secrets.leases import Leased

from taskman_authz.store.postgres import known, migrate

from .errors import Unavailable

if TYPE_CHECKING:
    Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

Transaction: TypeAlias = Any  # an asyncpg connection, in a transaction
SERVICE, PLATFORM = "taskman_service", "taskman_platform"
# What a server that is down, restarted, or unreachable gives.
LOSSES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    OSError,  # and TimeoutError, which is one
)
_HELD: ContextVar[bool] = ContextVar("held", default=False)  # whether this task has a transaction
_BEGIN = "SELECT set_config('role', $1, true), set_config('app.company_id', $2, true)"


class Database:
    """Connections to one database."""

    def __init__(self, pool: Pool, timeout: float) -> None:
        self.pool = pool
        self._timeout = timeout

    @classmethod
    async def connect(
        cls, dsn: str, size: int, timeout: float, leased: Leased | None = None
    ) -> Database:
        """Up to `size` connections; no statement takes longer than `timeout` seconds. `leased` is
        who we are then, where the DSN does not say."""

        async def connect(*given: Any, **more: Any) -> Any:
            if leased is not None:
                more |= (await asyncio.to_thread(leased.user))._asdict()
            return await asyncpg.connect(*given, **more)

        given: Any = {"min_size": 1, "max_size": size, "command_timeout": timeout}
        return cls(await asyncpg.create_pool(dsn, connect=connect, **given), timeout)

    @asynccontextmanager
    async def company(self, company_id: str) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes the rows of a company. Raises Unavailable."""
        async with self._begun(SERVICE, company_id) as connection:
            yield connection

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes all rows. Raises Unavailable."""
        async with self._begun(PLATFORM, "") as connection:
            yield connection

    @asynccontextmanager
    async def _begun(self, role: str, company_id: str) -> AsyncIterator[Transaction]:
        if _HELD.get():
            raise RuntimeError("a transaction beside one that is held")
        held = _HELD.set(True)
        try:
            async with (
                self.pool.acquire(timeout=self._timeout) as connection,
                connection.transaction(),
            ):
                await connection.execute(_BEGIN, role, company_id)
                yield connection
        except LOSSES as error:
            raise Unavailable("the database does not answer") from error
        finally:
            _HELD.reset(held)

    async def close(self) -> None:
        """Close all connections."""
        await self.pool.close()


async def prepare(dsn: str, package: str) -> None:
    """Apply the migrations of the chassis, then those of the service `package`. Raises
    StoreError."""
    chassis = __package__ or ""
    await migrate(dsn, known(f"{chassis}.migrations"), "chassis_migrations")
    await migrate(dsn, known(f"{package}.migrations"), "migrations")
