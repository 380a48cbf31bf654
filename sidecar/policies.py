"""The policies at a path, followed: read again when the files change.

Laws: a set that does not load leaves the last good one in place; everything that is wrong with it
is logged, and `on_state(False)` says that what is in place is not what is at the path, until a
later set loads. A folder that is still being written is left to settle, but not for ever.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from taskman_authz.store.files import FileStore

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet, compile_documents

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# A file is seldom written in one step, and half a document may compile without its last policies:
# a change is read once two looks find the same, or after this many that did not.
PATIENCE = 5

Fingerprint = frozenset[tuple[str, int, int, int]]


def load(path: Path) -> PolicySet:
    """The compiled policies at `path`. Raises `StoreError` or `CompileError`."""
    return compile_documents(FileStore(path).load())


def fingerprint(path: Path) -> Fingerprint:
    """What changes when a policy file below `path` is written, added, renamed or removed."""
    names = [str(path)]
    for folder, _, files in os.walk(path, followlinks=True):
        names += [os.path.join(folder, name) for name in files]
    found = []
    for name in names:
        try:
            status = os.stat(name)
        except OSError:
            continue  # gone since it was listed: the next look sees the same as this one
        found.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
    return frozenset(found)


class PolicyFollower:
    """Keeps `pdp` on the newest good policies at `path`."""

    def __init__(
        self,
        path: Path,
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._path = path
        self._log = log
        self._on_state = on_state
        # Before the first load: a change made while loading is then found by the first look.
        self._read = self._last = fingerprint(path)
        self._patience = PATIENCE
        self.pdp = PDP(load(path))

    async def follow(self, interval: float) -> None:
        """Look every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            await self.look()

    async def look(self) -> None:
        """Look once; read the policies again if they changed and have settled."""
        found = await asyncio.to_thread(fingerprint, self._path)
        settled = found == self._last
        self._last = found
        if found == self._read:
            return
        if not settled and self._patience > 0:
            self._patience -= 1
            return
        self._patience = PATIENCE
        self._read = found
        await self._on_state(await self._reload())

    async def _reload(self) -> bool:
        try:
            policies = await asyncio.to_thread(load, self._path)
        except CompileError as error:
            issues = [f"{i.place}: {i.message} [{i.code}]" for i in error.issues]
            self._refused(f"{len(issues)} errors", issues=issues)
        except StoreError as error:
            self._refused(str(error))
        except Exception as error:  # whatever it was, the next good change must still be read
            self._refused("reading them failed", exc_info=error)
        else:
            self.pdp.install(policies)
            self._log.info("policies loaded", revision=policies.revision)
            return True
        return False

    def _refused(self, why: str, **fields: object) -> None:
        kept = self.pdp.policies.revision
        self._log.error("policies refused, the last good ones stay", why=why, kept=kept, **fields)
