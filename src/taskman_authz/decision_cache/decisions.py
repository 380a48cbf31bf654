"""Decisions in a cache."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ..decision import Decision
from ..remembered import Cache
from .questions import Question

SECONDS = 300.0  # the longest that a decision is remembered

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Decision)


class Known(NamedTuple):
    """The decision, if it is remembered, and the epochs to keep another one under (None: none is
    kept now)."""

    decision: Decision | None
    epochs: tuple[str, ...] | None


class DecisionCache:
    """Remembers decisions in `cache` for `seconds` at most."""

    def __init__(self, cache: Cache, seconds: float = SECONDS) -> None:
        self._cache = cache
        self._seconds = seconds

    async def find(self, question: Question) -> Known:
        """What is known of a question. Asked before the first attribute is read."""
        value, epochs = await self._cache.find(question.key, question.tags)
        if value is None:
            return Known(None, epochs)
        try:
            return Known(_DECODER.decode(value), epochs)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return Known(None, epochs)  # another version's

    async def keep(
        self,
        question: Question,
        epochs: tuple[str, ...] | None,
        decision: Decision,
        seconds: float | None = None,
    ) -> None:
        """Remember a decision, for `seconds` where that is less; `epochs` are what `find` gave."""
        if epochs is not None:
            most = self._seconds if seconds is None else min(seconds, self._seconds)
            await self._cache.keep(question.key, epochs, _ENCODER.encode(decision), most)
