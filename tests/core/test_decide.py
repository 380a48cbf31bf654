"""How rows become one decision: deny overrides, errors close, no is the ground."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.activation import Activation, Path
from taskman_authz._fast.decide import Decider, Outcome, combine
from taskman_authz._fast.nodes import Attribute, Call, Node
from taskman_authz._fast.rows import RuleRow, canonical
from taskman_authz._fast.rules import RuleIndex
from taskman_authz._fast.values import Fault
from tests.core.rows import constant, questions, request, row, row_lists

NOTHING = Outcome(False, None, ("nothing",))
FAULT = Fault("no_such_key", ("owner",))
NEITHER: list[Any] = [FAULT, None, 1, 0, "", "true", [], 1.0]  # neither true nor false


def outcome(*rows: RuleRow, limit: int = 8) -> Outcome:
    return combine(canonical(rows), Activation(0, 0, 0), NOTHING, limit, {}, {})


def counting(calls: list[str], name: str, value: Any = False) -> Node:
    """A condition that writes down that it was evaluated."""

    def evaluated() -> Any:
        calls.append(name)
        return value

    return Call(evaluated, (), 0)


def test_nothing_that_applies_is_a_no() -> None:
    assert outcome() is NOTHING


def test_true_condition_grants() -> None:
    assert outcome(row(condition=constant(True))).allowed is True


def test_absent_condition_grants() -> None:
    made = outcome(row("a"))
    assert (made.allowed, made.row and made.row.id, made.reasons) == (True, "a", ("a:decided",))


@pytest.mark.parametrize("value", [False, *NEITHER])
def test_only_true_grants(value: Any) -> None:
    assert outcome(row(condition=constant(value))).allowed is False


@pytest.mark.parametrize("value", NEITHER)
def test_error_in_deny_condition_denies(value: Any) -> None:
    made = outcome(row("a"), row("d", deny=True, condition=constant(value)))
    assert (made.allowed, made.reasons) == (False, ("d:failed",))


def test_deny_overrides_allow() -> None:
    made = outcome(row("a"), row("d", deny=True, condition=constant(True)))
    assert (made.allowed, made.reasons) == (False, ("d:decided",))


def test_deny_whose_condition_is_false_leaves_the_allow() -> None:
    made = outcome(row("a"), row("d", deny=True, condition=constant(False)))
    assert (made.allowed, made.reasons) == (True, ("a:decided",))


def test_default_deny_tells_why_each_rule_did_not_apply() -> None:
    made = outcome(
        row("b", condition=constant(False)),
        row("a", condition=constant(FAULT)),
        row("d", deny=True, condition=constant(False)),
    )
    assert (made.allowed, made.row, made.reasons) == (False, None, ("a:failed", "b:unmet"))


def test_default_deny_tells_no_more_than_its_limit() -> None:
    rows = [row(f"r{number}", condition=constant(False)) for number in range(5)]
    assert outcome(*rows, limit=2).reasons == ("r0:unmet", "r1:unmet")


def test_equal_conditions_are_evaluated_once() -> None:
    calls: list[str] = []
    shared = counting(calls, "shared")
    outcome(row("a", condition=shared, number=0), row("b", condition=shared, number=0))
    assert calls == ["shared"]


def test_null_of_a_shared_condition_is_not_asked_for_again() -> None:
    calls: list[str] = []
    shared = counting(calls, "shared", None)
    outcome(row("a", condition=shared, number=0), row("b", condition=shared, number=0))
    assert calls == ["shared"]


def test_conditions_are_evaluated_in_canonical_order_until_one_decides() -> None:
    calls: list[str] = []
    outcome(
        row("c", condition=counting(calls, "c")),
        row("b", condition=counting(calls, "b", True)),
        row("a", condition=counting(calls, "a")),
        row("z", deny=True, condition=counting(calls, "z")),
    )
    assert calls == ["z", "a", "b"]


@given(row_lists(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: list[RuleRow], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one, other = outcome(*rows), outcome(*shuffled)
    assert (one.allowed, one.row, one.reasons) == (other.allowed, other.row, other.reasons)


@given(row_lists(), st.data())
def test_fault_in_any_condition_never_turns_deny_into_allow(
    rows: list[RuleRow], data: st.DataObject
) -> None:
    before = outcome(*rows)
    number = data.draw(st.integers(0, max(0, len(rows) - 1)))
    failing = [
        row(each.id, deny=each.deny, condition=constant(FAULT)) if place == number else each
        for place, each in enumerate(rows)
    ]
    assert before.allowed or not outcome(*failing).allowed


DENIALS: dict[tuple[Any, ...], Outcome] = {}  # of all examples


@given(row_lists(), st.integers(1, 3), st.data())
def test_denials_that_are_kept_are_those_that_would_be_made(
    rows: list[RuleRow], limit: int, data: st.DataObject
) -> None:
    failing = [data.draw(st.booleans()) for _ in rows]
    rows = [
        row(each.id, deny=each.deny, condition=constant(FAULT)) if fails else each
        for each, fails in zip(rows, failing, strict=True)
    ]
    made = outcome(*rows, limit=limit)
    arguments = canonical(rows), Activation(0, 0, 0), NOTHING, limit, {}, DENIALS
    for kept in (combine(*arguments), combine(*arguments)):
        assert (kept.allowed, kept.row, kept.reasons) == (made.allowed, made.row, made.reasons)


def test_denials_are_kept_up_to_a_number() -> None:
    kept: dict[tuple[Any, ...], Outcome] = {}
    for number in range(3_000):
        unmet = row(f"a{number}", condition=constant(False))
        one = combine((unmet,), Activation(0, 0, 0), NOTHING, 8, {}, kept)
        assert one is combine((unmet,), Activation(0, 0, 0), NOTHING, 8, {}, kept)
        assert one.reasons == (f"a{number}:unmet",)
    assert len(kept) <= 1_024


def decider(rows: list[RuleRow], paths: list[Path] | None = None) -> Decider:
    return Decider(RuleIndex(rows, 100, 1_000, 8), paths or [], 0, NOTHING.reasons, 8, 20, 4)


@given(row_lists(), questions)
def test_decision_by_the_index_is_the_one_by_all_rows(
    rows: list[RuleRow], question: tuple[Any, ...]
) -> None:
    made = decider(rows)
    asked = request(question)
    everything = tuple(each for each in made.index.all_rows() if each.applies(*question))
    one, other = made.decide(asked), made.decide_by(everything, asked)
    assert (one.allowed, one.row, one.reasons) == (other.allowed, other.row, other.reasons)


@pytest.mark.parametrize(
    ("root", "name", "members", "expected"),
    [
        (0, "subject", ("id",), "123"),
        (0, "subject", ("type",), "user"),
        (0, "subject", ("department",), "engineering"),
        (1, "resource", ("id",), "7"),
        (1, "resource", ("type",), "t"),
        (2, "action", ("name",), "t:edit"),
        (3, "context", ("ip",), "10.0.0.7"),
        (4, "company_id", (), "acme"),
    ],
)
def test_conditions_read_the_request(
    root: int, name: str, members: tuple[str, ...], expected: str
) -> None:
    seen: list[Any] = []

    def look(value: Any) -> bool:
        seen.append(value)
        return True

    path = Path(root, name, members)
    rows = [row(condition=Call(look, (Attribute(0, path, 0),), 0))]
    asked = request(
        ("acme", "t:edit", "t", "7", ()),
        # What the request itself says of an entity cannot be said otherwise by its attributes.
        subject={"department": "engineering", "id": "999", "type": "admin"},
        context={"ip": "10.0.0.7"},
    )
    assert decider(rows, [path]).decide(asked).allowed
    assert seen == [expected]


def test_without_a_company_reading_it_is_an_error() -> None:
    path = Path(4, "company_id", ())
    rows = [row("d", deny=True, condition=Attribute(0, path, 0)), row("a")]
    made = decider(rows, [path]).decide(request((None, "a", "t", "1", ())))
    assert made.reasons == ("d:failed",)


def test_nothing_of_a_request_is_left_for_the_next() -> None:
    path = Path(3, "context", ("ok",))
    rows = [row(condition=Attribute(0, path, 0))]
    made = decider(rows, [path])
    question = (None, "a", "t", "1", ())
    answers = [made.decide(request(question, context=c)).allowed for c in ({"ok": True}, None, {})]
    assert answers == [True, False, False]
