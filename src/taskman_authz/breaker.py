"""The circuit breaker: while somebody who is asked is sick they are not asked, and nobody waits.

Closed, calls go through and are counted; once `ready_to_trip` says so it is open, and refuses every
call for `timeout` seconds. Then it is half open: `max_requests` calls may probe. When so many have
succeeded in a row it is closed again, one failure opens it.

Laws: the outcome of a call that began in a former state counts for nothing. A call that ended
neither well nor badly (its caller gave up) gives its place back. No I/O and no clock but
`BreakerSettings.clock`. Safe to share between threads; `on_state_change` is called outside the
lock, and what it raises is logged, never the caller's trouble.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .errors import ArgumentError

_log = logging.getLogger("taskman_authz.breaker")


class State(enum.Enum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Counts:
    """Calls since the state began, or in it since the last interval."""

    requests: int = 0  # let through, also those whose outcome is not known yet
    successes: int = 0
    failures: int = 0
    consecutive_successes: int = 0
    consecutive_failures: int = 0


def six_in_a_row(counts: Counts) -> bool:
    """More than five failures, and no success between them."""
    return counts.consecutive_failures > 5


def log_change(name: str, former: State, state: State) -> None:
    """A line in the log `taskman_authz.breaker`."""
    _log.warning("circuit breaker of `%s`: %s -> %s", name, former, state)


@dataclass(frozen=True)
class BreakerSettings:
    """How a breaker behaves. Times are seconds; `clock` gives seconds and never goes back."""

    max_requests: int = 3  # probes when half open
    interval: float = 60.0  # after which the counts of a closed one begin anew; 0: never
    timeout: float = 30.0  # that it stays open
    # Asked after each failure, within the lock: it only looks at the counts.
    ready_to_trip: Callable[[Counts], bool] = six_in_a_row
    on_state_change: Callable[[str, State, State], None] = log_change  # name, former, new
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if type(self.max_requests) is not int or self.max_requests < 1:
            raise ArgumentError("max_requests", "a whole number from 1", f"{self.max_requests!r}")
        for name, value in (("interval", self.interval), ("timeout", self.timeout)):
            if not (isinstance(value, int | float) and 0 <= value < float("inf")):
                raise ArgumentError(name, "seconds from 0", f"{value!r}")


class Refused(Exception):
    """The breaker lets no call through; the text says why, `seconds` for how long still."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Breaker:
    """Counts the calls to one whom we ask. Each goes `began = enter()`, then `leave(began, …)`
    exactly once."""

    def __init__(self, name: str, settings: BreakerSettings) -> None:
        self._name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._changes: list[tuple[State, State]] = []
        self._state = State.CLOSED
        self._generation = 0
        self._counts = Counts()
        self._ends = 0.0  # when the clock alone changes something
        self._begin(State.CLOSED, settings.clock())

    @property
    def state(self) -> State:
        """Now, by the clock."""
        with self._lock:
            self._look()
            state = self._state
        self._tell()
        return state

    @property
    def counts(self) -> Counts:
        """Of the state that it is in."""
        with self._lock:
            return self._counts

    def enter(self) -> int:
        """A call wants through. Returns what `leave` takes; raises `Refused`."""
        try:
            with self._lock:
                now = self._look()
                if self._state is State.OPEN:
                    raise Refused("the circuit is open", self._ends - now)
                probes = self._counts.requests
                if self._state is State.HALF_OPEN and probes >= self._settings.max_requests:
                    raise Refused(f"the circuit is half open, {probes} calls probe it", 0.0)
                self._counts = replace(self._counts, requests=probes + 1)
                return self._generation
        finally:
            self._tell()

    def leave(self, began: int, success: bool | None) -> None:
        """How the call ended: well, badly, or (None) so that it says nothing."""
        with self._lock:
            now = self._look()
            if began == self._generation:
                self._count(success)
                if success is False and self._trips():
                    self._begin(State.OPEN, now)
                elif self._has_recovered():
                    self._begin(State.CLOSED, now)
        self._tell()

    def _count(self, success: bool | None) -> None:
        counts = self._counts
        if success is None:
            self._counts = replace(counts, requests=counts.requests - 1)
        elif success:
            self._counts = replace(
                counts,
                successes=counts.successes + 1,
                consecutive_successes=counts.consecutive_successes + 1,
                consecutive_failures=0,
            )
        else:
            self._counts = replace(
                counts,
                failures=counts.failures + 1,
                consecutive_successes=0,
                consecutive_failures=counts.consecutive_failures + 1,
            )

    def _trips(self) -> bool:
        if self._state is State.HALF_OPEN:
            return True
        try:
            return self._settings.ready_to_trip(self._counts)
        except Exception:  # the caller's own code
            _log.exception("ready_to_trip failed")
            return True

    def _has_recovered(self) -> bool:
        enough = self._counts.consecutive_successes >= self._settings.max_requests
        return self._state is State.HALF_OPEN and enough

    def _look(self) -> float:
        """What the clock alone changes. Returns the time."""
        now = self._settings.clock()
        if now >= self._ends:
            following = State.HALF_OPEN if self._state is State.OPEN else self._state
            self._begin(following, now)
        return now

    def _begin(self, state: State, now: float) -> None:
        """Counts from nothing, in this state."""
        if state is not self._state:
            self._changes.append((self._state, state))
        self._state = state
        self._generation += 1
        self._counts = Counts()
        lasts = {State.CLOSED: self._settings.interval or None, State.OPEN: self._settings.timeout}
        seconds = lasts.get(state)
        self._ends = float("inf") if seconds is None else now + seconds

    def _tell(self) -> None:
        """The changes that nobody was told of yet, in their order."""
        while self._changes:
            try:
                former, state = self._changes.pop(0)
            except IndexError:  # another thread tells it
                return
            try:
                self._settings.on_state_change(self._name, former, state)
            except Exception:
                _log.exception("on_state_change failed")
