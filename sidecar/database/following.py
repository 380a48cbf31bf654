"""The newest good revision of a database, kept in place.

Laws: a look that finds the revision that is in place reads nothing else. What is wrong is logged
once, not at every look; what is good again, too. A revision that goes backwards is followed, for
the database is what is true, and told, for somebody put an older one in place.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet
from taskman_authz.store.postgres import Head

from ..following import tell_nobody
from ..policies import FollowedStore, PolicyFollower
from .revisions import RevisionStore

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# Seconds between readings of a revision that could not be put in place, doubled each time: somebody
# may mend its rows.
SOONEST, LATEST = 1.0, 30.0


class RevisionFollower(PolicyFollower):
    """Keeps `pdp` on the newest good revision of `store`, beginning with what `begin` gives. Making
    one loads that: raises StoreError, CompileError. `age`: for how many seconds that has not been
    known to be current."""

    def __init__(
        self,
        store: RevisionStore,
        begin: FollowedStore,
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]] = tell_nobody,
        make: Callable[[PolicySet], PDP] = PDP,
    ) -> None:
        super().__init__(begin, log, on_state, make)
        self._store = store
        self._nudged = asyncio.Event()
        self.number = 0  # of the revision that is in place, or of an earlier one
        self._seen: Head | None = None
        self._bad: Head | None = None  # what could not be put in place, and is not tried again
        self._until = 0.0  # before then
        self._pause = SOONEST
        self._problem = ""
        self._is_told = True  # the state

    def begin_behind(self, age: float) -> None:
        """What is in place has not been known to be current for so many seconds."""
        self.current = self._is_told = False
        self.confirmed -= age

    def nudge(self) -> None:
        """Something may have changed: look now."""
        self._nudged.set()

    async def follow(self, interval: float) -> None:
        """Look at once, and then every `interval` seconds (give or take a tenth; 0: never) and when
        nudged, until cancelled."""
        while True:
            self._nudged.clear()
            try:
                await self.look()
            except Exception as error:  # to stop looking would be worse than any one failure
                self._log.error("looking at the policies failed", exc_info=error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval * random.uniform(0.9, 1.1) or None):
                    await self._nudged.wait()

    async def reload(self) -> None:
        """Look now, also at what was found to be wrong."""
        self._bad = None
        await self.look()

    async def _look(self) -> None:
        try:
            head = await self._store.head()
            self._mind(head)
            is_new = head.content_hash != self.pdp.policies.revision
            if is_new:
                if head == self._bad and time.monotonic() < self._until:
                    return
                await self._put(head)
            self.number = head.number
        except StoreError as error:
            await self._fail(str(error))
        except CompileError as error:
            issues = [f"{i.place}: {i.message} [{i.code}]" for i in error.issues]
            await self._fail(f"{len(issues)} errors", issues=issues)
        else:
            await self._succeed(is_new)

    async def _put(self, head: Head) -> None:
        """Put what is newest in place. What cannot be is tried again later and later."""
        try:
            policies = await self._store.newest()
        except (StoreError, CompileError):
            self._pause = min(2 * self._pause, LATEST) if head == self._bad else SOONEST
            self._bad, self._until = head, time.monotonic() + self._pause
            raise
        self._bad = None
        self._install(policies)
        self._log.info("policies loaded", number=head.number, **self._about())

    def _mind(self, head: Head) -> None:
        """Tell of a revision that no write can have made of the one before."""
        seen, self._seen = self._seen, head
        if seen is None or head == seen or head.number > seen.number:
            return
        self._log.error(
            "the revision of the database went backwards: was a backup restored?",
            was=seen.number,
            found=head.number,
        )

    async def _fail(self, why: str, **fields: object) -> None:
        if why != self._problem:
            self._problem = why
            self._refused(why, **fields)
        if self.current or not self._is_told:
            self.current, self._is_told = False, True
            await self._on_state(False)

    async def _succeed(self, is_new: bool) -> None:
        was_current, self.current, self._is_told = self.current, True, True
        self.confirmed = time.monotonic()
        if self._problem:
            self._problem = ""
            self._log.info("policies are those of the database again", **self._about())
        if is_new or not was_current:
            await self._on_state(True)
