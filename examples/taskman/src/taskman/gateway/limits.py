"""How often somebody may ask: counts in Redis, a window long, that all gateways share.

Law: without Redis nobody is counted and everybody is answered, which is told as a metric (what must
not be tried often, as passwords, its own service counts).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from prometheus_client import Counter
from redis.asyncio import Redis

from ..chassis.cache import LOSSES
from .problems import Problem

# Counts one more for each key; the counts, and the milliseconds that are left of each window.
_COUNT = """
local found = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
  found[#found + 1] = count
  found[#found + 1] = redis.call('PTTL', key)
end
return found
"""


class Limit(NamedTuple):
    """At most so many requests of what `key` names, in a window."""

    key: str
    most: int


class Limits:
    """Counts in windows of `window` seconds; those that could not be counted in `uncounted`."""

    def __init__(self, redis: Redis, window: float, uncounted: Counter) -> None:
        self._count = redis.register_script(_COUNT)
        self._milliseconds = math.ceil(window * 1_000)
        self._uncounted = uncounted

    async def take(self, limits: Sequence[Limit]) -> dict[str, str]:
        """Count a request. Gives the headers that tell how much is left of what is nearest to its
        end. Raises Problem where there is nothing left."""
        keys = [f"gateway:rate:{limit.key}" for limit in limits]
        try:
            found = await self._count(keys, [self._milliseconds])
        except LOSSES:
            self._uncounted.inc()
            return {}
        pairs = zip(limits, found[::2], found[1::2], strict=True)
        left, most, ends = min(
            (limit.most - count, limit.most, ends) for limit, count, ends in pairs
        )
        reset = math.ceil(max(0, ends) / 1_000)
        headers = {
            "RateLimit-Limit": str(most),
            "RateLimit-Remaining": str(max(0, left)),
            "RateLimit-Reset": str(reset),
        }
        if left < 0:
            raise Problem(
                429, "too many requests", headers={**headers, "Retry-After": str(reset or 1)}
            )
        return headers
