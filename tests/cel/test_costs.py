"""Costs: what is estimated holds of what is counted, and a budget that is passed is an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from taskman_authz import cel
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext, functions, stdlib
from taskman_authz.cel.costs import UNBOUNDED, Cost, Counter
from taskman_authz.cel.library import function
from taskman_authz.errors import EvaluationError
from tests.cel.typed import DYNAMIC, TYPES, expressions, inputs

TYPED = cel.Env(TYPES)
MIXED = cel.Env(DYNAMIC)
EVERYTHING = [*(ext.STRINGS, ext.LISTS, ext.SETS, ext.OPTIONALS, ext.BINDINGS, ext.BLOCK),
              *(ext.COMPREHENSIONS, ext.MATH, ext.REGEX)]  # fmt: skip


def sizes_of(variables: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The sizes of values and of what they hold, exactly."""
    sizes = {}
    for name, value in variables.items():
        if isinstance(value, (str, list, dict)):
            sizes[name] = (len(value), len(value))
        else:
            sizes[name] = (1, 1)
        if isinstance(value, (list, dict)):
            held = [len(each) if isinstance(each, str) else 1 for each in value] or [0]
            sizes[f"{name}.{'@items' if isinstance(value, list) else '@keys'}"] = (
                min(held),
                max(held),
            )
    return sizes


def counted(program: cel.Program, variables: dict[str, Any]) -> tuple[int, bool]:
    """What an evaluation costs, and whether some part of it failed."""
    watched = program.observable()
    counter = Counter(watched)
    failed = []

    def observer(id: int, value: Any) -> Any:
        if type(value) is Fault:
            failed.append(id)
        return counter(id, value)

    watched.value(program.core_variables(variables), observer)
    return counter.cost, bool(failed)


def holds(program: cel.Program, variables: dict[str, Any]) -> None:
    cost, failed = counted(program, variables)
    for estimate in (program.estimate(sizes_of(variables)), program.cost):
        assert cost <= estimate.most
        assert failed or estimate.least <= cost


@given(expressions(), inputs())
def test_what_is_counted_lies_within_what_is_estimated(text, variables):
    for env, check in ((TYPED, True), (MIXED, True), (MIXED, False)):
        holds(env.compile(text, check=check), variables)


@given(expressions(dynamic=True), inputs())
def test_the_same_where_types_are_not_known(text, variables):
    holds(MIXED.compile(text, check=False), variables)


@given(expressions(), inputs())
def test_measuring_gives_the_value_that_evaluating_gives(text, variables):
    program = TYPED.compile(text)
    try:
        expected = program.evaluate(variables)
    except EvaluationError as error:
        with pytest.raises(EvaluationError) as caught:
            program.measure(variables)
        assert caught.value.code == error.code
        return
    value, cost = program.measure(variables)
    assert repr(value) == repr(expected)
    assert repr(program.evaluate(variables, budget=cost)) == repr(expected)
    if cost:
        with pytest.raises(EvaluationError) as caught:
            program.evaluate(variables, budget=cost - 1)
        assert caught.value.code == "limit_exceeded"
        assert f"`budget` of {cost - 1}" in caught.value.message


WORDS = ["red", "green", "a much longer word than these"]
VARIABLES: dict[str, Any] = {
    "x": 7,
    "name": "n" * 25,
    "words": WORDS,
    "task": {"tags": WORDS, "owner": "ann", "sizes": {"a": 1, "bb": 2}},
}
DECLARED = {"x": "int", "name": "string", "words": "list(string)", "task": "dyn"}
SIZES = {
    "name": 25,
    "words": 3,
    "words.@items": 29,
    "task.tags": 3,
    "task.tags.@items": 29,
    "task.owner": 3,
    "task.sizes": 2,
    "task.sizes.@keys": 2,
    "task.sizes.@values": 1,
}
# What it costs, and the most that it may, sizes known.
COSTS: dict[str, tuple[int, int]] = {
    "1": (0, 0),
    "x": (1, 1),
    "task.owner": (2, 2),
    "has(task.owner)": (2, 2),
    "x + 1 > 2": (3, 3),
    "[x, 1]": (11, 11),
    "{'a': x}": (31, 31),
    "name == 'ann'": (2, 2),
    "name == name": (5, 5),
    "name + name": (7, 7),
    "name.startsWith('nnnnnnnnnnnn')": (3, 3),
    "name.contains('nnnnnnnnnnnn')": (7, 7),
    "name.matches('n+')": (4, 4),
    "'x' in words": (4, 4),
    "x > 5 || x / 0 > 1": (2, 5),
    "x > 9 || x > 8": (4, 4),
    "x > 5 ? name + name : ''": (9, 9),
    "words.all(w, w != '')": (14, 14),
    "words.exists(w, w == 'green')": (14, 20),
    "words.filter(w, w == 'green')": (33, 57),
    "words.map(w, w + '!')": (56, 60),
    "words.exists_one(w, w == 'red')": (13, 15),
    "task.tags.exists(t, t == 'green')": (15, 21),
    "task.sizes.all(k, k != 'c')": (13, 13),
    "task.sizes.transformMap(k, v, v + x)": (45, 45),
    "task.?owner.orValue('') == 'ann'": (4, 4),
    "cel.bind(n, name + name, n == n)": (14, 14),
    "task.?owner.optMap(o, o + '!').orValue('')": (6, 6),
    "name.upperAscii() == 'N'": (8, 8),
    "lists.range(20).size()": (5, UNBOUNDED),
}


