"""Loops with two variables: index and element, key and value."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskman_authz._fast import folds, pairs
from taskman_authz._fast.values import Fault, MixedMap, UInt
from taskman_authz.cel import Env, ext
from taskman_authz.cel.macros import MacroTable
from taskman_authz.cel.unparser import unparse
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value
from tests.cel.test_planner import alike
from tests.core.strategies import VALUES

ENV = env_of(ext.COMPREHENSIONS, x="dyn", l="list(int)", m="map(string, int)")
GIVEN = {"x": {}, "l": [5, 7, 9], "m": {"a": 1, "b": 2}}


def found(text, **variables):
    return value(ENV, text, **{**GIVEN, **variables})


@pytest.mark.parametrize(
    "text, expected",
    [
        ("l.all(i, v, v == 5 + 2 * i)", True),
        ("l.all(i, v, i < 2)", False),
        ("m.all(k, v, k == 'a' || v == 2)", True),
        ("l.exists(i, v, i == 1 && v == 7)", True),
        ("m.exists(k, v, k == 'a' && v == 2)", False),
        ("l.existsOne(i, v, v > 5 && i < 2)", True),
        ("l.exists_one(i, v, v > 5)", False),
        ("m.existsOne(k, v, v == 2)", True),
        ("l.transformList(i, v, i * v)", [0, 7, 18]),
        ("l.transformList(i, v, i != 1, v)", [5, 9]),
        ("m.transformList(k, v, k + string(v))", ["a1", "b2"]),
        ("m.transformList(k, v, v > 1, k)", ["b"]),
        ("l.transformMap(i, v, v + i)", {0: 5, 1: 8, 2: 11}),
        ("m.transformMap(k, v, v * 10)", {"a": 10, "b": 20}),
        ("m.transformMap(k, v, v > 1, v)", {"b": 2}),
        ("m.transformMapEntry(k, v, {v: k})", {1: "a", 2: "b"}),
        ("m.transformMapEntry(k, v, k == 'a', {k: v, 'c': v})", {"a": 1, "c": 1}),
        ("l.transformMapEntry(i, v, {})", {}),
        ("l.transformMapEntry(i, v, {v: i, 'k' + string(v): i})", None),
        ("[true, 1].transformMapEntry(i, v, {v: i})", MixedMap([(True, 0), (1, 1)])),
        ("[1].transformMap(i, v, l.transformList(j, w, w + i + j))", {0: [5, 8, 11]}),
        ("m.transformMap(k, v, l.exists(e, e == v + 4))", {"a": True, "b": False}),
        ("l.map(e, l.transformList(i, v, i * e))[1]", [0, 7, 14]),
        ("[].all(i, v, 1 / 0 == 1)", True),
        ("{}.transformMap(k, v, 1 / 0)", {}),
        ("l.all(i, v, v / i > 0 || i == 0)", True),
        ("l.exists(i, v, v / i == 7)", True),
        ("l.all(i, v, v / i == 0)", False),
        ("l.exists_one(_, v, v == 5)", True),
    ],
)
def test_value(text, expected):
    made = found(text)
    if isinstance(expected, MixedMap):
        assert made.items() == expected.items()
    else:
        assert made == (expected if expected is not None else made)


@pytest.mark.parametrize(
    "text, code",
    [
        ("l.all(i, v, v / i > 0)", "division_by_zero"),
        ("l.exists(i, v, v / i > 100)", "division_by_zero"),
        ("l.existsOne(i, v, v / i > 100)", "division_by_zero"),
        ("l.transformList(i, v, v / i)", "division_by_zero"),
        ("l.transformList(i, v, v / i > 0, v)", "division_by_zero"),
        ("l.transformMap(i, v, v / i)", "division_by_zero"),
        ("l.transformMapEntry(i, v, {v / i: 1})", "division_by_zero"),
        ("[1, 1].transformMapEntry(i, v, {v: i})", "duplicate_key"),
        ("[0, 0u].transformMapEntry(i, v, {v: i})", "duplicate_key"),
        ("l.transformMapEntry(i, v, dyn(v))", "no_such_overload"),
        ("l.all(i, v, dyn(v))", "no_such_overload"),
        ("l.existsOne(i, v, dyn(v))", "no_such_overload"),
        ("l.transformList(i, v, dyn(v), v)", "no_such_overload"),
        ("dyn(1).all(i, v, true)", "no_such_overload"),
        ("dyn(1).transformList(i, v, true)", "no_such_overload"),
        ("dyn('a').existsOne(i, v, true)", "no_such_overload"),
        ("dyn(1).transformMap(i, v, true)", "no_such_overload"),
        ("dyn(1).transformMapEntry(i, v, {})", "no_such_overload"),
    ],
)
def test_error(text, code):
    assert error(ENV, text, **GIVEN) == code


@pytest.mark.parametrize(
    "x",
    [
        {"a": 1, "b": 2},
        MappingProxyType({"a": 1, "b": 2}),
        SimpleNamespace(a=1, b=2),
    ],
)
def test_whatever_is_a_map_has_keys_and_values(x):
    assert found("x.transformMap(k, v, v + 1)", x=x) == {"a": 2, "b": 3}
    assert found("x.transformList(k, v, k)", x=x) == ["a", "b"]
    assert found("[1].transformMapEntry(i, v, x)", x=x) == {"a": 1, "b": 2}


def test_whatever_is_a_list_has_indices():
    for x in ((1, 2), [1, 2], range(1, 3)):
        assert found("x.transformList(i, v, i * 10 + v)", x=x) == [1, 12]


def test_keys_of_a_caller_are_read_as_values():
    assert found("x.transformList(k, v, [k, v])", x={UInt(1): 2, True: 3}) is not None
    assert error(ENV, "x.transformMap(k, v, v)", **{**GIVEN, "x": {1.5: 2}}) == "no_such_overload"
    assert error(ENV, "x.transformMap(k, v, v)", **{**GIVEN, "x": {2**70: 2}}) == "overflow"


@pytest.mark.parametrize(
    "text, codes",
    [
        ("l.all(i, i, true)", {"variable_twice"}),
        ("l.all(i.j, k, true)", {"macro_argument"}),
        ("l.all(j, i.k, true)", {"macro_argument"}),
        ("l.exists(1, v, true)", {"macro_argument"}),
        ("l.all(__result__, i, true)", {"macro_argument"}),
        ("m.transformMap(k, __result__, 1)", {"macro_argument"}),
        ("1.all(j, k, true)", {"not_a_range"}),
        ("''.existsOne(j, k, true)", {"not_a_range"}),
        ("m.transformMapEntry(k, v, [])", {"no_matching_overload"}),
        ("m.transformMapEntry(k, v, 'no filter', {k: v})", {"type_mismatch"}),
        ("l.transformList(i, v, v > 1 ? [v] : v)", {"no_matching_overload"}),
        ("l.all(i, v, v)", {"type_mismatch"}),
        ("l.exists(i, v, w)", {"undeclared_reference"}),
        ("m.all(k, v, k > v)", {"no_matching_overload"}),
    ],
)
def test_refused(text, codes):
    assert refused(ENV, text) == codes


@pytest.mark.parametrize(
    "text, expected",
    [
        ("l.transformList(i, v, string(v))", "list(string)"),
        ("m.transformMap(k, v, [v])", "map(string, list(int))"),
        ("l.transformMap(i, v, v)", "map(int, int)"),
        ("m.transformMapEntry(k, v, {v: k})", "map(int, string)"),
        ("x.transformList(i, v, v)", "list(dyn)"),
        ("l.existsOne(i, v, true)", "bool"),
    ],
)
def test_type(text, expected):
    assert str(ENV.check(text).type) == expected


def test_only_an_environment_that_opts_in_has_them():
    plain = env_of(l="list(int)")
    assert "undeclared_reference" in refused(plain, "l.all(i, v, true)")
    assert "undeclared_reference" in refused(plain, "l.transformList(i, v, v)")
    assert value(plain, "l.all(i, i > 0)", l=[1]) is True


# -- the same as the fold that the language defines --------------------------------------------

PREDICATES = st.sampled_from(
    ["a == b", "a != b", "a < b", "b in [1, 2]", "a", "b", "a / b > 0", "a == 1 || b == 1", "c"]
)
RESULTS = st.sampled_from(["a", "[a, b]", "b + a", "a / b", "{'k': a}", "{a: b}", "{b: 1}", "c.d"])
MACROS = ["all", "exists", "existsOne"]
TRANSFORMS = ["transformList", "transformMap", "transformMapEntry"]
SMALL = st.one_of(st.integers(-1, 2), st.sampled_from(["a", "b", True, UInt(1), 1.0]))
RANGES = st.one_of(
    st.lists(SMALL, max_size=4),
    st.dictionaries(SMALL.filter(lambda key: type(key) is not float), SMALL, max_size=4),
    VALUES,
)
UNTYPED = Env({"x": "dyn", "c": "dyn"}, libraries=[ext.COMPREHENSIONS])


@st.composite
def loops(draw):
    if draw(st.booleans()):
        return f"x.{draw(st.sampled_from(MACROS))}(a, b, {draw(PREDICATES)})"
    predicate = draw(st.one_of(st.just(""), PREDICATES.map(lambda text: f"{text}, ")))
    return f"x.{draw(st.sampled_from(TRANSFORMS))}(a, b, {predicate}{draw(RESULTS)})"


def unhinted(expander):
    """An expander whose loops do not say which macro they come from."""

    def expand(*arguments):
        made = expander(*arguments)
        made.macro = ""
        return made

    return expand


HINTLESS = MacroTable(
    {key: unhinted(found) for key, found in ext.COMPREHENSIONS.macros.entries.items()}
)
FOLDED = Env(
    {"x": "dyn", "c": "dyn"},
    libraries=[msgspec.structs.replace(ext.COMPREHENSIONS, macros=HINTLESS)],
)


@settings(max_examples=400)
@given(loops(), RANGES, st.one_of(st.booleans(), st.just({"d": 1})))
def test_a_loop_means_what_its_fold_means(text, x, c):
    variables = {"x": x, "c": c}
    planned = UNTYPED.compile(text, check=False)
    assert isinstance(planned.node, pairs.Loop)
    folded = FOLDED.compile(text, check=False)
    assert type(folded.node) is folds.Fold
    made, expected = planned.value(variables), folded.value(variables)
    if isinstance(made, MixedMap) and isinstance(expected, MixedMap):
        made, expected = list(made.items()), list(expected.items())
    assert alike(made, expected)


def test_a_long_loop_makes_one_list_and_one_map():
    many = list(range(20_000))
    assert found("l.transformList(i, v, v)", l=many) == many
    assert len(found("l.transformMap(i, v, v)", l=many)) == 20_000
    assert len(found("l.transformMapEntry(i, v, {v: i})", l=many)) == 20_000


@given(VALUES, VALUES, VALUES)
def test_the_function_behind_the_transforms_never_raises(container, key, member):
    functions = implementations(ext.COMPREHENSIONS)
    for arguments in ((container, key, member), (container, member)):
        made = functions[pairs.MAP_INSERT, len(arguments)](*arguments)
        assert isinstance(made, (dict, MixedMap, Fault))


def test_a_loop_is_written_as_it_was_called():
    for text in ("l.all(i, v, i < v)", "m.transformMapEntry(k, v, v > 1, {v: k})"):
        assert unparse(ENV.parse(text)) == text
