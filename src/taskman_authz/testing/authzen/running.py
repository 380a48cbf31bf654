"""All checks against one decision point, told level by level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from .asking import Point
from .checks import LEVELS, Check, Wrong, basic, batch, searches
from .dialogues import dialogues


class Outcome(NamedTuple):
    """A check, and what is wrong, None if nothing is."""

    check: Check
    wrong: Wrong | None


class LevelResult(NamedTuple):
    """A level of the certification, and what its checks came to."""

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """What fails the level."""
        return tuple(each for each in self.outcomes if each.wrong and not each.check.advice)

    @property
    def advice(self) -> tuple[Outcome, ...]:
        """What is only recommended, and is not so."""
        return tuple(each for each in self.outcomes if each.wrong and each.check.advice)


def run_checks(point: Point) -> Iterator[LevelResult]:
    """Every level, as it is done. Raises UnavailableError where there is no answer."""
    point.discover()
    checks = list(chain(basic(), batch(), searches(), dialogues()))
    for level in LEVELS:
        mine = (check for check in checks if check.level == level)
        yield LevelResult(level, tuple(Outcome(check, check.run(point)) for check in mine))