@pytest.mark.parametrize("text", COSTS)
def test_what_expressions_cost(text):
    program = cel.Env(DECLARED, libraries=EVERYTHING).compile(text)
    cost, most = COSTS[text]
    assert program.measure(VARIABLES)[1] == cost
    assert program.estimate(SIZES).most == most
    assert program.estimate(SIZES).least <= cost


UNSIZED = ["task.tags.all(t, t != '')", "words.exists(w, w == name)", "'a' in words"]


@pytest.mark.parametrize("text", UNSIZED)
def test_without_sizes_there_is_no_most(text):
    cost = cel.Env(DECLARED, libraries=EVERYTHING).compile(text).cost
    assert (cost.most, cost.bounded) == (UNBOUNDED, False)
    assert str(cost) == f"{cost.least} or more"


def test_loops_cost_what_they_do_in_the_reference():
    # From the tests of cel-go's estimates.
    one = cel.Env({"input": "list(int)"}).compile("input.all(x, true)")
    assert one.estimate({"input": 100}) == Cost(2, 302)
    two = cel.Env({"input": "list(list(int))"}).compile("input.all(x, x.all(y, true))")
    assert two.estimate({"input": 50, "input.@items": 10}) == Cost(2, 1_752)


def test_a_cost_reads_as_words():
    assert [str(Cost(1, 1)), str(Cost(1, 9))] == ["1", "1 to 9"]


@pytest.mark.parametrize(
    "text",
    [
        "xs.all(a, xs.all(b, xs.all(c, a + b + c >= 0)))",
        "xs.map(a, xs.map(b, a * b)).size() > 0",
        "xs.exists(a, xs.exists(b, a == b + 100) || true) || true",
        "xs.all(a, xs.all(b, true)) || xs.size() > 0",
        "[1].exists(e, xs.all(a, xs.all(b, true)) || xs.size() > 0)",
        "cel.bind(all, xs.map(a, xs.map(b, b)), all.size() > 0 || true)",
    ],
)
def test_nothing_makes_an_answer_of_a_budget_that_is_passed(text):
    program = cel.Env({"xs": "list(int)"}, libraries=EVERYTHING).compile(text)
    with pytest.raises(EvaluationError) as caught:
        program.evaluate({"xs": list(range(50))}, budget=200)
    assert caught.value.code == "limit_exceeded"
    assert caught.value.place is not None


def test_a_function_of_the_embedder_costs_what_it_says():
    for cost, expected in ((12, 12), (lambda size: 2 * size, 50), (None, 4)):
        library = function("slow", "(string) -> bool", lambda text: True, cost=cost)
        program = cel.Env(DECLARED, libraries=[library]).compile("slow(name)")
        assert program.measure(VARIABLES) == (True, 1 + expected)
        assert program.estimate({"name": 25}).most == 1 + expected


def test_a_list_of_a_policy_is_gone_over():
    env = cel.Env(
        DECLARED, declarations=stdlib.POLICY, implementations=functions.POLICY, libraries=EVERYTHING
    )
    program = env.compile("words.contains('blue')")
    assert program.measure(VARIABLES) == (False, 4)
    assert program.estimate(SIZES) == Cost(1, 4)
