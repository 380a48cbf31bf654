"""Which rules, outcomes and clauses the cases have seen.

A rule is covered when a decision came to it; its outcomes are that its condition is met and that it
is not (a rule without a condition has the former only); a clause (`taskman_authz.cel.clauses`) has
two sides, true and false.

Laws: what counts is what decisions evaluate: a rule behind the one that decided was not reached. A
policy that several suites are about is one, told by its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from .._fast.rows import RuleRow
from ..cel.clauses import Clause, clauses
from ..cel.observation import Observable
from ..issues import Place
from ..pdp.conditions import Conditions, variables_of
from ..policy import PolicySet
from ..request import CheckRequest
from .cases import Suite


class ClauseCoverage(msgspec.Struct):
    """How often a clause was true, and false; its text and where it begins in the condition."""

    text: str
    position: int
    true: int = 0
    false: int = 0

    @property
    def sides(self) -> int:
        """How many of its two sides were seen."""
        return (self.true > 0) + (self.false > 0)


class RuleCoverage(msgspec.Struct):
    """How often a decision came to a rule, and what its condition then was."""

    policy: str
    company: str | None
    effect: str
    place: Place
    condition: str
    clauses: list[ClauseCoverage]
    met: int = 0
    not_met: int = 0
    failed: int = 0

    @property
    def reached(self) -> int:
        """How many decisions came to it."""
        return self.met + self.not_met + self.failed

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many of its outcomes were seen, and how many it has."""
        if not self.condition:
            return int(self.met > 0), 1
        return (self.met > 0) + (self.not_met + self.failed > 0), 2

    def add(self, other: RuleCoverage) -> None:
        """Count what was counted elsewhere of the same rule."""
        self.met += other.met
        self.not_met += other.not_met
        self.failed += other.failed
        for clause, more in zip(self.clauses, other.clauses, strict=True):
            clause.true += more.true
            clause.false += more.false


class Share(NamedTuple):
    """How many of how many were seen."""

    seen: int
    all: int

    @property
    def percent(self) -> float:
        """100 where there is nothing to see."""
        return 100.0 * self.seen / self.all if self.all else 100.0

    def __str__(self) -> str:
        return f"{self.percent:.1f} % ({self.seen} of {self.all})"


class Coverage(msgspec.Struct):
    """What was seen of every rule, in the order of their places."""

    rules: list[RuleCoverage]

    @property
    def shares(self) -> dict[str, Share]:
        """Of rules, of outcomes and of sides of clauses, how many were seen."""
        outcomes = [rule.outcomes for rule in self.rules]
        sides = [clause.sides for rule in self.rules for clause in rule.clauses]
        return {
            "rules": Share(sum(rule.reached > 0 for rule in self.rules), len(self.rules)),
            "outcomes": Share(sum(seen for seen, _ in outcomes), sum(all for _, all in outcomes)),
            "clauses": Share(sum(sides), 2 * len(sides)),
        }

    @property
    def least(self) -> float:
        """The smallest of the shares, in percent."""
        return min(share.percent for share in self.shares.values())


def joined(parts: Iterable[Coverage]) -> Coverage:
    """What was counted in several runs, together."""
    found: dict[tuple[Place, str], RuleCoverage] = {}
    for rule in (rule for part in parts for rule in part.rules):
        known = found.setdefault((rule.place, rule.policy), rule)
        if known is not rule:
            known.add(rule)
    return Coverage(sorted(found.values(), key=lambda rule: (rule.place, rule.policy)))


def coverage(suites: Sequence[Suite]) -> Coverage:
    """What the cases of some suites see of their policies."""
    sets: dict[int, list[Suite]] = {}
    for suite in suites:
        sets.setdefault(id(suite.policies), []).append(suite)
    return joined(_of_set(group[0].policies, group) for group in sets.values())


def _of_set(policies: PolicySet, suites: list[Suite]) -> Coverage:
    watcher = _Watcher(policies)
    for suite in suites:
        for case in suite.cases:
            watcher.watch(case.request)
    return Coverage([counts for counts, _ in watcher.rules.values()])


class _Watched(NamedTuple):
    """A condition that is evaluated under watch."""

    observable: Observable
    clauses: dict[int, ClauseCoverage]  # by the ids of the tree

    def value(self, variables: Any) -> Any:
        return self.observable.value(variables, self.see)

    def see(self, id: int, value: Any) -> Any:
        clause = self.clauses.get(id)
        if clause is not None:
            clause.true += value is True
            clause.false += value is False
        return value


class _Watcher:
    """Counts, for the rules of one set."""

    def __init__(self, policies: PolicySet) -> None:
        self.policies = policies
        self.conditions = Conditions(policies)
        self.rules = {row: self._rule(row) for row in policies.rules}

    def _rule(self, row: RuleRow) -> tuple[RuleCoverage, _Watched | None]:
        origin = self.policies.origins.of(row)
        found = self.conditions.of(row)
        seen: dict[int, ClauseCoverage] = {}
        watched = None
        if found is not None:
            parsed, checked, declarations, implementations, limits = found[0]
            seen = {each.id: _clause(each) for each in clauses(parsed)}
            observable = Observable(parsed.expr, checked, declarations, implementations, limits)
            watched = _Watched(observable, seen)
        counts = RuleCoverage(
            row.id,
            row.company,
            "deny" if row.deny else "allow",
            Place() if origin is None else origin.place,
            "" if origin is None or origin.source is None else origin.source.text,
            list(seen.values()),
        )
        return counts, watched

    def watch(self, request: CheckRequest) -> None:
        """Count what the decision on a request comes to."""
        last = self.policies.decider.decide(request).row
        variables = variables_of(request)
        for row in self._candidates(request):
            counts, watched = self.rules[row]
            value = True if watched is None else watched.value(variables)
            counts.met += value is True
            counts.not_met += value is False
            counts.failed += type(value) is not bool
            if row is last:
                return

    def _candidates(self, request: CheckRequest) -> Iterator[RuleRow]:
        yield from self.policies.index.candidates(
            request.company_id,
            request.action,
            request.resource_type,
            request.resource_id,
            request.roles,
        )


def _clause(clause: Clause) -> ClauseCoverage:
    return ClauseCoverage(clause.text, clause.position)
