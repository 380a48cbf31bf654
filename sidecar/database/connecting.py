"""A database that is connected to when it is needed.

Law: the DSN is read again for each connection that is made, for who keeps it may have changed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from taskman_authz.errors import AuthzError, StoreError
from taskman_authz.limits import Limits
from taskman_authz.store.postgres import Database

ReadDSN = Callable[[], str]  # it may block; raises AuthzError


class Connecting:
    """Up to `size` connections to what `dsn` names, in one event loop."""

    def __init__(self, dsn: ReadDSN, limits: Limits, size: int) -> None:
        self._dsn = dsn
        self._limits = limits
        self._size = size
        self._database: Database | None = None
        self._connecting = asyncio.Lock()

    async def get(self) -> Database:
        """The database, connected to. Raises StoreError."""
        async with self._connecting:
            if self._database is None:
                self._database = await connect(self._dsn, self._limits, self._size)
            return self._database

    def drop(self) -> None:
        """Give up the connections: the next who asks makes new ones."""
        if self._database is not None:
            self._database.abandon()
            self._database = None


async def connect(dsn: ReadDSN, limits: Limits, size: int) -> Database:
    """Connect. Raises StoreError."""
    try:
        return await Database.connect(await asyncio.to_thread(dsn), size=size, limits=limits)
    except StoreError:
        raise
    except AuthzError as error:
        raise StoreError(str(error)) from None
