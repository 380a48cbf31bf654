"""What is read from outside and read again, because it changes while we run: certificates, tokens,
keys.

Laws: a reading that fails leaves the last good one in place, is logged once, and shows in
`problem` until a later one succeeds. What was read is in no log and no text of an exception.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from taskman_authz.errors import AuthzError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

R = TypeVar("R")
T = TypeVar("T")

# Until what was found half changed is looked at again.
SETTLE = 1.0  # seconds
# Between two readings that callers can bring about.
FLOOR = 5.0  # seconds


class Kept(Generic[R, T]):
    """What `make` makes of what `read` reads every `interval` seconds. Both may block, and raise
    AuthzError for what is wrong; so does this, when it is made. With `may_lack`, `value` is then
    None instead."""

    def __init__(
        self,
        what: str,
        read: Callable[[], R],
        make: Callable[[R], T],
        log: FilteringBoundLogger,
        *,
        interval: float = 1.0,
        may_lack: bool = False,
    ) -> None:
        self._what = what
        self._read = read
        self._make = make
        self._log = log
        self._interval = interval
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._raw: R | None = None
        self._refused: R | None = None
        self.value: T | None = None
        self.problem = ""
        self.tried = self.succeeded = time.monotonic()
        try:
            raw = read()
            self.value, self._raw = make(raw), raw
        except AuthzError as error:
            if not may_lack:
                raise
            self._tell(str(error))

    def look(self) -> None:
        """Read once. Never raises."""
        try:
            self._look()
        except AuthzError as error:
            self._tell(str(error))
        except Exception as error:  # its text may hold what was read
            self._tell(f"reading failed: {type(error).__name__}")
        finally:
            self.tried = time.monotonic()

    def again(self, floor: float = FLOOR) -> bool:
        """Whether it is being read again, for who misses something in it. It is not within `floor`
        seconds of a reading that succeeded. May be called in any thread."""
        if time.monotonic() - self.tried < floor:
            return bool(self.problem)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)
        return True

    async def follow(self, told: Callable[[], None]) -> None:
        """Read once an interval (give or take a tenth), and when asked to, until cancelled. `told`
        is called after each."""
        self._loop = asyncio.get_running_loop()
        while True:
            is_settling = self._refused is not None and not self.problem
            pause = SETTLE if is_settling else self._interval * random.uniform(0.9, 1.1)
            try:
                await asyncio.wait_for(self._wanted.wait(), pause)
            except TimeoutError:
                pass
            await asyncio.to_thread(self.look)
            self._wanted.clear()
            told()

    def _look(self) -> None:
        raw = self._read()
        if self.value is not None and raw == self._raw:
            self._succeed()
            return
        try:
            self.value, self._raw = self._make(raw), raw
        except AuthzError:
            # Several files are seldom replaced in one step: half of a change is looked at twice.
            is_settled, self._refused = raw == self._refused, raw
            if is_settled or self.value is None:
                raise
        else:
            self._succeed()
            self._log.info(f"{self._what} loaded")

    def _succeed(self) -> None:
        self.problem = ""
        self._refused = None
        self.succeeded = time.monotonic()

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            kept = "the last good one stays" if self.value is not None else "there is none"
            self._log.error(f"{self._what} refused, {kept}", why=problem)
        self.problem = problem


def read_file(place: str, path: Path, limit: int) -> bytes:
    """The bytes of a file. Raises AuthzError, which begins with `place`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise AuthzError(f"{place} {path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > limit:
        raise AuthzError(f"{place} {path}: longer than {limit} bytes")
    return data
