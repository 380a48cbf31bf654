"""What a decision means, shown of every policy that we ship and of every case of their tests: a
fault anywhere in a condition never opens, the order of files decides nothing, the index hides
nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from taskman_authz import authorize
from taskman_authz._fast.rows import RuleRow
from taskman_authz._fast.tree import Expr
from taskman_authz._fast.values import Fault
from taskman_authz.cel.explanation import Writer
from taskman_authz.cel.observation import Observable
from taskman_authz.cel.parser import Parsed
from taskman_authz.pdp.conditions import Conditions, variables_of
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.request import CheckRequest
from taskman_authz.testing import Suite, load_suites
from taskman_authz.testing.mutants import Mutation
from taskman_authz.testing.mutation import Bench

ROOT = Path(__file__).resolve().parents[2] / "policies"
SUITES = load_suites([str(ROOT)])
SETS = list({id(suite.policies): suite for suite in SUITES}.values())  # one suite of every set
SOME = 40  # denied cases that each fault is tried on

# An error that no checker and no planner can foresee, and no place in a condition refuses.
FAULT = "dyn([true])[size('fault')]"


def requests_of(suite: Suite) -> list[CheckRequest]:
    """What all suites that are about the same policies ask of them."""
    same = (each for each in SUITES if each.policies is suite.policies)
    return [case.request for each in same for case in each.cases]


def candidates(policies: PolicySet, request: CheckRequest) -> tuple[RuleRow, ...]:
    asked = request
    kind, id = asked.resource_type, asked.resource_id
    return policies.index.candidates(asked.company_id, asked.action, kind, id, asked.roles)


@pytest.mark.parametrize("suite", SETS, ids=lambda suite: Path(suite.source).stem)
def test_the_index_hides_no_row(suite):
    for request in requests_of(suite):
        asked = request
        kind, id = asked.resource_type, asked.resource_id
        everything = tuple(
            row
            for row in suite.policies.rules
            if row.applies(asked.company_id, asked.action, kind, id, asked.roles)
        )
        assert candidates(suite.policies, request) == everything


@pytest.mark.parametrize("suite", SETS, ids=lambda suite: Path(suite.source).stem)
def test_the_order_of_files_changes_no_decision(suite):
    chance = random.Random(4)
    documents = [(elsewhere(name, chance), text) for name, text in suite.documents]
    chance.shuffle(documents)
    other = compile_documents(documents)
    for request in requests_of(suite):
        assert authorize(other, request) == authorize(suite.policies, request)


def elsewhere(name: str, chance: random.Random) -> str:
    """Another name in the same folder; a schema is one by its name."""
    path = Path(name)
    return name if path.name == "schema.yaml" else str(path.with_name(f"{chance.random()}.yaml"))


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SETS, ids=lambda suite: Path(suite.source).stem)
def test_a_fault_at_any_node_makes_an_error_or_nothing(suite):
    """Every node of the expanded tree, the inner ones of macros too. An error closes, so what is an
    error or as before cannot open anything."""
    conditions = Conditions(suite.policies)
    watched: dict[RuleRow, Observable] = {}
    for row in suite.policies.rules:
        found = conditions.of(row)
        if found is not None:
            parsed, checked, declarations, implementations, limits = found[0]
            watched[row] = Observable(parsed.expr, checked, declarations, implementations, limits)
    asked: dict[RuleRow, int] = {}
    for request in requests_of(suite):
        variables = variables_of(request)
        for row in candidates(suite.policies, request):
            if row not in watched or asked.get(row, 0) >= SOME:
                continue
            asked[row] = asked.get(row, 0) + 1
            observable = watched[row]
            before = observable.value(variables, lambda id, value: value)
            for node in observable.parts:
                after = observable.value(variables, faulty(node))
                assert type(after) is Fault or after is before, (row.id, node)


def faulty(node: int) -> Any:
    return lambda id, value: Fault("injected") if id == node else value


class _Faulty(Writer):
    """Writes a condition with a fault in the place of one part."""

    def __init__(self, parsed: Parsed, at: int) -> None:
        super().__init__(parsed.macro_calls)
        self.at = at

    def walk(self, expr: Expr) -> Any:
        return self.fault() if expr.id == self.at else super().walk(expr)

    def fault(self) -> Any:
        yield from ()
        return FAULT, 7


def faults(policy: Mapping[str, Any], parsed: Parsed | None) -> Iterator[Mutation]:
    """A policy with a fault in the place of each part of its condition."""
    if parsed is None:
        return
    whole = Writer(parsed.macro_calls).text(parsed.expr)
    for node in range(1, 500):
        text = _Faulty(parsed, node).text(parsed.expr)
        if text != whole:  # else it is a part that nobody wrote
            yield Mutation("fault", text, {**policy, "condition": text})


@pytest.mark.parametrize("suite", SETS, ids=lambda suite: Path(suite.source).stem)
def test_a_fault_written_at_any_node_never_turns_a_deny_into_an_allow(suite):
    """The same through the plan that decisions are made by: each faulty condition is compiled
    beside the policies, and stands in the place of the one that it is of."""
    bench = Bench([each for each in SUITES if each.policies is suite.policies], faults)
    closed = [asked for asked in bench.asked if not authorize(suite.policies, asked.case.request)]
    for number, (row, mutation) in enumerate(bench.mutations):
        if bench.texts[number][0] in bench.broken:  # a part that may be nothing else
            continue
        mine = [asked for asked in closed if bench.rows[row.id, row.company] in asked.candidates]
        for case, candidates in mine[:SOME]:
            decision = bench.decision(number, candidates, case.request)
            assert not decision.allowed, (row.id, mutation.what, case.name)


def test_nearly_every_node_of_a_condition_can_be_faulty():
    bench = Bench(
        [next(each for each in SETS if Path(each.source).parent.name == "taskman")], faults
    )
    good = [
        row.id
        for number, (row, _) in enumerate(bench.mutations)
        if bench.texts[number][0] not in bench.broken
    ]
    assert good.count("confidential-tasks-stay-with-their-people") > 20
    assert len(good) > 0.8 * len(bench.mutations)
    conditions = {row.id for row in bench.policies.rules if row.condition is not None}
    assert conditions == set(good)
