"""The policies of a store, followed: loaded again when they change.

Laws: a set that does not load leaves the last good one in place; everything that is wrong with it
is logged, and `on_state(False)` says that what is in place is not what is in the store, until a
later set loads. A store that is still being written is left to settle, but not for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.store import Compiled, Fingerprinted, Store

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# A file is seldom written in one step, and half a document may compile without its last policies:
# a change is read once two looks find the same, or after this many that did not.
PATIENCE = 5


class FollowedStore(Store, Fingerprinted, Protocol):
    """Gives policy documents, and tells cheaply whether they may have changed."""


class PolicyFollower:
    """Keeps `pdp`, which `make` makes, on the newest good policies of `store`. Making one loads
    them: raises `StoreError`, `CompileError`."""

    def __init__(
        self,
        store: FollowedStore,
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]],
        make: Callable[[PolicySet], PDP] = PDP,
    ) -> None:
        self._store = store
        self._log = log
        self._on_state = on_state
        # Before the first load: a change made while loading is then found by the first look.
        self._read = self._last = store.fingerprint()
        self._patience = PATIENCE
        self._looking = asyncio.Lock()
        self.pdp = make(self._load())

    async def follow(self, interval: float) -> None:
        """Look every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.look()
            except Exception as error:  # to stop looking would be worse than any one failure
                self._log.error("looking at the policies failed", exc_info=error)

    async def look(self) -> None:
        """Look once; load the policies again if they changed and have settled."""
        async with self._looking:
            await self._look()

    async def reload(self) -> None:
        """Load the policies again, changed or not."""
        async with self._looking:
            self._last = await asyncio.to_thread(self._store.fingerprint)
            await self._on_state(await self._reload(self._last))

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._store.fingerprint)
        settled = found == self._last
        self._last = found
        if found == self._read:
            return
        if not settled and self._patience > 0:
            self._patience -= 1
            return
        self._patience = PATIENCE
        await self._on_state(await self._reload(found))

    def _load(self) -> PolicySet:
        store = self._store
        if isinstance(store, Compiled):
            return store.policies()
        return compile_documents(store.load())

    async def _reload(self, found: str) -> bool:
        """Load what has the fingerprint `found`. Only what was read is not read again: a store
        that failed is asked once more at the next look."""
        try:
            policies = await asyncio.to_thread(self._load)
        except CompileError as error:
            self._read = found
            issues = [f"{i.place}: {i.message} [{i.code}]" for i in error.issues]
            self._refused(f"{len(issues)} errors", issues=issues)
        except StoreError as error:
            self._refused(str(error))
        except Exception as error:  # whatever it was, the next good change must still be read
            self._refused("reading them failed", exc_info=error)
        else:
            self._read = found
            self.pdp.install(policies)
            self._log.info("policies loaded", revision=policies.revision)
            return True
        return False

    def _refused(self, why: str, **fields: object) -> None:
        kept = self.pdp.policies.revision
        self._log.error("policies refused, the last good ones stay", why=why, kept=kept, **fields)
