"""A value that others follow while it changes.

Law: nothing queues. Whoever follows gets the newest value when they come for it, however many were
told meanwhile, so that a slow follower costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Told in one event loop, and followed there."""

    def __init__(self, value: T) -> None:
        self.value = value
        self.ended = False
        self._changed = asyncio.Event()

    def tell(self, value: T) -> None:
        """This is the value now."""
        self.value = value
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """There will be no more: followers get the last value, and end."""
        self.ended = True
        self.tell(self.value)

    async def follow(self) -> AsyncIterator[T]:
        """The value, and each other one that it becomes, until the end."""
        changed, seen = self._changed, self.value
        yield seen
        while not self.ended or self.value != seen:
            if self.value == seen:
                await changed.wait()
            changed = self._changed
            if self.value != seen:
                seen = self.value
                yield seen
