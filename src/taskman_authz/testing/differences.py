"""What would change: requests decided by two policy sets, and those whose decisions differ.

Laws: both sets are asked the same requests at the same time, which is the request's own. What is
kept of the flips is bounded; all are counted.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from .._fast.rows import RuleRow
from ..decision import Decision, Effect
from ..limits import DEFAULT
from ..pdp import authorize
from ..policy import PolicySet
from ..request import CheckRequest
from .generation import concerns, requests, templates
from .runner import DECIDING

EXAMPLES = 3  # of each rule and effect


class Flip(msgspec.Struct, frozen=True):
    """A request that is decided otherwise: `before` and `after`; `line` is where it stands in its
    log, 0 where it was made up."""

    request: CheckRequest
    before: Decision
    after: Decision
    line: int = 0

    @property
    def rule(self) -> str:
        """The policy that is behind it: the one that decides now, or else the one that did."""
        for decision in (self.after, self.before):
            for reason in decision.reasons:
                if reason.code in DECIDING:
                    return reason.policy
        return ""

    @property
    def subject(self) -> str:
        """Who asked, as `type:id`."""
        return f"{self.request.subject_type}:{self.request.subject_id}"

    def is_like(self, other: Flip) -> bool:
        """Whether both ask the same, whenever."""
        now = other.request.now
        return msgspec.structs.replace(self.request, now=now) == other.request


class RuleFlips(msgspec.Struct):
    """The flips behind which one policy is, to one effect; the first few requests, and how many
    there are of each subject."""

    rule: str
    effect: Effect
    count: int = 0
    examples: list[Flip] = []
    subjects: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, flip: Flip) -> None:
        """Count one more. Subjects are counted as long as there is room for others."""
        self.count += 1
        if len(self.examples) < EXAMPLES and not any(map(flip.is_like, self.examples)):
            self.examples.append(flip)
        if flip.subject in self.subjects or len(self.subjects) < DEFAULT.flip_subjects:
            self.subjects[flip.subject] += 1


class Differences(msgspec.Struct):
    """What came of it: how many requests were `asked`, and the flips, the most frequent first. Of a
    log also how many lines were not whole (`incomplete`), and how many the old policies decide
    otherwise than is written there (`unlike`: other policies, or masked attributes)."""

    asked: int = 0
    incomplete: int = 0
    unlike: int = 0
    rules: dict[tuple[str, Effect], RuleFlips] = {}

    def compare(self, old: Decision, new: Decision, request: CheckRequest, line: int = 0) -> None:
        """Count a request with both decisions on it."""
        self.asked += 1
        if old.allowed != new.allowed:
            flip = Flip(request, old, new, line)
            key = (flip.rule, new.effect)
            if key not in self.rules:
                self.rules[key] = RuleFlips(*key)
            self.rules[key].add(flip)

    @property
    def flipped(self) -> int:
        """How many requests are decided otherwise."""
        return sum(each.count for each in self.rules.values())

    @property
    def by_rule(self) -> list[RuleFlips]:
        """The flips by the policies behind them."""
        return sorted(self.rules.values(), key=lambda each: (-each.count, each.rule, each.effect))

    @property
    def by_subject(self) -> list[tuple[str, int]]:
        """The subjects, and how many flips each has."""
        counted: Counter[str] = Counter()
        for each in self.rules.values():
            counted.update(each.subjects)
        return sorted(counted.items(), key=lambda each: (-each[1], each[0]))


def differ(old: PolicySet, new: PolicySet, count: int, seed: int, now: int) -> Differences:
    """Ask both sets so many requests, made of what they compare. Half of them are about the rules
    in which the sets differ."""
    found = Differences()
    changed = changed_rules(old, new)
    places = templates([old, new], now, changed)
    about = [each for each in places if concerns(each.request, changed)] or places
    for made, share, chance in ((about, count - count // 2, seed), (places, count // 2, seed + 1)):
        for request in requests(made, share, chance):
            found.compare(authorize(old, request), authorize(new, request), request)
    return found


def changed_rules(old: PolicySet, new: PolicySet) -> list[RuleRow]:
    """The rules that only one of two sets has, or that are another in each."""
    both = {_content(old, row): row for row in old.rules}
    others = {_content(new, row): row for row in new.rules}
    gone = [row for content, row in both.items() if content not in others]
    return gone + [row for content, row in others.items() if content not in both]


def _content(policies: PolicySet, row: RuleRow) -> tuple[Any, ...]:
    origin = policies.origins.of(row)
    condition = "" if origin is None or origin.source is None else origin.source.text
    about = (row.id, row.company, row.deny, condition)
    return (*about, frozenset(row.actions), frozenset(row.resources), frozenset(row.roles))
