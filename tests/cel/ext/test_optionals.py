"""Optional values: what is missing is none, what is wrong stays an error, and Python sees both."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import cel
from taskman_authz._fast import optionals, relations
from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.values import NONE, Fault, OptionalValue, some
from taskman_authz.cel import Optional, Timestamp, ext, function
from taskman_authz.cel.macros import MacroTable
from taskman_authz.cel.messages import fault_message
from taskman_authz.errors import CompileError, EvaluationError
from tests.cel.ext.evaluating import env_of, error, implementations, outcome, refused, value
from tests.core.strategies import VALUES

ENV = env_of(ext.OPTIONALS, x="dyn", m="map(string, dyn)", o="optional(int)", l="list(int)")
GIVEN = {"x": {}, "m": {}, "o": Optional.none(), "l": []}
FUNCTIONS = implementations(ext.OPTIONALS)


def found(text, **variables):
    return value(ENV, text, **{**GIVEN, **variables})


def code(text, **variables):
    return error(ENV, text, **{**GIVEN, **variables})


# -- reading what may be missing ---------------------------------------------------------------

READINGS = [
    ("x.?a", {"a": 1}, Optional.of(1)),
    ("x.?a", {"b": 1}, Optional.none()),
    ("x.?a", {"a": None}, Optional.of(None)),
    ("x.?a.b", {"a": {"b": 2}}, Optional.of(2)),
    ("x.?a.b", {"a": {}}, Optional.none()),
    ("x.?a.b.c", {}, Optional.none()),
    ("x.?a[0]", {"a": [5]}, Optional.of(5)),
    ("x.?a[1]", {"a": [5]}, Optional.none()),
    ("x.?a['k']", {"a": {"k": 5}}, Optional.of(5)),
    ("x[?'a']", {"a": 1}, Optional.of(1)),
    ("x[?'a']", {}, Optional.none()),
    ("x[?1u]", {1: "one"}, Optional.of("one")),
    ("x[?true]", {1: "one"}, Optional.none()),
    ("x[?0]", ["a"], Optional.of("a")),
    ("x[?1]", ["a"], Optional.none()),
    ("x[?-1]", ("a",), Optional.none()),
    ("x[?0].?b[?1]", [{"b": [1, 2]}], Optional.of(2)),
    ("has(x.?a.b)", {"a": {"b": 1}}, True),
    ("has(x.?a.b)", {"a": {}}, False),
    ("has(x.?a.b)", {}, False),
    ("x.?a.?b == x.?a.b", {"a": {"b": 1}}, True),
    ("x.?a == optional.of(optional.of(1))", {"a": Optional.of(1)}, True),
    ("x.a.b", {"a": Optional.of({"b": 1})}, Optional.of(1)),
    ("x.?a.orValue(optional.of(1))", {"a": Optional.none()}, Optional.none()),
    ("{'a': x}.?a.orValue(optional.of(1))", Optional.none(), Optional.none()),
    ("x.?a.orValue(1)", {"a": None}, None),
    ("x.?a.?b.orValue(1)", {"a": Optional.none()}, 1),
]


@pytest.mark.parametrize("text, x, expected", READINGS)
def test_what_is_missing_is_none(text, x, expected):
    assert found(text, x=x) == expected


@pytest.mark.parametrize(
    "x",
    [
        {"a": {"b": 1}},
        MappingProxyType({"a": MappingProxyType({"b": 1})}),
        SimpleNamespace(a=SimpleNamespace(b=1)),
        EntityValue("user", "1", {"a": {"b": 1}}, False),
        Optional.of({"a": Optional.of({"b": 1})}),
    ],
)
def test_whatever_has_members_is_read_alike(x):
    assert found("x.?a.b", x=x) == Optional.of(1)
    assert found("x.?a.c", x=x) == Optional.none()
    assert found("x.?c.b", x=x) == Optional.none()
    assert found("has(x.?a.b) && !has(x.?a.c)", x=x) is True


@pytest.mark.parametrize(
    "text, x",
    [
        ("x.?a", 1),
        ("x.?a", None),
        ("x.?a", "text"),
        ("x.?a.b", {"a": 1}),
        ("x.?a.b", {"a": None}),
        ("x[?'a']", ["a"]),
        ("x[?0.5]", ["a"]),
        ("x[?null]", {"a": 1}),
        ("x.?a['b']", {"a": [1]}),
        ("x.hasValue()", 1),
        ("x.value()", {}),
        ("x.or(optional.of(1))", 1),
        ("x.orValue(1)", 1),
        ("optional.none().or(x)", 1),
        ("x.optMap(v, v)", 1),
        ("[?x]", 1),
        ("{?'a': x}", 1),
        ("optional.unwrap([x])", 1),
    ],
)
def test_what_is_wrong_stays_an_error(text, x):
    assert code(text, x=x) == "no_such_overload"


@pytest.mark.parametrize("x", [1, None, {"a": 2**64}, Optional.of(1), SimpleNamespace(a=2**64)])
def test_a_default_is_for_what_is_missing_only(x):
    assert code("x.?a.orValue(1)", x=x) in ("no_such_overload", "overflow")


def test_what_is_before_the_question_mark_must_be_there():
    assert code("x.a.?b") == "no_such_key"
    assert code("x.b.c.orValue(1)", x={"b": {}}) == "no_such_key"
    assert code("x.?a[0].?b", x=Boom()) == "unreadable"


class Boom:
    def __init__(self):
        self.b = 1

    @property
    def a(self):
        raise RuntimeError


TREES = st.recursive(
    st.integers(0, 9), lambda inner: st.dictionaries(st.sampled_from("ab"), inner), max_leaves=6
)


@given(TREES, st.lists(st.sampled_from("ab"), min_size=1, max_size=3))
def test_a_chain_is_what_looking_step_by_step_finds(tree, path):
    expected, step = Optional.none(), tree
    for name in path:
        if isinstance(step, int):
            expected = "no_such_overload"
            break
        if name not in step:
            break
        step = step[name]
    else:
        expected = Optional.of(step)
    for marks in (".?", "."):
        text = "x.?" + marks.join(path)
        kind, answer = outcome(ENV, text, {**GIVEN, "x": tree}, check=True)
        assert answer == expected, (kind, text)


# -- making them and taking them apart ---------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("optional.of(1)", Optional.of(1)),
        ("optional.of(optional.none())", Optional.of(Optional.none())),
        ("optional.none()", Optional.none()),
        ("optional.of(null).hasValue()", True),
        ("optional.none().hasValue()", False),
        ("optional.of(1).value()", 1),
        ("optional.of(1).or(optional.of(2))", Optional.of(1)),
        ("optional.none().or(optional.of(2))", Optional.of(2)),
        ("optional.of(1).orValue(2)", 1),
        ("optional.none().orValue(2)", 2),
        ("optional.of(2).optMap(v, v * v)", Optional.of(4)),
        ("optional.none().optMap(v, v * 2)", Optional.none()),
        ("optional.of(2).optMap(v, optional.of(v))", Optional.of(Optional.of(2))),
        ("optional.of(2).optFlatMap(v, optional.of(v + 1))", Optional.of(3)),
        ("optional.of(2).optFlatMap(v, [1][?v])", Optional.none()),
        ("optional.none().optFlatMap(v, optional.of(v))", Optional.none()),
        ("optional.of(1).optMap(v, optional.of(2).optMap(w, v + w))", Optional.of(Optional.of(3))),
        ("[1, 2].map(i, optional.of(i).optMap(v, [3].map(w, v + w)[0]).value())", [4, 5]),
        ("[1, 2].first()", Optional.of(1)),
        ("[1, 2].last()", Optional.of(2)),
        ("[].first()", Optional.none()),
        ("[].last()", Optional.none()),
        ("optional.unwrap([optional.of(1), optional.none(), optional.of(null)])", [1, None]),
        ("[optional.none(), optional.of(2)].unwrapOpt()", [2]),
        ("type(optional.none()) == optional_type", True),
        ("type(optional.of(1)) == type(optional.of('a'))", True),
        ("optional.of(1) == dyn(optional.of(1.0))", True),
        ("optional.of(1) == optional.none()", False),
        ("optional.of([1]) != optional.of([2])", True),
        ("optional.none() in [optional.of(1), optional.none()]", True),
        ("dyn(optional.of(1)) == dyn(1)", False),
        ("[?optional.of(1), 2, ?optional.none()]", [1, 2]),
        ("[?optional.of(optional.none())]", [Optional.none()]),
        ("{?'a': optional.of(1), 'b': 2, ?'c': optional.none()}", {"a": 1, "b": 2}),
        ("{?'a': optional.none(), 'a': 1}", {"a": 1}),
        ("[?o, ?l[?0]]", []),
    ],
)
def test_value(text, expected):
    assert repr(found(text)) == repr(expected)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("optional.none().value()", "no_value"),
        ("optional.of(1).optMap(v, v / 0)", "division_by_zero"),
        ("optional.of(1).optFlatMap(v, dyn(v)).hasValue()", "no_such_overload"),
        ("[?optional.of(1 / 0)]", "division_by_zero"),
        ("{?'a': optional.of(1), 'a': 2}", "duplicate_key"),
        ("{?dyn(1.5): optional.of(1)}", "no_such_overload"),
    ],
)
def test_error(text, expected):
    assert code(text) == expected


def test_the_message_of_an_empty_optional_says_where():
    with pytest.raises(EvaluationError) as raised:
        ENV.compile("1 + o.value()").evaluate(GIVEN)
    assert str(raised.value).splitlines() == [
        "<expression>:1:7: error: `optional.none()` has no value [no_value]",
        "  | 1 + o.value()",
        "  |       ^",
    ]


@pytest.mark.parametrize(
    "zero, other",
    [
        ("null", None),
        ("false", "true"),
        ("0", "1"),
        ("0u", "1u"),
        ("-0.0", "0.5"),
        ("''", "' '"),
        ("b''", "b'0'"),
        ("[]", "[0]"),
        ("{}", "{0: 0}"),
        ("duration('0s')", "duration('1ns')"),
        ("timestamp(0)", "timestamp(1)"),
        (None, "int"),
        (None, "optional.none()"),
        (None, "double('NaN')"),
    ],
)
def test_an_optional_of_what_is_not_zero(zero, other):
    if zero:
        assert found(f"optional.ofNonZeroValue({zero}).hasValue()") is False
    if other:
        assert found(f"optional.ofNonZeroValue({other}).hasValue()") is True


def test_objects_are_zero_where_they_have_nothing():
    assert found("optional.ofNonZeroValue(x).hasValue()", x=SimpleNamespace()) is False
    assert found("optional.ofNonZeroValue(x).hasValue()", x=SimpleNamespace(a=0)) is True
    assert found("optional.ofNonZeroValue(x).hasValue()", x=MappingProxyType({})) is False


@pytest.mark.parametrize(
    "text", ["o.or(boom(o))", "o.orValue(boom(o).value())", "o.?a.or(boom(o))"]
)
def test_what_is_not_needed_is_not_evaluated(text):
    asked = []
    library = function("boom", "(dyn) -> optional(int)", lambda _: asked.append(1) or some(7))
    env = env_of(ext.OPTIONALS, library, o="dyn")
    assert value(env, text, o=Optional.of({"a": 1}))
    assert asked == []
    assert value(env, text, o=Optional.none()) in (7, Optional.of(7))
    assert asked == [1, 1]


@given(
    st.sampled_from(["optMap(v, v + x)", "optMap(v, [v].map(w, w + v))", "optMap(x, x)"]),
    st.sampled_from(["", ".optFlatMap(v, [v][?x])", ".optFlatMap(v, x)", ".optMap(v, v == x)"]),
    st.sampled_from([Optional.of(2), Optional.none(), Optional.of("a"), 3, None]),
    st.sampled_from([0, 1, "a"]),
)
def test_a_mapped_optional_means_what_its_tree_means(first, second, o, x):
    text = f"o.{first}{second}"
    variables = {"o": o, "x": x}
    assert outcome(DYN, text, variables, True) == outcome(HINTLESS, text, variables, True)


def unhinted(expander):
    """An expander whose tree does not say which macro it comes from."""

    def expand(*arguments):
        made = expander(*arguments)
        made.macro = ""
        return made

    return expand


PLAIN_MACROS = MacroTable({k: unhinted(m) for k, m in ext.OPTIONALS.macros.entries.items()})
HINTLESS = env_of(msgspec.structs.replace(ext.OPTIONALS, macros=PLAIN_MACROS), o="dyn", x="dyn")
DYN = env_of(ext.OPTIONALS, o="dyn", x="dyn")


def test_an_optional_is_mapped_once_however_long_the_chain():
    asked = []
    library = function("next", "(int) -> int", lambda n: asked.append(n) or n + 1)
    env = env_of(ext.OPTIONALS, library)
    chain = "optional.of(next(0))" + ".optMap(v, next(v))" * 20
    assert env.compile(chain).evaluate() == Optional.of(21)
    assert asked == list(range(21))


def test_an_error_that_is_absorbed_stays_absorbed():
    assert found("o.value() == 1 || true") is True
    assert found("x.?a.orValue(1 / 0 == 1) || true") is True


@given(VALUES, VALUES)
def test_optionals_are_equal_where_what_is_inside_is(one, other):
    assert relations.equals(some(one), some(other)) is relations.equals(one, other)
    assert relations.equals(some(one), NONE) is False
    assert relations.equals(some(one), one) is False


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(VALUES, min_size=2, max_size=2), st.data())
def test_no_function_raises_whatever_it_is_given(key, values, data):
    wrapped = [data.draw(st.sampled_from([one, some(one), NONE])) for one in values]
    name, count = key
    if name == "_?._":
        wrapped[1] = "a"
    answer = FUNCTIONS[name, count](*wrapped[:count])
    assert type(answer) is not Fault or fault_message(answer)


# -- what the checker says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("x.?a", "optional_type(dyn)"),
        ("{'a': 1}.?a", "optional_type(int)"),
        ("{'a': {'b': 1}}.?a.b", "optional_type(int)"),
        ("{'a': {'b': 1}}.?a.?b", "optional_type(int)"),
        ("{'a': optional.of(1)}.?a", "optional_type(optional_type(int))"),
        ("[1][?0]", "optional_type(int)"),
        ("{'a': [1u]}.?a[0]", "optional_type(uint)"),
        ("l.first().orValue(1)", "int"),
        ("o.optMap(v, string(v))", "optional_type(string)"),
        ("o.optFlatMap(v, l[?v])", "optional_type(int)"),
        ("[?o, ?o]", "list(int)"),
        ("{?'a': o}", "map(string, int)"),
        ("has(m.?a.b)", "bool"),
        ("[o].unwrapOpt()", "list(int)"),
        ("[optional.none(), o]", "list(optional_type(int))"),
        ("optional.none()", "optional_type(dyn)"),
        ("optional_type", "type(optional_type(dyn))"),
    ],
)
def test_type(text, expected):
    assert str(ENV.check(text).type) == expected


@pytest.mark.parametrize(
    "text, codes",
    [
        ("o.orValue('a')", {"no_matching_overload"}),
        ("l[?'a']", {"no_matching_overload"}),
        ("o.?a", {"no_fields"}),
        ("1.?a", {"no_fields"}),
        ("[?1]", {"type_mismatch"}),
        ("{?'a': 1}", {"type_mismatch"}),
        ("o.optFlatMap(v, v)", {"no_matching_overload"}),
        ("o.optMap(v.w, 1)", {"macro_argument"}),
        ("o.optFlatMap(1, 1)", {"macro_argument"}),
        ("has(x.?a)", {"macro_argument"}),
        ("1.hasValue()", {"no_matching_overload"}),
    ],
)
def test_refused(text, codes):
    assert refused(ENV, text) == codes


def test_only_an_environment_that_opts_in_has_the_syntax():
    for text in ("x.?a", "x[?0]", "[?x]", "{?'a': x}"):
        with pytest.raises(CompileError) as raised:
            env_of(x="dyn").compile(text)
        assert [issue.code for issue in raised.value.issues] == ["no_optionals"]


def test_a_version_has_what_it_brought_and_nothing_later():
    first, second, third = (env_of(ext.optionals.library(version)) for version in (0, 1, 2))
    assert value(first, "optional.of(1).optMap(v, v)") == Optional.of(1)
    assert "undeclared_reference" in refused(first, "optional.of(1).optFlatMap(v, optional.of(v))")
    assert value(second, "optional.of(1).optFlatMap(v, optional.of(v))") == Optional.of(1)
    assert refused(second, "[1].first()") == {"undeclared_reference"}
    assert value(third, "[1].first()") == Optional.of(1)


# -- what Python sees --------------------------------------------------------------------------


def test_an_optional_of_python_says_what_it_has():
    full, empty = Optional.of(0), Optional.none()
    assert full and not empty
    assert (full.has_value, empty.has_value) == (True, False)
    assert full.value == 0
    assert (full.or_else(5), empty.or_else(5)) == (0, 5)
    assert (repr(full), repr(empty)) == ("Optional.of(0)", "Optional.none()")
    with pytest.raises(EvaluationError) as raised:
        print(empty.value)
    assert raised.value.code == "no_value"


def test_optionals_of_python_are_equal_hashed_and_kept_by_what_is_inside():
    assert Optional.of([1]) == Optional.of([1]) != Optional.of([2])
    assert Optional.none() == Optional.none() != Optional.of(None)
    assert Optional.of(1) != 1
    assert len({Optional.of(1), Optional.of(1), Optional.none(), Optional.none()}) == 2
    for one in (Optional.of({"a": 1}), Optional.none()):
        assert pickle.loads(pickle.dumps(one)) == one


def test_what_is_inside_is_plain_python_too():
    (moment,) = ENV.compile("[optional.of({'a': timestamp(0)})]").evaluate(GIVEN)
    assert type(moment) is Optional
    assert type(moment.value["a"]) is Timestamp


def test_an_optional_is_taken_as_a_variable_and_as_a_part_of_one():
    assert found("o.optMap(v, v + 1)", o=Optional.of(1)) == Optional.of(2)
    assert found("x.a.orValue(3)", x={"a": Optional.none()}) == 3
    assert found("x[0].b.orValue(3)", x=[Optional.of({"b": 2})]) == 2
    assert found("x.value().value()", x=Optional.of(Optional.of(9))) == 9
    assert found("x", x=Optional.of(Optional.none())) == Optional.of(Optional.none())
    assert code("x", x=Optional.of(2**64)) == "overflow"


def test_a_value_in_a_million_optionals_is_let_go_without_harm():
    deep = shallow = some(1)
    for _ in range(1_000_000):
        deep = some(deep)
    assert relations.equals(deep, some(deep)).code == "limit_exceeded"
    assert FUNCTIONS["_?._", 2](deep, "a").code == "no_such_overload"
    del deep
    assert shallow.content == 1


def test_an_optional_as_deep_as_nothing_that_can_be_written_is_refused():
    deep = Optional.of({"a": 1})
    for _ in range(10_000):
        deep = Optional.of(deep)
    assert found("x.?a", x=deep) == Optional.of(1)
    assert code("x", x=deep) == "limit_exceeded"


@dataclass
class Task:
    owner: Optional[str]
    watchers: list[Optional[int]]


def test_an_annotation_may_be_an_optional():
    env = cel.Env({"task": cel.annotations.annotated_type(Task)}, libraries=[ext.OPTIONALS])
    assert str(env.check("task.owner").type) == "optional_type(string)"
    assert str(env.check("task.watchers").type) == "list(optional_type(int))"
    task = Task(Optional.of("ann"), [Optional.none()])
    assert env.compile("task.owner.orValue('nobody')").evaluate({"task": task}) == "ann"


def test_the_core_says_what_it_holds():
    assert repr(some(1)) == "optional.of(1)"
    assert repr(NONE) == "optional.none()"
    assert (OptionalValue(True, 1).content, OptionalValue(False, None).content) == (1, None)
    assert optionals.is_zero(Fault("no_value")) is False
