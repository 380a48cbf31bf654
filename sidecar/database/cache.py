"""The last good policies in a file, for a start without the database.

Laws: the file is a bundle, written aside and put in place in one step. Its time of change is when
its policies were last known to be the current ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from taskman_authz.errors import StoreError
from taskman_authz.limits import Limits
from taskman_authz.policy import PolicySet, bundle

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from .following import RevisionFollower

LOOK = 1.0  # seconds between looks at what is in place: what changes often is not written as often
CONFIRM = 10.0  # seconds between tellings that what is written is still current


class PolicyCache:
    """The file at `path`, which one process at a time writes."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self._written = ""  # revision of what is in the file, as far as is known
        self._confirmed = 0.0
        self._problem = ""

    def is_there(self) -> bool:
        """Whether there is a file."""
        return self.path.is_file()

    def read(self) -> tuple[PolicySet, float]:
        """The policies, and for how many seconds nobody has known whether they are current. Raises
        StoreError."""
        try:
            age = time.time() - self.path.stat().st_mtime
            data = self.path.read_bytes()
        except OSError as error:
            raise StoreError(f"--policy-cache {self.path}: {_told(error)}") from None
        return bundle.read(data, self._limits, name=str(self.path)), max(0.0, age)

    def write(self, policies: PolicySet) -> None:
        """Put policies in place. Raises OSError."""
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with aside.open("wb") as file:
                file.write(bundle.write(policies))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()

    async def follow(self, follower: RevisionFollower, log: FilteringBoundLogger) -> None:
        """Write what is in place whenever it is another, until cancelled."""
        while True:
            if follower.current:
                try:
                    await self._keep(follower.pdp.policies)
                except OSError as error:
                    self._tell(log, _told(error))
                else:
                    self._problem = ""
            await asyncio.sleep(LOOK)

    async def _keep(self, policies: PolicySet) -> None:
        now = time.monotonic()
        if policies.revision != self._written:
            await asyncio.to_thread(self.write, policies)
            self._written = policies.revision
        elif now - self._confirmed >= CONFIRM:
            os.utime(self.path)
        else:
            return
        self._confirmed = now

    def _tell(self, log: FilteringBoundLogger, problem: str) -> None:
        self._written = ""
        if problem != self._problem:
            log.error("policies cannot be kept in a file", path=str(self.path), why=problem)
        self._problem = problem


def _told(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
