"""A cache in Redis: `{service}:{entity}:{id}:{company}`, each with a version.

Laws: what is there is at least as new as what anybody put before: an older version never replaces
a newer one, so a slow reader cannot bring back what a writer has changed. Redis that does not
answer is as if nothing were there; then the database is asked.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

# Sets value and version where the version there is not newer.
_PUT = """
local there = redis.call('HGET', KEYS[1], 'version')
if there and tonumber(there) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
LOSSES = (RedisError, OSError)


class Cache:
    """Values of a service. `version` grows with each change of a value (microseconds will do)."""

    def __init__(self, redis: Redis, service: str) -> None:
        self.redis = redis
        self._service = service
        self._put = redis.register_script(_PUT)

    def key(self, entity: str, id: str, company_id: str) -> str:
        """Where a value lies. The company is in it: nobody finds another's."""
        return f"{self._service}:{entity}:{id}:{company_id}"

    async def get(self, entity: str, id: str, company_id: str) -> bytes | None:
        """The value; None where there is none."""
        found: Any
        try:
            found = await self.redis.hget(self.key(entity, id, company_id), "value")
        except LOSSES:
            return None
        return found or None

    async def put(
        self, entity: str, id: str, company_id: str, value: bytes, version: int, seconds: int
    ) -> bool:
        """Keep a value for some time; an empty one stands for what was deleted. Whether Redis
        knows."""
        try:
            await self._put([self.key(entity, id, company_id)], [version, value, seconds])
        except LOSSES:
            return False
        return True
