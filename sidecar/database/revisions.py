"""The policies of a database as the sidecar reads them: once before there is an event loop, and in
one afterwards.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.limits import Limits
from taskman_authz.policy import PolicySet
from taskman_authz.store.postgres import Compiled, Head, PostgresStore

from .cache import PolicyCache
from .connecting import Connecting, ReadDSN, connect

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

CONNECTIONS = 2  # one look at a time, and one that is being given up


class RevisionStore:
    """What `dsn` names. `cache` is asked where that is not there at the start. `age`: for how many
    seconds what was given at the start had not been known to be current."""

    def __init__(
        self, dsn: ReadDSN, limits: Limits, cache: PolicyCache | None, log: FilteringBoundLogger
    ) -> None:
        self._dsn = dsn
        self._limits = limits
        self._cache = cache
        self._log = log
        self._connecting = Connecting(dsn, limits, CONNECTIONS)
        self._last: Compiled | None = None
        self.age = 0.0

    # -- before there is a loop -------------------------------------------------------------------

    def load(self) -> list[tuple[str, str]]:
        """The documents. Raises StoreError."""

        async def load() -> list[tuple[str, str]]:
            async with await connect(self._dsn, self._limits, 1) as database:
                return (await PostgresStore(database).load()).documents

        return asyncio.run(load())

    def policies(self) -> PolicySet:
        """The current revision, or what the cache has. Nothing stays open. Raises StoreError,
        CompileError."""
        self.age = 0.0
        try:
            return asyncio.run(self._read_once())
        except (StoreError, CompileError) as error:
            if self._cache is None or not self._cache.is_there():
                raise
            policies, self.age = self._cache.read()
            self._log.error(
                "the policies of the database cannot be had, those of the cache are in place",
                why=str(error),
                revision=policies.revision,
                age=round(self.age, 3),
            )
            return policies

    def fingerprint(self) -> str:
        """Nothing that is known without asking: who follows looks at `head`."""
        return ""

    async def _read_once(self) -> PolicySet:
        async with await connect(self._dsn, self._limits, 1) as database:
            return (await PostgresStore(database).compiled()).policies

    # -- in one loop ------------------------------------------------------------------------------

    async def head(self) -> Head:
        """The current revision. Raises StoreError."""
        try:
            return await PostgresStore(await self._connecting.get()).head()
        except StoreError:
            self._connecting.drop()
            raise

    async def newest(self) -> PolicySet:
        """The policies of the current revision. Raises StoreError, CompileError."""
        database = await self._connecting.get()
        self._last = await PostgresStore(database).compiled(self._last)
        return self._last.policies

    def close(self) -> None:
        """Give up the connections."""
        self._connecting.drop()
