"""Explanations: what every part of an expression came to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from taskman_authz import EvaluationError, cel
from taskman_authz._fast.values import Fault
from taskman_authz.cel import Explanation, ext
from tests.cel.typed import DYNAMIC, expressions, inputs
from tests.core.strategies import same

MIXED = cel.Env(DYNAMIC)
ENV = cel.Env(
    dict.fromkeys(("subject", "resource", "tags", "x"), "dyn"),
    libraries=[
        *(ext.OPTIONALS, ext.BINDINGS, ext.COMPREHENSIONS, ext.BLOCK),
        *(ext.LISTS, ext.MATH),
    ],
)


def explain(text: str, **variables: Any) -> Explanation:
    return ENV.compile(text).explain(variables)


def shown(part: Explanation) -> Any:
    """A part as text: what it came to, and the parts below it."""
    name = f"{part.name} = " if part.name else ""
    if not part.evaluated:
        return name + part.text, "not evaluated"
    outcome = part.value if part.error is None else part.error.code
    below = [shown(inner) for inner in part.parts]
    below += [(turn.number, turn.variables, *map(shown, turn.parts)) for turn in part.turns]
    return (name + part.text, outcome, *below)


def outside_loops(part: Explanation) -> Iterator[Explanation]:
    yield part
    for inner in part.parts:
        yield from outside_loops(inner)


def without_macros(text: str) -> cel.Program:
    """A program of a tree that does not tell which macros its loops were written with."""
    parsed = ENV.parse(text)
    return ENV.program(parsed._replace(macro_calls={}))


def test_a_loop_without_its_macro_is_told_in_its_parts():
    found = without_macros("size(tags) > 1 && tags.all(t, t != '')").explain({"tags": ["a", "b"]})
    loop = found.parts[1]
    assert loop.value is True
    assert loop.text == (
        "__comprehension__(t, tags, @result, true, @not_strictly_false(@result), "
        "@result && t != '', @result)"
    )
    assert [part.text for part in loop.parts] == ["tags"]


# -- properties -----------------------------------------------------------------------------------


@given(expressions(), inputs())
def test_every_part_comes_to_what_it_comes_to_alone(text, variables):
    explanation = MIXED.compile(text, check=False).explain(variables)
    for part in outside_loops(explanation):
        if part.evaluated:
            found = MIXED.compile(part.text, check=False).value(variables)
            if part.error is None:
                assert same(found, part.value)
            else:
                assert type(found) is Fault and found.code == part.error.code


# -- parts ----------------------------------------------------------------------------------------


def test_a_condition_is_taken_apart_into_what_was_written():
    found = explain(
        "subject.department == 'engineering' && resource.owner == subject.id",
        subject={"department": "sales", "id": "ann"},
        resource={"owner": "bob"},
    )
    assert shown(found) == (
        "subject.department == 'engineering' && resource.owner == subject.id",
        False,
        ("subject.department == 'engineering'", False, ("subject.department", "sales")),
        ("resource.owner == subject.id", "not evaluated"),
    )


def test_a_part_has_its_place():
    found = explain("x > 1 &&\n  x < 5", x=3)
    assert [(part.line, part.column, part.position) for part in found.parts] == [
        (1, 3, 2),
        (2, 5, 13),
    ]


def test_a_chain_of_operators_is_one_part():
    found = explain("x == 1 || x == 2 || x == 3 || x == 4", x=3)
    assert [part.value for part in found.parts] == [False, False, True, None]
    assert [part.evaluated for part in found.parts] == [True, True, True, False]


def test_a_branch_that_is_not_taken_was_not_evaluated():
    assert shown(explain("x > 2 ? x : x * 2", x=3)) == (
        "x > 2 ? x : x * 2",
        3,
        ("x > 2", True, ("x", 3)),
        ("x", 3),
        ("x * 2", "not evaluated"),
    )


def test_an_error_is_shown_where_it_came_about_and_in_what_it_went_through():
    found = explain("resource.owner == 'ann' || x > 1", resource={}, x=1)
    assert shown(found) == (
        "resource.owner == 'ann' || x > 1",
        "no_such_key",
        ("resource.owner == 'ann'", "no_such_key", ("resource.owner", "no_such_key")),
        ("x > 1", False, ("x", 1)),
    )
    assert isinstance(found.error, EvaluationError)
    assert found.error.place is not None


def test_literals_are_no_parts():
    assert shown(explain("x in ['a', 'b'] && timestamp('2026-01-01T00:00:00Z') != x", x="a")) == (
        "x in ['a', 'b'] && timestamp('2026-01-01T00:00:00Z') != x",
        True,
        ("x in ['a', 'b']", True, ("x", "a")),
        ("timestamp('2026-01-01T00:00:00Z') != x", True, ("x", "a")),
    )


def test_an_attribute_is_one_part_whatever_leads_to_it():
    resource = {"tags": ["a"], "owner": {"id": "ann"}}
    for text, value in [
        ("resource.owner.id", "ann"),
        ("resource.tags[0]", "a"),
        ("resource['owner'].id", "ann"),
        ("has(resource.owner.id)", True),
        ("resource.?owner.id", cel.Optional.of("ann")),
    ]:
        assert shown(explain(text, resource=resource)) == (text, value)


def test_optional_values_are_parts():
    assert shown(explain("resource.?owner.orValue('nobody') == 'ann'", resource={})) == (
        "resource.?owner.orValue('nobody') == 'ann'",
        False,
        (
            "resource.?owner.orValue('nobody')",
            "nobody",
            ("resource.?owner", cel.Optional.none()),
        ),
    )
    assert shown(explain("x.?a.optMap(v, v + 1)", x={"a": 1})) == (
        "x.?a.optMap(v, v + 1)",
        cel.Optional.of(2),
        ("x.?a", cel.Optional.of(1)),
        ("v + 1", 2),
    )


def test_a_bound_name_stands_before_its_value():
    text = "cel.bind(level, x + 1, level > 0 && level < 5)"
    assert shown(explain(text, x=1)) == (
        text,
        True,
        ("level = x + 1", 2, ("x", 1)),
        ("level > 0 && level < 5", True, ("level > 0", True), ("level < 5", True)),
    )
    assert shown(explain("cel.block([x, cel.index(0) + 1], cel.index(1) * 2)", x=1)) == (
        "cel.block([x, cel.index(0) + 1], cel.index(1) * 2)",
        4,
        ("cel.index(0) = x", 1),
        ("cel.index(1) = cel.index(0) + 1", 2),
        ("cel.index(1) * 2", 4),
    )


def test_a_bound_value_that_nobody_reads_was_not_evaluated():
    assert shown(explain("cel.bind(n, x / 0, 1 + 1)", x=1)) == (
        "cel.bind(n, x / 0, 1 + 1)",
        2,
        ("n = x / 0", "not evaluated"),
        ("1 + 1", 2),
    )


def test_the_namespace_of_a_function_is_no_part():
    assert shown(explain("math.greatest(x, 2)", x=1)) == ("math.greatest(x, 2)", 2, ("x", 1))
    assert shown(explain("optional.of(x)", x=1)) == (
        "optional.of(x)",
        cel.Optional.of(1),
        ("x", 1),
    )


# -- loops ----------------------------------------------------------------------------------------


def test_a_loop_shows_each_turn_with_its_variable():
    assert shown(explain("tags.exists(t, t == x)", tags=["a", "b", "c"], x="b")) == (
        "tags.exists(t, t == x)",
        True,
        ("tags", ["a", "b", "c"]),
        (1, {"t": "a"}, ("t == x", False, ("x", "b"))),
        (2, {"t": "b"}, ("t == x", True, ("x", "b"))),
    )


def test_a_turn_shows_what_it_made_where_its_predicate_let_it():
    assert shown(explain("tags.map(t, t > 1, t * 2)", tags=[1, 2])) == (
        "tags.map(t, t > 1, t * 2)",
        [4],
        ("tags", [1, 2]),
        (1, {"t": 1}, ("t > 1", False), ("t * 2", "not evaluated")),
        (2, {"t": 2}, ("t > 1", True), ("t * 2", 4)),
    )


def test_loops_within_loops_show_the_turns_of_each_turn():
    assert shown(explain("tags.all(l, l.exists(i, i > 1))", tags=[[2], [0, 1]])) == (
        "tags.all(l, l.exists(i, i > 1))",
        False,
        ("tags", [[2], [0, 1]]),
        (1, {"l": [2]}, ("l.exists(i, i > 1)", True, (1, {"i": 2}, ("i > 1", True)))),
        (
            2,
            {"l": [0, 1]},
            (
                "l.exists(i, i > 1)",
                False,
                (1, {"i": 0}, ("i > 1", False)),
                (2, {"i": 1}, ("i > 1", False)),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("x.all(k, k == 'a')", [{"k": "a"}]),
        ("x.all(k, v, k == 'a' && v == 1)", [{"k": "a", "v": 1}]),
        ("tags.exists(i, t, t == 'b')", [{"i": 0, "t": "a"}, {"i": 1, "t": "b"}]),
        ("tags.filter(t, t == 'b')", [{"t": "a"}, {"t": "b"}]),
        ("tags.transformMap(i, t, t + '!')", [{"i": 0, "t": "a"}, {"i": 1, "t": "b"}]),
        ("tags.sortBy(t, t + '!')", [{"t": "a"}, {"t": "b"}]),
    ],
)
def test_a_turn_says_what_the_variables_were(text, variables):
    found = explain(text, x={"a": 1}, tags=["a", "b"])
    assert [turn.variables for turn in found.turns] == variables


def test_of_a_long_loop_the_first_turns_and_the_one_that_decided_are_kept():
    found = explain("x.exists(i, i == 500)", x=list(range(1_000)))
    assert found.turn_count == 501
    assert [turn.number for turn in found.turns] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 501]
    assert found.turns[-1].parts[0].value is True


def test_a_name_hides_only_where_it_is_given():
    found = explain("x.size() > 0 && tags.exists(x, x == 'a')", x=[1], tags=["a"])
    assert shown(found)[2] == ("x.size() > 0", True, ("x.size()", 1, ("x", [1])))


def test_an_expression_that_was_not_checked_is_explained():
    found = ENV.compile("x.y > 1 && z", check=False).explain({"x": {"y": 2}, "z": True})
    assert shown(found) == (
        "x.y > 1 && z",
        True,
        ("x.y > 1", True, ("x.y", 2)),
        ("z", True),
    )


def test_an_explanation_keeps_nothing_that_the_caller_changes():
    tags = ["a"]
    found = explain("tags", tags=tags)
    tags.append("b")
    assert found.value == ["a"]
