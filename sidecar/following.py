"""Something that rests in a store and changes there, followed: read again when it did.

Laws: what does not load leaves the last good one in place; everything that is wrong with it is
logged, and `on_state(False)` says that what is in place is not what is in the store, until a later
one loads. A store that is still being written is left to settle, but not for ever.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from taskman_authz.errors import CompileError, StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

T = TypeVar("T")

# A file is seldom written in one step, and half a document may compile without its last parts: a
# change is read once two looks find the same, or after this many that did not.
PATIENCE = 5


class Follower(ABC, Generic[T]):
    """Keeps the newest good one of what `load` gives in place. Making one loads it: raises
    `StoreError`, `CompileError`. `subject` is what messages are about."""

    subject: str

    def __init__(self, log: FilteringBoundLogger, on_state: Callable[[bool], Awaitable[None]]):
        self._log = log
        self._on_state = on_state
        # Before the first load: a change made while loading is then found by the first look.
        self._read = self._last = self.fingerprint()
        self._patience = PATIENCE
        self._looking = asyncio.Lock()
        self.install(self.load())

    @abstractmethod
    def fingerprint(self) -> str:
        """Another text once what is in the store changed."""

    @abstractmethod
    def load(self) -> T:
        """What is in the store. Raises `StoreError`, `CompileError`."""

    @abstractmethod
    def install(self, loaded: T) -> None:
        """Put it in place."""

    @property
    @abstractmethod
    def revision(self) -> str:
        """The revision of what is in place."""

    async def follow(self, interval: float) -> None:
        """Look every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.look()
            except Exception as error:  # to stop looking would be worse than any one failure
                self._log.error(f"looking at the {self.subject} failed", exc_info=error)

    async def look(self) -> None:
        """Look once; load again what changed and has settled."""
        async with self._looking:
            await self._look()

    async def reload(self) -> None:
        """Load again, changed or not."""
        async with self._looking:
            self._last = await asyncio.to_thread(self.fingerprint)
            await self._on_state(await self._reload(self._last))

    async def _look(self) -> None:
        found = await asyncio.to_thread(self.fingerprint)
        settled = found == self._last
        self._last = found
        if found == self._read:
            return
        if not settled and self._patience > 0:
            self._patience -= 1
            return
        self._patience = PATIENCE
        await self._on_state(await self._reload(found))

    async def _reload(self, found: str) -> bool:
        """Load what has the fingerprint `found`. Only what was read is not read again: a store
        that failed is asked once more at the next look."""
        try:
            loaded = await asyncio.to_thread(self.load)
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
            self.install(loaded)
            self._log.info(f"{self.subject} loaded", revision=self.revision)
            return True
        return False

    def _refused(self, why: str, **fields: object) -> None:
        message = f"{self.subject} refused, the last good ones stay"
        self._log.error(message, why=why, kept=self.revision, **fields)
