"""What is kept on the newest good state of something that changes: policies, entities.

Laws: what does not load leaves the last good one in place; everything that is wrong with it is
logged, and the state says that what is in place is not what is in the source, until a later one
loads. A source that is still being written is left to settle, but not for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from taskman_authz.errors import CompileError, StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# A file is seldom written in one step, and half a document may load without its last part: a
# change is read once two looks find the same, or after this many that did not.
PATIENCE = 5

T = TypeVar("T")


class Fingerprinted(Protocol):
    """Tells cheaply whether what it gives may have changed."""

    def fingerprint(self) -> str: ...


class Followed(NamedTuple, Generic[T]):
    """What is followed: `name` for the log, how it is loaded (raises `StoreError`, `CompileError`)
    and put in place, and what of it the log tells."""

    name: str
    source: Fingerprinted
    load: Callable[[], T]
    install: Callable[[T], None]
    about: Callable[[], Mapping[str, object]]


async def tell_nobody(_current: bool) -> None:
    """Nobody wants to know."""


class Follower(Generic[T]):
    """Keeps in place the newest good state. Making one loads it, and raises what that raises.

    `current`: what is in place is what is in the source, as far as the last look could tell;
    `confirmed` is when that was last so (of `time.monotonic`).
    """

    def __init__(
        self,
        followed: Followed[T],
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]] = tell_nobody,
    ) -> None:
        self._followed = followed
        self._log = log
        self._on_state = on_state
        # Before the first load: a change made while loading is then found by the first look.
        self._read = self._last = followed.source.fingerprint()
        self._patience = PATIENCE
        self._looking = asyncio.Lock()
        followed.install(followed.load())
        self.current = True
        self.confirmed = time.monotonic()

    async def follow(self, interval: float) -> None:
        """Look every `interval` seconds, until cancelled; 0: never."""
        while interval > 0:
            await asyncio.sleep(interval)
            try:
                await self.look()
            except Exception as error:  # to stop looking would be worse than any one failure
                self._log.error(f"looking at the {self._followed.name} failed", exc_info=error)

    async def look(self) -> None:
        """Look once; load again what changed and has settled."""
        async with self._looking:
            await self._look()

    async def reload(self) -> None:
        """Load again, changed or not."""
        async with self._looking:
            self._last = await asyncio.to_thread(self._followed.source.fingerprint)
            await self._take(self._last)

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._followed.source.fingerprint)
        settled = found == self._last
        self._last = found
        if found == self._read:
            if self.current:
                self.confirmed = time.monotonic()
            return
        if not settled and self._patience > 0:
            self._patience -= 1
            return
        self._patience = PATIENCE
        await self._take(found)

    async def _take(self, found: str) -> None:
        self.current = await self._reload(found)
        if self.current:
            self.confirmed = time.monotonic()
        await self._on_state(self.current)

    async def _reload(self, found: str) -> bool:
        """Load what has the fingerprint `found`. Only what was read is not read again: a source
        that failed is asked once more at the next look."""
        followed = self._followed
        self._read = ""
        try:
            loaded = await asyncio.to_thread(followed.load)
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
            followed.install(loaded)
            self._log.info(f"{followed.name} loaded", **followed.about())
            return True
        return False

    def _refused(self, why: str, **fields: object) -> None:
        kept = next(iter(self._followed.about().values()), None)
        message = f"{self._followed.name} refused, the last good ones stay"
        self._log.error(message, why=why, kept=kept, **fields)
