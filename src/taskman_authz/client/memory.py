"""What was just answered, for who asks the same again at once: a bounded memory, off by default.

A remembered decision may be stale: a permission that was revoked, a role that ended, a time that a
condition waits for. It is so for at most `seconds`, counted from before its question was sent; and
less where any other answer shows in the meantime that the policies changed.

Laws: an answer of another revision than the last one drops everything. What was asked before
something was dropped is not remembered when it comes. Neither are errors: no answer, and decisions
that say that something failed. Questions are the same where their bytes are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TLRUCache

from ..decision import DENIED_BY_ERROR, FAILED, INVALID, NOT_LOGGED, Decision

_ERRORS = frozenset({DENIED_BY_ERROR, FAILED, INVALID, NOT_LOGGED})
_ENTRY = 1_000  # bytes of an entry beside its question and the reasons' texts

_Entry = tuple[Decision, float, int]  # the decision, when it was asked, its size


class Memory:
    """Decisions by the bytes of their questions, each for `seconds`, at most `size` bytes."""

    def __init__(
        self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._epoch = 0
        self._revision: str | None = None
        self._entries: TLRUCache[bytes, _Entry] = TLRUCache(
            size,
            ttu=lambda _question, entry, _now: entry[1] + seconds,
            timer=clock,
            getsizeof=lambda entry: entry[2],
        )

    def find(self, question: bytes) -> Decision | None:
        """The decision, where it is remembered."""
        with self._lock:
            entry = self._entries.get(question)
            return None if entry is None else entry[0]

    def asked(self) -> tuple[int, float]:
        """A question is about to be sent: what `keep` takes."""
        return self._epoch, self._clock()

    def keep(self, question: bytes, decision: Decision, asked: tuple[int, float]) -> None:
        """It was answered."""
        epoch, since = asked
        texts = sum(len(reason.policy) + len(reason.message) for reason in decision.reasons)
        size = len(question) + 4 * texts + _ENTRY  # a character is four bytes at most
        with self._lock:
            is_fresh = epoch == self._epoch
            self._see(decision.revision)
            if is_fresh and _is_lasting(decision) and size <= self._entries.maxsize:
                self._entries[question] = (decision, since, size)

    def see(self, revision: str) -> None:
        """Another answer came, made with this revision."""
        with self._lock:
            self._see(revision)

    def forget(self) -> None:
        """Remember nothing of what was asked until now."""
        with self._lock:
            self._drop()

    def _see(self, revision: str) -> None:
        if revision != self._revision:
            self._drop()
            self._revision = revision

    def _drop(self) -> None:
        self._epoch += 1
        self._entries.clear()


def _is_lasting(decision: Decision) -> bool:
    codes = (reason.code for reason in decision.reasons)
    return bool(decision.revision) and _ERRORS.isdisjoint(codes)
