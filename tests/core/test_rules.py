"""The index tells exactly the rows that apply, in canonical order, whatever it was loaded with."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.rows import RuleRow, canonical
from taskman_authz._fast.rules import RuleIndex
from tests.core.rows import questions, row, row_lists


def index(rows: list[RuleRow], views: int = 100, references: int = 1_000) -> RuleIndex:
    return RuleIndex(rows, views, references, 8)


def by_brute_force(rows: list[RuleRow], question: tuple[Any, ...]) -> tuple[RuleRow, ...]:
    return canonical(each for each in rows if each.applies(*question))


@given(row_lists(), st.lists(questions, min_size=1, max_size=6))
def test_index_tells_the_rows_of_its_unindexed_twin(
    rows: list[RuleRow], asked: list[tuple[Any, ...]]
) -> None:
    made = index(rows)
    assert made.all_rows() == canonical(rows)
    for question in [*asked, *asked]:  # the second time from memory
        assert made.candidates(*question) == by_brute_force(rows, question)


@given(row_lists(), st.lists(questions, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_order_of_loading_changes_nothing(
    rows: list[RuleRow], asked: list[tuple[Any, ...]], chance: random.Random
) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one, other = index(rows), index(shuffled)
    for question in asked:
        assert one.candidates(*question) == other.candidates(*question)


@given(row_lists(), st.data(), st.lists(questions, min_size=1, max_size=6))
def test_changed_index_is_the_one_of_the_rows_that_there_are_then(
    rows: list[RuleRow], data: st.DataObject, asked: list[tuple[Any, ...]]
) -> None:
    before = index(rows)
    gone = [each for each in rows if data.draw(st.booleans())]
    new = [row(f"new-{each.id}", actions=each.actions) for each in data.draw(row_lists())]
    made = before.changed(gone, new)
    after = [each for each in rows if each not in gone] + new
    assert made.all_rows() == canonical(after)
    assert made.roles == index(after).roles
    for question in asked:
        assert made.candidates(*question) == by_brute_force(after, question)
        assert before.candidates(*question) == by_brute_force(rows, question)
    emptied = made.changed(after, [])
    assert (emptied.all_rows(), emptied.tables) == ((), {})


@given(row_lists(), questions, st.randoms(use_true_random=False))
def test_order_of_the_subjects_roles_changes_nothing(
    rows: list[RuleRow], question: tuple[Any, ...], chance: random.Random
) -> None:
    *rest, roles = question
    shuffled = list(roles)
    chance.shuffle(shuffled)
    made = index(rows)
    assert made.candidates(*rest, roles) == made.candidates(*rest, tuple(shuffled))


@given(row_lists(), st.lists(questions, min_size=1, max_size=10))
def test_what_is_remembered_is_bounded_and_forgetting_changes_nothing(
    rows: list[RuleRow], asked: list[tuple[Any, ...]]
) -> None:
    made = index(rows, views=2, references=3)
    for question in asked:
        assert made.candidates(*question) == by_brute_force(rows, question)
        views, references = made.remembered()
        assert views <= 2
        assert references <= 3 or views == 1


def test_roles_that_no_row_names_are_not_remembered() -> None:
    made = index([row(roles=("dev",)), row("b", roles=("admin",))])
    for number in range(50):
        roles = (f"ghost{number}", "dev", f"ghost{number}", "dev")
        assert [each.id for each in made.candidates(None, "t:edit", "t", "1", roles)] == ["a"]
    assert made.remembered()[0] == 1


def test_names_count_for_what_is_remembered() -> None:
    made = index([row()], references=1_000)
    for number in range(50):
        made.candidates(None, f"t:{number}" + "x" * 500, "t", "1", ())
        assert made.remembered()[1] <= 1_000


@given(row_lists(), questions)
def test_no_row_of_another_company_applies(rows: list[RuleRow], question: tuple[Any, ...]) -> None:
    for found in index(rows).candidates(*question):
        assert found.company is None or found.company == question[0]


def test_deny_rows_come_first_then_ids() -> None:
    rows = [row("b"), row("z", deny=True), row("a"), row("y", deny=True)]
    assert [each.id for each in canonical(rows)] == ["y", "z", "a", "b"]


def test_row_reached_on_several_ways_is_told_once() -> None:
    wide = row(actions=("t:*", "t:edit"), resources=("t/*", "t/1"), roles=("dev", "*"))
    assert index([wide]).candidates(None, "t:edit", "t", "1", ("dev", "admin")) == (wide,)


def test_row_attached_to_no_role_applies_to_nobody() -> None:
    assert index([row(roles=())]).candidates(None, "a", "t", "1", ("*", "")) == ()


@pytest.mark.parametrize("company", [None, "acme"])
def test_role_of_everyone_needs_no_role(company: str | None) -> None:
    everyone = row(roles=("*",))
    assert index([everyone]).candidates(company, "a", "t", "1", ()) == (everyone,)
