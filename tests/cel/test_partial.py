"""Evaluation where not everything is known: a value that holds whatever the rest is, or what would
have to be known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CompileError, EvaluationError, cel
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ANY, AttributePattern, Unknown, ext
from taskman_authz.cel.partial import Partial
from tests.cel.typed import DYNAMIC, TYPES, VALUES, expressions, inputs
from tests.core.strategies import same

TYPED = cel.Env(TYPES)
MIXED = cel.Env(DYNAMIC)
NAMES = ("a", "b", "x", "y", "items", "task", "tags", "resource")
ENV = cel.Env(
    dict.fromkeys(NAMES, "dyn"),
    libraries=[ext.OPTIONALS, ext.BINDINGS, ext.COMPREHENSIONS, ext.BLOCK],
)


def partial(text: str, variables: dict[str, Any], *unknown: str | AttributePattern) -> Any:
    """What a partial evaluation comes to, checked and unchecked."""
    found = ENV.compile(text).partial(variables, unknown)
    assert ENV.compile(text, check=False).partial(variables, unknown) == found
    return found


def unknown(text: str, variables: dict[str, Any], *patterns: str | AttributePattern) -> set[str]:
    """The attributes that would have to be known."""
    found = partial(text, variables, *patterns)
    assert isinstance(found, Unknown), found
    return set(found.attributes)


# -- properties -----------------------------------------------------------------------------------


@given(expressions(), inputs())
def test_where_all_is_known_it_is_the_value(text, variables):
    for env, check in ((TYPED, True), (MIXED, True), (MIXED, False)):
        program = env.compile(text, check=check)
        found = program_value(program, variables, ())
        expected = program.value(variables)
        assert same(found, expected) or (type(found) is Fault and type(expected) is Fault)


HIDDEN = st.sets(st.sampled_from(sorted(VALUES)))


@given(st.one_of(expressions(), expressions(dynamic=True)), inputs(), inputs(), HIDDEN)
def test_a_value_holds_whatever_the_unknown_is(text, variables, others, hidden):
    program = MIXED.compile(text, check=False)
    found = program_value(program, variables, hidden)
    if type(found) is Fault and found.code == "unknown":
        assert set(found.details) <= hidden
        return
    for rest in (variables, others):
        expected = program.value(variables | {name: rest[name] for name in hidden})
        assert same(found, expected) or (type(found) is Fault and type(expected) is Fault)


def program_value(program: Any, variables: dict[str, Any], hidden: Any) -> Any:
    """The core value, or a Fault, of a partial evaluation."""
    given_ = {name: value for name, value in variables.items() if name not in hidden}
    planned = Partial(program.origin.expression(program.source))
    return planned.value(given_, [AttributePattern(name) for name in hidden])


# -- what absorbs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("false && x", False),
        ("x && false", False),
        ("true || x", True),
        ("x || true", True),
        ("true ? 1 : x", 1),
        ("[1, 2].exists(i, i == 2 || x)", True),
        ("[1, 2].all(i, i == 2 && x)", False),
        ("[1, 2, 3].exists(i, i > 2 ? true : x)", True),
        ("[1, 2].all(i, v, i == 1 ? v == 0 : x)", False),
        ("optional.of(1).orValue(x)", 1),
        ("cel.bind(n, x, 1)", 1),
        ("cel.block([x, 1], cel.index(1))", 1),
        ("[].map(i, x)", []),
        ("[1].filter(i, i > 1 && x)", []),
    ],
)
def test_what_decides_decides_whatever_the_unknown_is(text, value):
    assert partial(text, {}, "x") == value


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("x", {"x"}),
        ("x && y", {"x", "y"}),
        ("true && x", {"x"}),
        ("x || false || y", {"x", "y"}),
        ("x ? 1 : y", {"x"}),
        ("true ? x : y", {"x"}),
        ("x + 1 > y", {"x", "y"}),
        ("[1, x, {'k': y}]", {"x", "y"}),
        ("{x: y}", {"x", "y"}),
        ("[1, 2].exists(i, i == x)", {"x"}),
        ("[1, 2].map(i, i == 1 ? x : y)", {"x", "y"}),
        ("[1, 2].filter(i, i == 1 ? x : y)", {"x", "y"}),
        ("[1, 2].exists_one(i, i == 1 ? x : y)", {"x", "y"}),
        ("[1, 2].transformMap(i, v, i == 1 ? x : y)", {"x", "y"}),
        ("[1, 2].transformMapEntry(i, v, i == 0 ? x : {i: y})", {"x", "y"}),
        ("[1, 2].transformList(i, v, i == 1 ? x : y, v)", {"x", "y"}),
        ("x.exists(i, i == y)", {"x"}),
        ("[[1], [2]].exists(l, l.exists(i, i == 1 ? x : y))", {"x", "y"}),
        ("x[y]", {"x", "y"}),
        ("x.?owner.orValue(y)", {"x"}),
        ("[?x, y]", {"x", "y"}),
        ("x.optMap(v, v + 1)", {"x"}),
        ("cel.bind(n, x, n + n + y)", {"x", "y"}),
        ("!x", {"x"}),
        ("has(x.owner)", {"x"}),
        ("x.size() + size(y)", {"x", "y"}),
    ],
)
def test_what_nothing_decides_names_all_that_would_have_to_be_known(text, attributes):
    assert unknown(text, {}, "x", "y") == attributes


@pytest.mark.parametrize(
    "text",
    ["1 / 0 > 0 || x", "x || 1 / 0 > 0", "1 / 0 > 0 && x", "[1, 2].exists(i, i == 1 ? a : x)"],
)
def test_an_unknown_beats_an_error_where_nothing_decides(text):
    assert unknown(text, {}, "x") == {"x"}


def test_several_errors_and_no_unknown_are_an_error():
    with pytest.raises(EvaluationError):
        partial("1 / 0 > 0 || a", {})


def test_a_missing_variable_is_an_error_unless_a_pattern_covers_it():
    with pytest.raises(EvaluationError, match="no such attribute: `a`"):
        partial("a > 1", {}, "x")
    assert unknown("a > 1", {}, "a") == {"a"}


def test_an_unknown_is_no_yes():
    assert not partial("x", {}, "x")


# -- attributes -----------------------------------------------------------------------------------

ITEMS = {"items": [{"name": "pen", "price": 2}, {"name": "ink", "price": 5}]}


def test_a_pattern_covers_what_lies_below_it():
    given_ = {"resource": {"owner": {"name": "ann"}, "kind": "task"}}
    assert unknown("resource.owner.name == 'ann'", given_, "resource.owner") == {"resource.owner"}
    assert partial("resource.kind", given_, "resource.owner") == "task"


def test_what_needs_the_whole_does_not_know_it():
    given_ = {"resource": {"owner": "ann", "kind": "task"}}
    for text in ("resource == {}", "size(resource)", "resource", "[resource]", "'k' in resource"):
        assert unknown(text, given_, "resource.owner") == {"resource"}


def test_a_pattern_covers_what_is_not_given():
    assert unknown("resource.owner == 'ann'", {}, "resource.owner") == {"resource.owner"}
    assert unknown("resource.?owner.orValue('')", {}, "resource.owner") == {"resource.owner"}
    assert unknown("has(resource.owner)", {"resource": {}}, "resource.owner") == {"resource.owner"}


def test_an_index_and_a_key_are_told_apart():
    given_ = {"tags": ["a", "b"], "task": {"0": "zero"}}
    assert unknown("tags[0]", given_, "tags[0]") == {"tags[0]"}
    assert unknown("tags[0u]", given_, "tags[0]") == {"tags[0]"}
    assert partial("tags[1]", given_, "tags[0]") == "b"
    assert partial("task['0']", given_, "task[0]") == "zero"
    assert unknown("task['0']", given_, "task['0']") == {"task['0']"}
    assert unknown("task[?'0']", given_, "task['0']") == {"task['0']"}


def test_a_wildcard_is_any_key():
    assert unknown("items[1].price > 3", ITEMS, "items[*].price") == {"items[1].price"}
    assert unknown("items[1].name", ITEMS, "items.*.*") == {"items[1].name"}
    assert partial("items[1].name", ITEMS, "items[*].price") == "ink"


def test_loops_go_over_what_is_known_in_part():
    assert partial("items.exists(i, i.name == 'ink')", ITEMS, "items[*].price") is True
    assert partial("items.map(i, i.name)", ITEMS, "items[*].price") == ["pen", "ink"]
    assert unknown("items.all(i, i.name == 'ink' || i.price < 3)", ITEMS, "items[*].price") == {
        "items[0].price"
    }


def test_a_loop_does_not_go_over_what_may_have_more_members():
    assert unknown("items.exists(i, i.name == 'ink')", ITEMS, "items[0]") == {"items"}
    assert unknown("task.all(k, k == 'a')", {"task": {"a": 1}}, "task.b") == {"task"}


def test_a_loop_over_a_map_reads_its_members_in_part():
    given_ = {"task": {"a": {"x": 1, "y": 2}}}
    assert partial("task.all(k, v, k == 'a' && v.x == 1)", given_, "task.*.y") is True
    assert unknown("task.all(k, v, v.y == 2)", given_, "task.*.y") == {"task.a.y"}


def test_a_name_for_what_is_known_in_part_is_read_in_part():
    given_ = {"task": {"a": 1}}
    assert partial("cel.bind(t, task, t.a)", given_, "task.b") == 1
    assert unknown("cel.bind(t, task, t.b)", given_, "task.b") == {"task.b"}


def test_a_branch_may_be_known_in_part():
    given_ = {"task": {"a": 1}, "resource": {"a": 2}}
    assert partial("(true ? task : resource).a", given_, "task.b") == 1


def test_a_variable_whose_name_has_dots_is_covered():
    env = cel.Env({"task.owner": "map(string, string)"})
    program = env.compile("task.owner.name == 'ann'")
    for pattern in ("task", "task.owner", "task.owner.name"):
        assert isinstance(program.partial({}, pattern), Unknown)
    assert program.partial({"task.owner": {"name": "ann"}}, "task.owner.id") is True


def test_a_variable_of_a_loop_is_no_attribute():
    assert partial("[1].exists(x, x == 1)", {}, "x") is True


def test_patterns_are_texts_or_keys():
    for text, keys in [
        ("resource.owner", ("resource", "owner")),
        ("task.tags[0]", ("task", "tags", 0)),
        ("items[*].price", ("items", ANY, "price")),
        ("""a['b c']["d"][true]""", ("a", "b c", "d", True)),
        ("a.`b-c`", ("a", "b-c")),
    ]:
        assert AttributePattern(text) == AttributePattern.of(*keys)
        assert AttributePattern(str(AttributePattern(text))) == AttributePattern(text)
    pattern = AttributePattern.of("items", ANY, "price")
    assert unknown("items[0].price", ITEMS, pattern) == {"items[0].price"}


@pytest.mark.parametrize("text", ["", "*", "a.", "a[", "a[]", "a b", "a['b]", "a[1.5]", "1a"])
def test_a_text_that_is_no_pattern_is_refused_with_its_place(text):
    with pytest.raises(CompileError) as raised:
        partial("a", {}, text)
    assert [issue.code for issue in raised.value.issues] == ["invalid_attribute"]
