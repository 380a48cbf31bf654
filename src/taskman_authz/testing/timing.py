"""How long the decisions of the cases take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec

from ..pdp import authorize
from .cases import Case, Suite

SECONDS = 1.0  # that a measurement takes, at least
ROUNDS = 5  # over all cases, at least
SLOWEST = 5  # cases that are told


class CaseTime(msgspec.Struct, frozen=True):
    """A case, and the shortest time of its decision in nanoseconds."""

    case: Case
    nanoseconds: int


class Times(msgspec.Struct, frozen=True):
    """The cases by how long they took, the slowest first, and how often each was asked."""

    cases: tuple[CaseTime, ...]
    rounds: int

    def quantile(self, share: float) -> int:
        """The time in nanoseconds within which so many of the cases are decided (0 to 1)."""
        ordered = self.cases[::-1]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))].nanoseconds


def measure(suites: Sequence[Suite]) -> Times:
    """Ask every case again and again; of each the shortest time counts, which is the one that
    nothing else disturbed. There must be a case."""
    asked = [(suite, case) for suite in suites for case in suite.cases]
    best = [0] * len(asked)
    clock = time.perf_counter_ns
    rounds, begun = 0, clock()
    while rounds < ROUNDS or clock() - begun < SECONDS * 1e9:
        for number, (suite, case) in enumerate(asked):
            start = clock()
            authorize(suite.policies, case.request)
            taken = clock() - start
            if rounds == 0 or taken < best[number]:
                best[number] = taken
        rounds += 1
    found = (CaseTime(case, taken) for (_, case), taken in zip(asked, best, strict=True))
    return Times(tuple(sorted(found, key=lambda each: -each.nanoseconds)), rounds)


def time_lines(times: Times) -> Iterator[str]:
    """The times in words."""
    yield f"time of a decision, the best of {times.rounds}, over {len(times.cases)} cases"
    for name, share in (("median", 0.5), ("90 %", 0.9), ("99 %", 0.99)):
        yield f"  {name:<7} {times.quantile(share) / 1000:8.2f} µs"
    yield "  the slowest"
    for each in times.cases[:SLOWEST]:
        place = f"{each.case.place.source}:{each.case.place.line}"
        yield f"    {each.nanoseconds / 1000:8.2f} µs  {place}: {each.case.name}"
