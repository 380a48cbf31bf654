"""Answers that are given again for a moment: to the same user, with the same roles, in the same
session, while nobody of their company has changed anything through a gateway.

Laws: what is kept is given only after it was decided anew that it may be seen. The key holds the
company, the user, and a digest of roles, session and address of the answer; the company's version,
which every change makes another one, is read with it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from redis.asyncio import Redis

from ..chassis.cache import LOSSES
from ..chassis.caller import Caller

LONGEST = 64 * 1024  # characters of an answer that is kept
VERSION_SECONDS = 3_600  # longer than anything is kept


class Kept(NamedTuple):
    """An answer, if there is one, and the version that it would be kept under."""

    text: str | None
    version: str


class Keeping:
    """Keeps answers in Redis; without it, nothing."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def find(self, who: Caller, address: str) -> Kept:
        """The answer that a user had at an address."""
        try:
            version = _text(await self._redis.get(_version(who))) or "0"
            text = _text(await self._redis.get(_key(who, address, version)))
        except LOSSES:
            return Kept(None, "")
        return Kept(text, version)

    async def keep(self, who: Caller, address: str, kept: Kept, text: str, seconds: float) -> None:
        """Keep an answer that was asked for after `kept` was looked up."""
        if not kept.version or len(text) > LONGEST:
            return
        try:
            key = _key(who, address, kept.version)
            await self._redis.set(key, text, px=int(seconds * 1_000))
        except LOSSES:
            return

    async def changed(self, who: Caller) -> None:
        """Something of a company was changed, or may have been."""
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.incr(_version(who))
                pipeline.expire(_version(who), VERSION_SECONDS)
                await pipeline.execute()
        except LOSSES:
            return


def _text(found: Any) -> str | None:
    return found.decode() if isinstance(found, bytes) else found


def _version(who: Caller) -> str:
    return f"gateway:version:{who.company_id}"


def _key(who: Caller, address: str, version: str) -> str:
    about = json.dumps([who.id, sorted(who.roles), who.session_id, address, version])
    digest = hashlib.sha256(about.encode()).hexdigest()
    return f"gateway:answer:{who.company_id}:{who.id}:{digest}"
