"""Watching an evaluation: every part that is evaluated shows itself, and the value is the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from taskman_authz import cel
from taskman_authz._fast.tree import Literal
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from tests.cel.typed import DYNAMIC, TYPES, expressions, inputs
from tests.core.strategies import is_fault, same

TYPED = cel.Env(TYPES)
MIXED = cel.Env(DYNAMIC)
ENV = cel.Env({"x": "int", "names": "list(string)", "task": "dyn"})


def watch(text: str, variables: dict[str, Any], answer: Any = lambda id, value: value) -> Any:
    """The value, and the values of the parts in the order in which they were shown."""
    shown: list[Any] = []

    def observer(id: int, value: Any) -> Any:
        shown.append(value)
        return answer(id, value)

    return ENV.compile(text).observable().value(variables, observer), shown


@given(expressions(), inputs())
def test_watching_changes_no_value(text, variables):
    for env, check in ((TYPED, True), (MIXED, True), (MIXED, False)):
        program = env.compile(text, check=check)
        found = program.observable().value(variables, lambda id, value: value)
        expected = program.value(variables)
        if type(expected) is Fault:
            assert is_fault(found, expected.code, *expected.details)
        else:
            assert same(found, expected)


def test_every_part_that_is_evaluated_is_shown_operands_first():
    assert watch("x + 1 > 2", {"x": 4}) == (True, [4, 1, 5, 2, True])


def test_a_branch_that_is_not_taken_is_not_shown():
    assert watch("x > 2 ? 'much' : 'few'", {"x": 4}) == ("much", [4, 2, True, "much", "much"])


def test_a_part_within_a_loop_is_shown_once_a_turn():
    value, shown = watch("names.exists(n, n == 'b')", {"names": ["a", "b", "c"]})
    assert value is True
    assert shown == [["a", "b", "c"], "a", "b", False, "b", "b", True, True]


def test_an_attribute_path_is_one_part():
    assert watch("task.owner.name", {"task": {"owner": {"name": "ann"}}}) == ("ann", ["ann"])


def test_an_optional_member_can_be_watched():
    env = cel.Env({"task": "dyn"}, libraries=[ext.OPTIONALS])
    watched = env.compile("task.?owner.orValue('nobody')").observable()
    assert watched.value({"task": {"owner": "ann"}}, lambda id, value: value) == "ann"
    assert watched.value({"task": {}}, lambda id, value: value) == "nobody"


def test_what_the_observer_answers_stands_for_the_part():
    stopped = Fault("limit_exceeded", ("evaluation_cost", 1))
    value, _ = watch("x > 2 && true", {"x": 4}, lambda id, found: stopped)
    assert value is stopped


def test_the_parts_have_the_ids_of_the_tree():
    watched = ENV.compile("'a'").observable()
    ids: list[int] = []
    watched.value({}, lambda id, value: ids.append(id) or value)
    assert type(watched.tree) is Literal
    assert ids == [watched.tree.id]
