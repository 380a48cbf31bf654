"""Decisions remembered within a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from cachetools import TLRUCache

from ..decision import Decision
from ..limits import DEFAULT, Limits
from .questions import Found, Question


class _Kept(NamedTuple):
    decision: Decision
    epochs: tuple[str, ...]
    seconds: float


class MemoryDecisionCache:
    """Remembers decisions for `seconds` at most, as many as `limits.decision_memory` says.

    Only what calls `drop` tells it of changes. One event loop, or one thread, may use it.
    """

    def __init__(
        self,
        seconds: float = 300.0,
        limits: Limits = DEFAULT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.hits = self.misses = 0
        self._kept: TLRUCache[str, _Kept] = TLRUCache(
            limits.decision_memory, lambda _key, kept, now: now + kept.seconds, clock
        )
        self._epochs = Epochs(limits.decision_memory)

    async def find(self, question: Question) -> Found:
        """`DecisionCache.find`"""
        epochs = self._epochs.of(question.tags)
        kept = self._kept.get(question.key)
        if kept is None or kept.epochs != epochs:
            self.misses += 1
            return Found(None, epochs)
        self.hits += 1
        return Found(kept.decision, epochs)

    async def keep(
        self, question: Question, epochs: tuple[str, ...], decision: Decision, seconds: float
    ) -> None:
        """`DecisionCache.keep`"""
        seconds = min(seconds, self.seconds)
        if seconds > 0:
            self._kept[question.key] = _Kept(decision, epochs, seconds)

    async def drop(self, tags: Iterable[str]) -> None:
        """`DecisionCache.drop`"""
        self._epochs.change(tags)


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
                self._changed = {}
                self._generation += 1
            self._changed[tag] = self._changed.get(tag, 0) + 1
