"""What is asked of a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Found(NamedTuple):
    """What a cache knows: the value, if it does, and the epochs to keep another one under (None: it
    keeps none now)."""

    value: bytes | None
    epochs: tuple[str, ...] | None


class Cache(Protocol):
    """Remembers values by their keys."""

    async def find(self, key: str, tags: Sequence[str]) -> Found:
        """What is known under a key. Asked before the first thing is read that a value is made
        of; `tags` say who may change that, and are always the same for a key."""
        ...

    async def keep(self, key: str, epochs: tuple[str, ...], value: bytes, seconds: float) -> None:
        """Remember a value for so long, at most. `epochs` are those that `find` gave."""
        ...

    async def drop(self, tags: Sequence[str]) -> None:
        """What is behind these tags has changed: nothing that was read before is found any more.
        Raises UnavailableError where others may still find it; it is then to be called again."""
        ...

    async def drop_all(self) -> None:
        """Anything may have changed. As `drop`."""
        ...


class WhileHeard:
    """A cache that knows nothing while changes may have been missed: where `behind` (seconds) is
    more than `most`. `hits` and `misses` count what was asked of it."""

    def __init__(self, cache: Cache, behind: Callable[[], float], most: float) -> None:
        self._cache = cache
        self._behind = behind
        self._most = most
        self.hits = self.misses = 0
        self.keep = cache.keep
        self.drop = cache.drop
        self.drop_all = cache.drop_all

    async def find(self, key: str, tags: Sequence[str]) -> Found:
        """`Cache.find`"""
        if self._behind() > self._most:
            found = Found(None, None)
        else:
            found = await self._cache.find(key, tags)
        if found.value is None:
            self.misses += 1
        else:
            self.hits += 1
        return found
