"""Where many rules apply, those that a question's attributes rule out are not evaluated, and the
decision is the one that evaluating all of them comes to, reasons included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.activation import Path
from taskman_authz._fast.cells import MANY
from taskman_authz._fast.decide import Decider, Outcome
from taskman_authz._fast.logic import And, Not, Or
from taskman_authz._fast.nodes import Attribute, Call, Node
from taskman_authz._fast.relations import EqualInt, EqualText, InTexts
from taskman_authz._fast.required import MOST_TEXTS, required_of
from taskman_authz._fast.rows import RuleRow
from taskman_authz._fast.rules import RuleIndex
from taskman_authz._fast.values import Fault
from tests.core.rows import constant, questions, request, row, row_lists

PATHS = [Path(3, "context", ("a",)), Path(3, "context", ("b",)), Path(1, "resource", ("c",))]
TEXTS = ["x", "y", "z"]
FAULT = Fault("no_such_key", ("owner",))
QUESTION = (None, "t:edit", "t", "1", ())
REASONS = 3

# -- conditions and what they read ----------------------------------------------------------------

readers = st.integers(0, len(PATHS) - 1).map(lambda slot: Attribute(slot, PATHS[slot], 0))
texts = st.sampled_from(TEXTS)
leaves = st.one_of(
    st.builds(EqualText, readers, texts, st.booleans(), st.just(0)),
    st.builds(EqualText, readers, texts, st.just(False), st.just(0)),
    st.builds(InTexts, readers, st.frozensets(texts), st.booleans(), st.just(0)),
    st.builds(EqualInt, readers, st.just(1), st.just(False), st.just(0)),
    st.sampled_from([True, False, None, FAULT]).map(constant),
    readers,
)


def _joined(conditions: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(conditions, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, several, st.just(0)),
        st.builds(Or, several, st.just(0)),
        st.builds(Not, conditions, st.just(0)),
    )


conditions: st.SearchStrategy[Node] = st.recursive(leaves, _joined, max_leaves=6)
# What an attribute may be: a text, absent (...), something else, what cannot be read.
values = st.sampled_from([*TEXTS, "other", ..., None, 1, True, 1.0, ["x"], {"x": "x"}, 1 << 70])
attributes = st.fixed_dictionaries({"a": values, "b": values}).map(
    lambda found: {name: value for name, value in found.items() if value is not ...}
)


@st.composite
def many_rows(draw: st.DrawFn) -> list[RuleRow]:
    """So many rows that attributes choose among them, made of a few that were drawn."""
    drawn = draw(st.lists(st.tuples(st.booleans(), conditions), min_size=1, max_size=10))
    count = 2 * MANY + 1
    return [
        row(f"r{7 * number % count:02}", deny=deny, condition=condition)
        for number in range(count)
        for deny, condition in [drawn[number % len(drawn)]]
    ]


def decider(rows: list[RuleRow], reasons: int = REASONS) -> Decider:
    index = RuleIndex(rows, 100, 1_000, reasons)
    return Decider(index, PATHS, 0, ("nothing",), reasons, 8, 20)


def told(outcome: Outcome) -> tuple[bool, RuleRow | None, tuple[Any, ...]]:
    return outcome.allowed, outcome.row, outcome.reasons


def by_all(made: Decider, asked: Any, question: tuple[Any, ...]) -> Outcome:
    """The outcome by the index's unindexed twin."""
    rows = tuple(each for each in made.index.all_rows() if each.applies(*question))
    return made.decide_by(rows, asked)


@given(many_rows(), attributes, attributes)
def test_decision_and_reasons_are_those_of_evaluating_every_row(
    rows: list[RuleRow], context: dict[str, Any], resource: dict[str, Any]
) -> None:
    made = decider(rows)
    asked = request(QUESTION, context=context, resource={"c": resource.get("a", 1)})
    assert told(made.decide(asked)) == told(by_all(made, asked, QUESTION))


@given(row_lists(), st.lists(conditions, min_size=3, max_size=3), questions, attributes)
def test_so_it_is_where_rows_differ_in_what_they_apply_to(
    rows: list[RuleRow], some: list[Node], question: tuple[Any, ...], context: dict[str, Any]
) -> None:
    spread = [
        row(
            f"{each.id}-{number}",
            deny=each.deny,
            company=each.company,
            actions=each.actions,
            resources=each.resources,
            roles=each.roles,
            condition=some[number % len(some)],
        )
        for each in rows
        for number in range(MANY)
    ]
    made = decider(spread)
    asked = request(question, context=context)
    assert told(made.decide(asked)) == told(by_all(made, asked, question))


# -- what is evaluated ----------------------------------------------------------------------------


