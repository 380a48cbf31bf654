"""What a decision means, shown of every policy that we ship and of every case of their tests: a
fault anywhere in a condition never opens, the order of files decides nothing, the index hides
nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskman_authz import CompileError, authorize
from taskman_authz._fast.rules import RuleRow
from taskman_authz._fast.tree import Expr
from taskman_authz._fast.values import Fault
from taskman_authz.cel.explanation import Writer
from taskman_authz.cel.observation import Observable
from taskman_authz.cel.parser import Parsed
from taskman_authz.pdp.conditions import Conditions, variables_of
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.policy.yaml_reader import read
from taskman_authz.request import CheckRequest
from taskman_authz.testing import Suite, load_suites

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
    documents = [(f"{chance.random()}.yaml", text) for _, text in suite.documents]
    chance.shuffle(documents)
    other = compile_documents(documents)
    for request in requests_of(suite):
        assert authorize(other, request) == authorize(suite.policies, request)


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


def variants(parsed: Parsed, nodes: Iterator[int]) -> Iterator[str]:
    whole = Writer(parsed.macro_calls).text(parsed.expr)
    for node in nodes:
        text = _Faulty(parsed, node).text(parsed.expr)
        if text != whole:  # else it is a part that nobody wrote
            yield text


@pytest.mark.parametrize("suite", SETS, ids=lambda suite: Path(suite.source).stem)
def test_a_fault_written_at_any_node_never_turns_a_deny_into_an_allow(suite):
    """The same through the plan that decisions are made by: each faulty condition is compiled
    beside the policies, and stands in the place of the one that it is of."""
    compiled, faults = with_faults(suite)
    rows = {(row.id, row.company): row for row in compiled.rules}
    tried = dict.fromkeys(faults, 0)
    for request in requests_of(suite):
        if authorize(suite.policies, request):
            continue
        applying = [rows[row.id, row.company] for row in candidates(suite.policies, request)]
        for place, row in enumerate(applying):
            key = (row.id, row.company)
            if tried.get(key, SOME) >= SOME:
                continue
            tried[key] += 1
            for id in faults[key]:
                faulty_rows = list(applying)
                faulty_rows[place] = rows[id, row.company]
                outcome = compiled.decider.decide_by(tuple(faulty_rows), request)
                assert not outcome.allowed, (row.id, id)
    assert sum(tried.values()) or not faults


def with_faults(suite: Suite) -> tuple[PolicySet, dict[Any, list[str]]]:
    """The policies of a suite with those whose conditions are faulty, and the ids of these by the
    policies that they are of."""
    env = suite.policies.origins.env
    conditions = Conditions(suite.policies)
    rows = {(row.id, row.company): row for row in suite.policies.rules}
    texts, faults = list(suite.documents), {}
    for name, text in suite.documents:
        for document in read(name, text).documents:
            company = document.get("company")
            for policy in document.get("policies", ()):
                found = conditions.of(rows[policy["id"], company])
                if found is None:
                    continue
                parsed = found[0].parsed
                for number, condition in enumerate(variants(parsed, iter(range(1, 500)))):
                    try:
                        env.compile(condition)
                    except CompileError:  # a part that may be nothing else: a macro's variable
                        continue
                    id = f"{policy['id']}~{number}"
                    made = {**policy, "id": id, "condition": condition}
                    around = {"company": company} if company else {}
                    texts.append((f"{name}~{id}", json.dumps({**around, "policies": [made]})))
                    faults.setdefault((policy["id"], company), []).append(id)
    return compile_documents(texts), faults


def test_nearly_every_node_of_a_condition_can_be_faulty():
    suite = next(each for each in SETS if "taskman" in each.source)
    _, faults = with_faults(suite)
    confidential = faults["confidential-tasks-stay-with-their-people", None]
    assert len(confidential) > 20
    assert len(faults) == sum(row.condition is not None for row in suite.policies.rules)
