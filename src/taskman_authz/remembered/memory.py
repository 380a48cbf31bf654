"""Values remembered within a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cachetools import TLRUCache

from ..limits import DEFAULT, Limits
from .cache import Found


class _Kept(NamedTuple):
    value: bytes
    epochs: tuple[str, ...]
    seconds: float


class MemoryCache:
    """A `Cache` of at most `limits.remembered` values. Only what calls `drop` tells it of changes.
    One event loop, or one thread, may use it."""

    def __init__(
        self, limits: Limits = DEFAULT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.hits = self.misses = 0
        self._kept: TLRUCache[str, _Kept] = TLRUCache(
            limits.remembered, lambda _key, kept, now: now + kept.seconds, clock
        )
        self._epochs = Epochs(limits.remembered)

    async def find(self, key: str, tags: Sequence[str]) -> Found:
        """`Cache.find`"""
        epochs = self._epochs.of(tags)
        kept = self._kept.get(key)
        if kept is None or kept.epochs != epochs:
            self.misses += 1
            return Found(None, epochs)
        self.hits += 1
        return Found(kept.value, epochs)

    async def keep(self, key: str, epochs: tuple[str, ...], value: bytes, seconds: float) -> None:
        """`Cache.keep`"""
        if seconds > 0:
            self._kept[key] = _Kept(value, epochs, seconds)

    async def drop(self, tags: Sequence[str]) -> None:
        """`Cache.drop`"""
        self._epochs.change(tags)

    async def drop_all(self) -> None:
        """`Cache.drop_all`"""
        self._epochs.change_all()


class Epochs:
    """A number for each tag, another one after each change. Tags that did not change take no
    memory; when too many did, all of them get another number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._generation = 0
        self._changed: dict[str, int] = {}

    def of(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The epochs of some tags."""
        return tuple(f"{self._generation}.{self._changed.get(tag, 0)}" for tag in tags)

    def change(self, tags: Iterable[str]) -> None:
        """Give some tags another epoch."""
        for tag in tags:
            if len(self._changed) >= self._most:
                self.change_all()
            self._changed[tag] = self._changed.get(tag, 0) + 1

    def change_all(self) -> None:
        """Give every tag another epoch."""
        self._changed = {}
        self._generation += 1
