"""How often each caller may call: the guard that counts, by GCRA (a leaky bucket without a clock
of its own).

Laws: who is refused is told when to come again, and a refused call counts for nothing. Who proves
no name shares one rate with all others who prove none. Counted is in this process alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

from ..door import Call
from ..status import Code, Refusal

# Callers that are counted; who has not called for the longest is forgotten, which is a full bucket.
CALLERS = 10_000
_ROUNDING = 1e-9  # seconds


class CallRate:
    """The guard of `rate` calls a second, and `burst` at once."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / rate
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._due: LRUCache[str, float] = LRUCache(CALLERS)
        self._lock = threading.Lock()  # some methods are answered in threads

    def __call__(self, call: Call) -> None:
        """Raises Refusal with the seconds until a call would be let through."""
        names = call.caller.names
        name = names[0] if names else ""
        now = self._clock()
        with self._lock:
            due = max(self._due.get(name, now), now)
            wait = due - now - self._slack
            if wait <= _ROUNDING:
                self._due[name] = due + self._interval
                return
        raise Refusal(Code.RESOURCE_EXHAUSTED, "more calls than this caller may make", wait)
