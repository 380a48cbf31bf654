"""Mutation testing of policies: which mistakes would no test notice?

Laws: a mutant is killed when a case that passes with the policies fails with the mutant in the
place of its policy, decided by the same core. It is asked every case that could tell the
difference, and no other. A mutant that does not compile is none. Cases that fail without a mutant
say nothing about one: mutants of a run that fails are not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from .._fast.rows import RuleRow
from ..cel import policy_env
from ..cel.parser import Parsed
from ..decision import Decision
from ..errors import CompileError
from ..issues import Place
from ..limits import DEFAULT
from ..policy import PolicySet, compile_documents
from ..policy.compiler import Progress, silent
from ..policy.yaml_reader import read
from ..request import CheckRequest
from .cases import Case, Suite
from .coverage import Share
from .mutants import Mutation, mutations
from .runner import Result

MARK = "~"  # between a policy's id and a mutant's number
Key = tuple[str, str | None]  # a policy's id and its company
Mutate = Callable[[Mapping[str, Any], Parsed | None], Iterable[Mutation]]


class Mutant(msgspec.Struct, frozen=True):
    """A mutant of a policy, and the case that noticed it: its `killer`, "" if none did."""

    policy: str
    company: str | None
    place: Place
    kind: str
    what: str
    equivalent: bool
    killer: str = ""

    @property
    def survived(self) -> bool:
        """Whether no test noticed, and one could."""
        return not self.killer and not self.equivalent


class Mutants(msgspec.Struct, frozen=True):
    """What became of all mutants, in the order of their policies."""

    mutants: tuple[Mutant, ...]

    @property
    def score(self) -> Share:
        """How many were noticed, of those that could be."""
        counted = [each for each in self.mutants if each.killer or not each.equivalent]
        return Share(sum(bool(each.killer) for each in counted), len(counted))

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """Those that no test noticed."""
        return tuple(each for each in self.mutants if each.survived)


def mutate(suites: Sequence[Suite], progress: Progress = silent) -> Mutants:
    """Ask the cases of some suites about every mutant of their policies. `progress` is told what is
    done of what."""
    sets: dict[int, list[Suite]] = {}
    for suite in suites:
        sets.setdefault(id(suite.policies), []).append(suite)
    return joined(Mutants(tuple(_of_set(group, progress))) for group in sets.values())


def joined(parts: Iterable[Mutants]) -> Mutants:
    """Several runs as one: a mutant is killed if any killed it."""
    found: dict[tuple[Any, ...], Mutant] = {}
    for each in (mutant for part in parts for mutant in part.mutants):
        key = (each.place, each.policy, each.kind, each.what)
        known = found.get(key)
        if known is None or not known.killer:
            found[key] = each
    return Mutants(tuple(sorted(found.values(), key=lambda each: (each.place, each.policy))))


def _of_set(suites: list[Suite], progress: Progress) -> Iterator[Mutant]:
    bench = Bench(suites, progress=progress)
    for number, (row, mutation) in enumerate(bench.mutations):
        progress("asking about mutants", number, len(bench.mutations))
        killer = bench.killer(number)
        origin = bench.policies.origins.of(row)
        place = Place() if origin is None else origin.place
        if killer is not None:
            kind, what, _, equivalent = mutation
            yield Mutant(row.id, row.company, place, kind, what, equivalent, killer)


class _Asked(NamedTuple):
    """A case, and the rules that apply to its request."""

    case: Case
    candidates: tuple[RuleRow, ...]


class Bench:
    """The mutants of one policy set, compiled beside the policies in one set, from whose rules each
    decision is given those that it has to do with. `mutate` makes the mutants of a policy."""

    def __init__(
        self, suites: Sequence[Suite], mutate: Mutate = mutations, progress: Progress = silent
    ) -> None:
        self.progress = progress
        self.policies = suites[0].policies
        self.env = policy_env(self.policies.limits)
        self.mutate = mutate
        self.mutations: list[tuple[RuleRow, Mutation]] = []
        self.texts: list[tuple[str, str]] = []  # of mutants, by number; "" where it is taken away
        for name, text in suites[0].documents:
            self._mutate(name, text)
        self.compiled, self.broken = self._compiled(suites[0].documents)
        self.rows = {_key(row): row for row in self.compiled.rules}
        self.asked = [
            _Asked(case, self.candidates(case.request)) for suite in suites for case in suite.cases
        ]
        self.of_row: dict[Key, list[_Asked]] = {}
        for asked in self.asked:
            for row in asked.candidates:
                self.of_row.setdefault(_key(row), []).append(asked)

    # -- mutants ----------------------------------------------------------------------------------

    def _mutate(self, name: str, text: str) -> None:
        known = {_key(row): row for row in self.policies.rules}
        for data in read(name, text.removeprefix("\ufeff"), DEFAULT).documents:
            around = {key: data[key] for key in data or () if key not in ("roles", "policies")}
            for policy in (data or {}).get("policies") or ():
                row = known[policy["id"], around.get("company")]
                for found in self.mutate(policy, self._parsed(policy)):
                    number = len(self.mutations)
                    self.mutations.append((row, found))
                    mutant = found.policy and {
                        **found.policy,
                        "id": _mutant_id(row.id, number),
                    }
                    content = json.dumps({**around, "policies": [mutant]}) if mutant else ""
                    self.texts.append((f"{name}{MARK}{number}", content))

    def _parsed(self, policy: Mapping[str, Any]) -> Parsed | None:
        """The condition as it is written: with the names that its file defines."""
        condition = policy.get("condition")
        return self.env.parse(condition.rstrip()) if condition else None

    def _compiled(self, documents: Sequence[tuple[str, str]]) -> tuple[PolicySet, set[str]]:
        """The policies and those mutants that compile, as one set, and the names of the others."""
        broken: set[str] = set()
        while True:
            texts = [each for each in self.texts if each[1] and each[0] not in broken]
            try:
                return compile_documents([*documents, *texts], progress=self.progress), broken
            except CompileError as error:
                found = {issue.place.source for issue in error.issues} - broken
                if not found & {name for name, _ in texts}:
                    raise
                broken |= found

    # -- cases ------------------------------------------------------------------------------------

    def candidates(self, request: CheckRequest) -> tuple[RuleRow, ...]:
        """The rules that apply to a request, without mutants."""
        found = self.policies.index.candidates(
            request.company_id,
            request.action,
            request.resource_type,
            request.resource_id,
            request.roles,
        )
        return tuple(self.rows[row.id, row.company] for row in found)

    def killer(self, number: int) -> str | None:
        """The name of the first case that notices a mutant, "" if none does; None if it is no
        mutant because it does not compile."""
        base, mutation = self.mutations[number]
        if self.texts[number][0] in self.broken:
            return None
        reached = self.of_row.get(_key(base), [])
        for case, candidates in self.asked if mutation.kind == "widen pattern" else reached:
            decision = self.decision(number, candidates, case.request)
            if not Result(case, decision, 0.0).passed:
                return case.name
        return ""

    def decision(
        self, number: int, candidates: Iterable[RuleRow], request: CheckRequest
    ) -> Decision:
        """The decision by candidates, with a mutant that compiles in the place of its policy."""
        base = self.mutations[number][0]
        rows = [row for row in candidates if _key(row) != _key(base)]
        if self.texts[number][1]:
            mutant = self.rows[_mutant_id(base.id, number), base.company]
            rows += [mutant] if _applies(mutant, request) else []
        return self._decide(rows, base, request)

    def _decide(self, rows: list[RuleRow], base: RuleRow, request: CheckRequest) -> Decision:
        """The decision by some rules; a mutant stands where its policy does, and under its name."""
        rows.sort(key=lambda row: (not row.deny, _base_id(row.id, base), row.company or ""))
        outcome = self.compiled.decider.decide_by(tuple(rows), request)
        reasons = tuple(
            msgspec.structs.replace(reason, policy=_base_id(reason.policy, base))
            for reason in outcome.reasons
        )
        return Decision(outcome.allowed, reasons, self.policies.revision)


def _mutant_id(id: str, number: int) -> str:
    return f"{id[: DEFAULT.identifier_length - 10]}{MARK}{number}"


def _base_id(id: str, base: RuleRow) -> str:
    """The id of a policy, also of a mutant of `base`."""
    begin, mark, number = id.rpartition(MARK)
    return base.id if mark and number.isdecimal() and id == _mutant_id(base.id, int(number)) else id


def _key(row: RuleRow) -> Key:
    return row.id, row.company


def _applies(row: RuleRow, request: CheckRequest) -> bool:
    asked = request
    kind, id = asked.resource_type, asked.resource_id
    return row.applies(asked.company_id, asked.action, kind, id, asked.roles)