def watched(calls: list[str], slot: int, text: str) -> Node:
    """`attribute == text && …`, of which the other part writes down that it was evaluated."""

    def evaluated() -> bool:
        calls.append(text)
        return True

    equal = EqualText(Attribute(slot, PATHS[slot], 0), text, False, 0)
    return And((Call(evaluated, (), 0), equal), 0)


@pytest.mark.parametrize("deny", [False, True])
def test_rows_that_require_another_text_are_not_evaluated(deny: bool) -> None:
    calls: list[str] = []
    rows = [
        row(f"r{number:03}", deny=deny, condition=watched(calls, 0, f"p{number}"))
        for number in range(200)
    ]
    made = decider(rows)
    outcome = made.decide(request(QUESTION, context={"a": "p77"}))
    assert (outcome.allowed, outcome.reasons) == (not deny, ("r077:decided",))
    # The first of those that allow are told as reasons where none does.
    assert calls == ([] if deny else ["p0", "p1", "p2"]) + ["p77"]


def test_rows_are_found_by_the_attribute_that_leaves_the_fewest() -> None:
    calls: list[str] = []
    rows = []
    for number in range(200):
        team = EqualText(Attribute(1, PATHS[1], 0), "team", False, 0)
        project = watched(calls, 0, f"p{number}")
        rows.append(row(f"r{number:03}", deny=True, condition=And((team, project), 0)))
    outcome = decider(rows).decide(request(QUESTION, context={"a": "p77", "b": "team"}))
    assert (outcome.reasons, calls) == (("r077:decided",), ["p77"])


def test_absent_attribute_denies_where_a_deny_row_requires_it() -> None:
    rows = [
        row(f"r{number:03}", deny=True, condition=watched([], 0, f"p{number}"))
        for number in range(200)
    ]
    outcome = decider([*rows, row("open")]).decide(request(QUESTION, context={}))
    assert (outcome.allowed, outcome.reasons) == (False, ("r000:failed",))


# -- what a condition requires --------------------------------------------------------------------


def required(condition: Node) -> dict[str, set[str]]:
    return {one.reader.path.members[0]: set(one.texts) for one in required_of(condition)}


def equal(slot: int, *texts: str) -> Node:
    reader = Attribute(slot, PATHS[slot], 0)
    if len(texts) == 1:
        return EqualText(reader, texts[0], False, 0)
    return InTexts(reader, frozenset(texts), False, 0)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (equal(0, "x"), {"a": {"x"}}),
        (equal(0, "x", "y"), {"a": {"x", "y"}}),
        (And((equal(0, "x"), equal(1, "y"), constant(FAULT)), 0), {"a": {"x"}, "b": {"y"}}),
        (And((equal(0, "x"), equal(0, "x", "y")), 0), {"a": {"x"}}),
        (And((equal(0, "x"), equal(0, "y")), 0), {"a": set()}),
        (Or((equal(0, "x"), equal(0, "y")), 0), {"a": {"x", "y"}}),
        (Or((equal(0, "x"), equal(1, "y")), 0), {}),
        (Or((And((equal(0, "x"), equal(1, "y")), 0), equal(0, "z")), 0), {"a": {"x", "z"}}),
        (Or((equal(0, "x"), constant(False)), 0), {}),
        (Not(equal(0, "x"), 0), {}),
        (EqualText(Attribute(0, PATHS[0], 0), "x", True, 0), {}),
        (EqualText(constant("x"), "x", False, 0), {}),
        (equal(0, *map(str, range(MOST_TEXTS + 1))), {}),
        (constant(True), {}),
    ],
)
def test_condition_requires(condition: Node, expected: dict[str, set[str]]) -> None:
    assert required(condition) == expected


# -- change ---------------------------------------------------------------------------------------


@given(many_rows(), st.lists(st.integers(0, 2 * MANY), max_size=40, unique=True), attributes)
def test_changed_index_decides_as_one_that_was_built_so(
    rows: list[RuleRow], numbers: list[int], context: dict[str, Any]
) -> None:
    asked = request(QUESTION, context=context)
    before = decider(rows)
    outcome = told(before.decide(asked))
    chosen = [rows[number] for number in numbers]
    others = [each for each in rows if each not in chosen]
    without = Decider(before.index.changed(chosen, []), PATHS, 0, ("nothing",), REASONS, 8, 20)
    assert told(without.decide(asked)) == told(decider(others).decide(asked))
    again = Decider(without.index.changed([], chosen), PATHS, 0, ("nothing",), REASONS, 8, 20)
    assert told(again.decide(asked)) == outcome
    assert told(before.decide(asked)) == outcome
