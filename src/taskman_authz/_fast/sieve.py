"""What is remembered of questions that were decided: their outcomes, by what these depend on.

Laws: an outcome depends on the policies and on what conditions may read, and on nothing else, so
questions of which the same is kept (`native.sifting`) are decided alike. Only what was read whole,
and decided, is remembered, and not by the time; and only when it was asked before, so that what is
never asked again costs little. How much is bounded, and it is let go at once when it is full:
callers choose what there is to remember.
"""

from __future__ import annotations

from .decide import Outcome
from .messages import Names, Wanted
from .native import sifting

MARKS = 4_096  # questions of which it is known that they were asked, more or less


class Answer:
    """What became of a question, and of which company it was."""

    __slots__ = ("company", "outcome")

    company: str | None
    outcome: Outcome


def answer_of(outcome: Outcome, company: str | None) -> Answer:
    """An Answer. Compiled, `__new__` and assignments take a fifth of a call of the class."""
    made = Answer.__new__(Answer)
    made.outcome = outcome
    made.company = company
    return made


class Sieve:
    """Remembers answers, at most `most` (0: none), to questions whose `wanted` properties are read,
    up to `depth` levels deep, and of resources the id, where that is read too; it has `longest`
    characters at most."""

    __slots__ = (
        "cells",
        "depth",
        "hits",
        "kept",
        "known",
        "longest",
        "marks",
        "misses",
        "most",
        "near",
        "reads_id",
    )

    def __init__(self, wanted: Wanted, reads_id: bool, longest: int, depth: int, most: int) -> None:
        kinds = (wanted.subject, wanted.action, wanted.resource, wanted.context)
        self.cells = tuple([_cells(names) for names in kinds])
        self.reads_id = reads_id
        self.longest = longest
        self.depth = depth
        self.most = most
        # By what is kept of a batch's defaults, and then of an item.
        self.known: dict[bytes, dict[bytes, Answer]] = {}
        self.kept = 0
        self.near = sifting.new_near()
        self.marks = [0] * MARKS
        # Questions that were answered from memory, and others.
        self.hits = 0
        self.misses = 0

    def find(
        self, known: dict[bytes, Answer] | None, data: bytes, start: int, stop: int
    ) -> Answer | bytes | None:
        """What `known` answers to the bytes of a CheckRequest. Where that is nothing, what a
        decision on them depends on; None: who knows?"""
        if self.most == 0:
            return None
        found: Answer | bytes | None = sifting.sift(
            self.near, known, data, start, stop, self.cells, self.reads_id, self.longest, self.depth
        )
        if known is None or not isinstance(found, bytes):
            return found
        answer = known.get(found)
        if answer is None:
            return found
        sifting.put(self.near, known, found, answer)
        return answer

    def answers(self, defaults: bytes) -> dict[bytes, Answer] | None:
        """Those to items of batches with such defaults; None: there are none."""
        return self.known.get(defaults)

    def recall(self, defaults: bytes, item: bytes) -> Answer | None:
        """The answer to an item, for whoever expects none: it costs little where there is none."""
        mark = hash(item) ^ hash(defaults)
        if self.marks[mark & (MARKS - 1)] != mark:
            return None
        found = self.known.get(defaults)
        return None if found is None else found.get(item)

    def remember(self, defaults: bytes, item: bytes, answer: Answer) -> None:
        """Keep an answer that is not kept, to what was asked before."""
        mark = hash(item) ^ hash(defaults)
        place = mark & (MARKS - 1)
        if self.marks[place] != mark:
            self.marks[place] = mark
            return
        if self.kept >= self.most:
            self.known = {}
            self.near = sifting.new_near()
            self.kept = 0
        found = self.known.get(defaults)
        if found is None:
            found = self.known[defaults] = {}
        found[item] = answer
        self.kept += 1


def _cells(names: Names | None) -> list[tuple[bytes, ...] | None] | None:
    return None if names is None else names.cells
