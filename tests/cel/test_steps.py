"""The budget of steps: no evaluation runs for long, and a spent budget is no answer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import cel
from taskman_authz._fast import nodes
from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.activation import Activation, extent
from taskman_authz._fast.relations import equals
from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from taskman_authz.cel.library import function
from taskman_authz.cel.partial import Partial
from taskman_authz.errors import EvaluationError
from taskman_authz.limits import DEFAULT
from tests.cel.typed import TYPES, expressions, inputs

LIBRARIES = [*(ext.STRINGS, ext.LISTS, ext.SETS, ext.REGEX, ext.COMPREHENSIONS, ext.OPTIONALS),
             *(ext.BINDINGS, ext.ENCODERS)]  # fmt: skip
STEPS = 1_000
NOW = datetime(2024, 5, 1, tzinfo=UTC)


def limited(steps: int = STEPS, **others: int) -> Any:
    return msgspec.structs.replace(DEFAULT, evaluation_steps=steps, **others)


def env(limits: Any = DEFAULT, **types: str) -> cel.Env:
    return cel.Env(types, libraries=LIBRARIES, limits=limits)


def code(text: str, steps: int = STEPS, **variables: Any) -> str:
    """The code of the error that an expression ends with; "" where it ends with a value."""
    types = dict.fromkeys(variables, "dyn")
    try:
        env(limited(steps), **types).compile(text).evaluate(variables)
    except EvaluationError as error:
        if error.code == "limit_exceeded":
            assert f"`evaluation_steps` of {steps}" in error.message
        return error.code
    return ""


def test_seven_loops_in_one_another_come_to_an_end():
    text = "true"
    for name in "gfedcba":
        text = f"xs.all({name}, {text})"
    assert code(text, DEFAULT.decision_steps, xs=list(range(30))) == "limit_exceeded"


HUNDRED = list(range(100))
LOOPS = [
    "xs.all(x, x >= 0 && x < 1000)",
    "xs.exists(x, x < 0 || x > 1000)",
    "xs.exists_one(x, x < 0 || x > 1000)",
    "xs.map(x, x * 2 + 1).size() == 100",
    "xs.filter(x, x > 2 && x < 100).size() > 1",
    "xs.all(i, x, x >= 0 && i < 1000)",
    "xs.exists(i, x, x < 0 || i > 1000)",
    "xs.existsOne(i, x, x < 0 || i > 1000)",
    "xs.transformList(i, x, x * 2 + i).size() == 100",
    "xs.transformMap(i, x, x * 2 + i).size() == 100",
    "xs.transformMapEntry(i, x, {x: i}).size() == 100",
    "xs.sortBy(x, -x * 2)[0] == 99",
]


@pytest.mark.parametrize("text", LOOPS)
def test_every_turn_of_every_loop_is_paid_for(text):
    assert code(text, 10_000, xs=HUNDRED) == ""
    assert code(text, 100, xs=HUNDRED) == "limit_exceeded"


@pytest.mark.parametrize("text", LOOPS)
def test_a_loop_over_nothing_is_free(text):
    assert code(text, 0, xs=[]) in ("", "index_out_of_range")


@pytest.mark.parametrize(
    "text",
    [
        "{loop} || yes",
        "yes || {loop}",
        "({loop} ? 1 : 2) in [1, 2] || yes",
        "[1].exists(e, {loop} || yes)",
        "[{loop}, 1][1] == 1 || yes",
        "[1, 2].exists(e, e == 2 || {loop})",
        "!(!yes && {loop})",
    ],
)
def test_nothing_makes_an_answer_of_a_spent_budget(text):
    loop = "xs.all(x, xs.all(y, x + y >= 0))"
    found = code(text.format(loop=loop), xs=HUNDRED, yes=True)
    # What is decided before the loop begins never spends anything.
    expected = "" if text.startswith(("yes ||", "!(!yes &&")) else "limit_exceeded"
    assert found == expected


LONG = {
    "membership in a list": "xs.all(x, !(x in ys))",
    "membership of a text": "xs.all(x, !('a' in words))",
    "equality of lists": "xs.all(x, ys == zs)",
    "equality of maps": "xs.all(x, m == n)",
    "equality of texts": "xs.all(x, s == t)",
    "order of texts": "xs.all(x, s <= t)",
    "inequality": "xs.all(x, !(ys != zs))",
    "a text in a text": "xs.all(x, !s.contains('b'))",
    "the beginning of a text": "xs.all(x, s.startsWith(t))",
    "the end of a text": "xs.all(x, s.endsWith(t))",
    "a constant pattern": "xs.all(x, s.matches('a.*a.a'))",
    "a planned pattern": "xs.all(x, s.matches('^a'))",
    "any pattern": "xs.all(x, s.matches('^' + s.substring(0, 1)))",
    "sums of texts": "xs.all(x, size(s + t) > 1)",
    "sums of lists": "xs.all(x, size(ys + zs) > 1)",
    "the keys of a map": "xs.all(x, m.exists(k, true))",
    "join": "xs.all(x, words.join() != '')",
    "split": "xs.all(x, s.split('').size() > 1)",
    "replace": "xs.all(x, s.replace('a', 'b') != '')",
    "format": "xs.all(x, '%s'.format([ys]) != '')",
    "range": "xs.all(x, lists.range(x + 1000).size() > 0)",
    "sort": "xs.all(x, ys.sort().size() > 0)",
    "distinct": "xs.all(x, ys.distinct().size() > 0)",
    "flatten": "xs.all(x, [ys, ys].flatten().size() > 0)",
    "sets": "xs.all(x, sets.contains(ys, zs))",
    "base64": "xs.all(x, base64.encode(bytes(s)) != '')",
    "extract": "xs.all(x, regex.extractAll(s, 'a').size() > 0)",
    "replacing by a pattern": "xs.all(x, regex.replace(s, 'a', 'b') != '')",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_going_over_what_is_long_is_paid_for(text):
    def values(size: int) -> dict[str, Any]:
        numbers = [-1 - number for number in range(size)]
        entries = {str(number): number for number in range(size)}
        texts = {"s": "a" * 100 * size, "t": "a" * 100 * size, "words": ["b"] * size}
        pairs = {"ys": numbers, "zs": list(numbers), "m": entries, "n": dict(entries)}
        return {"xs": list(range(20)), **texts, **pairs}

    assert code(text, 1_000_000, **values(2)) == ""
    assert code(text, 20_000, **values(2_000)) == "limit_exceeded"


def test_what_is_short_is_free():
    for value in (1, True, None, 1.5, "a" * 63, b"a" * 63, [], {}, Fault("x")):
        assert extent(value) == 0
    assert (extent("a" * 128), extent([1, 2]), extent({1: 2}), extent(b"a" * 128)) == (2, 2, 1, 2)


def test_equality_of_shared_parts_comes_to_an_end():
    left: Any = [1]
    right: Any = [1]
    for _ in range(150):
        left, right = [left, left], [right, right]
    found = equals(left, right, Activation(0, 0, 0, 100_000))
    assert type(found) is Fault and found.details[0] == "evaluation_steps"
    assert code("x == y", x=left, y=right) == "limit_exceeded"
    assert code("x in [y]", x=left, y=right) == "limit_exceeded"
    assert code("sets.contains([x], [y])", x=left, y=right) == "limit_exceeded"
    assert code("[x, y].distinct().size() == 1", x=left, y=right) == "limit_exceeded"
    assert code("'%s'.format([x]) == ''", x=left) == "limit_exceeded"


def test_a_result_of_shared_parts_is_refused():
    value: Any = [1]
    for _ in range(150):
        value = [value, value]
    with pytest.raises(EvaluationError) as caught:
        env(limited(100_000), x="dyn").compile("[x]").evaluate({"x": value})
    assert caught.value.code == "limit_exceeded"


def test_what_is_spent_stays_spent():
    meter = Activation(0, 0, 0, 10)
    assert meter.pay(10) and not meter.pay(1) and not meter.pay(0)
    assert not Activation(0, 0, 0, 10).pay(2**80)
    meter = Activation(0, 0, 0, 10)
    assert not meter.pay(11) and not meter.pay(1)
    assert meter.spent(3) is meter.spent(4)


def test_every_evaluation_has_its_own_budget():
    program = env(limited(1_000), xs="list(int)").compile("xs.all(x, x < 500)")
    for _ in range(3):
        assert program.evaluate({"xs": list(range(100))}) is True
        with pytest.raises(EvaluationError):
            program.evaluate({"xs": list(range(500))})


def test_a_spent_budget_shows_the_loop():
    program = env(limited(10), xs="list(int)").compile("1 < 2 && xs.all(x, xs.all(y, x < y + 9))")
    with pytest.raises(EvaluationError) as caught:
        program.evaluate({"xs": [1, 2, 3]})
    assert caught.value.position == 22


# Counts are part of what an expression means: the same on either twin, and in every version that
# does not say otherwise.
COUNTED = {
    "xs.all(x, x < 100)": 30,
    "xs.map(x, x + 1)": 30,
    "xs.all(x, xs.all(y, true))": 130,
    "xs.exists(x, x == 3)": 12,
    "{'a': 1, 'b': 2}.all(k, k != '')": 8,
    "xs.all(i, x, i < 100)": 30,
    "5 in xs": 10,
    "xs == xs": 26,
    "size(xs + xs)": 20,
}


def spent(text: str, variables: dict[str, Any], **types: str) -> int:
    """How many steps an evaluation takes: the fewest that it may have."""
    least, enough = 0, 1 << 20
    program = {}
    while least < enough:
        steps = (least + enough) // 2
        program = env(limited(steps), **types).compile(text)
        found = program.value(variables)
        if type(found) is Fault and found.code == "limit_exceeded":
            least = steps + 1
        else:
            enough = steps
    return least


@pytest.mark.parametrize("text", COUNTED)
def test_steps_are_counted_alike_everywhere(text):
    assert spent(text, {"xs": list(range(10))}, xs="list(int)") == COUNTED[text]


@given(expressions(), inputs(), st.integers(0, 60))
def test_a_budget_changes_nothing_but_whether_there_is_an_answer(text, variables, steps):
    full = cel.Env(TYPES).compile(text).value(variables)
    found = cel.Env(TYPES, limits=limited(steps)).compile(text).value(variables)
    if type(found) is not Fault or found.code != "limit_exceeded":
        assert repr(found) == repr(full)


# Values that stand in many places, or are found equal: small lists of them are long to go over.
SHARED = {
    "equality of bytes": "xs.all(x, b == c)",
    "membership of bytes": "xs.all(x, b in [c])",
    "membership of a shared text": "!([s] in xs.map(x, [u]))",
    "a member of a map": "xs.all(x, m[t] == 1)",
    "a member that may be there": "xs.all(x, m[?t].hasValue())",
    "a key in a map": "xs.all(x, t in m)",
    "sort": "xs.map(x, x % 2 == 0 ? s : u).sort().size() > 0",
    "distinct": "xs.map(x, x == 0 ? s : t).distinct().size() > 0",
    "sets": "sets.contains([s], xs.map(x, t))",
    "format": "xs.all(x, '%x'.format([s]) != '')",
    "the size of an entity": "xs.all(x, e.size() > 0)",
    "equality of entities": "xs.all(x, e != {'a': 1})",
}


@pytest.mark.parametrize("text", SHARED.values(), ids=SHARED.keys())
def test_going_over_what_is_shared_is_paid_for(text):
    def values(size: int) -> dict[str, Any]:
        s, t, u = (("a" * 63 + last) * size for last in "aab")
        attributes = {str(number): number for number in range(size)}
        made = {"s": s, "t": t, "u": u, "m": {s: 1}, "b": s.encode(), "c": t.encode()}
        return {**made, "e": EntityValue("user", "1", attributes, False), "xs": list(range(20))}

    assert code(text, 10_000, **values(1)) == ""
    assert code(text, 10_000, **values(1_000)) == "limit_exceeded"


SLOW = {
    "a number as text": ("xs.all(x, string(x) != '')", {}),
    "a time": ("xs.all(x, timestamp(x) != timestamp(0))", {}),
    "a time zone that is none": ("xs.all(x, t.getHours('X' + string(x)) != 1)", {"t": NOW}),
    "a pattern of many states": ("xs.exists(x, s.matches('[ab]*a[ab]{30}c'))", {}),
}


@pytest.mark.parametrize(("text", "others"), SLOW.values(), ids=SLOW.keys())
def test_a_call_is_paid_for_however_short_its_arguments_are(text, others):
    found = code(text, 10_000, xs=list(range(1, 500)), s="ab" * 31, **others)
    assert found == "limit_exceeded"


@pytest.mark.parametrize("text", ["xs.all(x, x < 10)", "xs.map(x, {'a': [x, x + 1]}).size() > 0",
                                  "xs.exists(x, string(x) == '' || [x][0] > 99)"])  # fmt: skip
def test_watching_and_not_knowing_take_the_steps_that_evaluating_takes(text):
    xs = list(range(10))
    steps = spent(text, {"xs": xs}, xs="list(int)")
    for enough in (False, True):
        program = env(limited(steps - (not enough)), xs="list(int)").compile(text)
        for found in (
            program.observable().value({"xs": xs}, lambda id, value: value),
            Partial(program.origin.expression(program.source)).value({"xs": xs}, ()),
        ):
            assert (type(found) is not Fault) is enough, found


@pytest.mark.parametrize("expression", ["x.matches(y)", "t.getHours(y)"])
def test_what_a_caller_makes_up_is_not_remembered_where_it_is_long(expression):
    program = env(x="dyn", y="dyn", t="dyn").compile(expression)
    long = "x" * 100_000
    before = sys.getrefcount(long)
    for _ in range(3):
        with pytest.raises(EvaluationError):
            program.evaluate({"x": "a", "y": long, "t": NOW})
    assert sys.getrefcount(long) == before


# -- folding --------------------------------------------------------------------------------------


def test_folding_makes_nothing_large():
    for text in (
        "lists.range(10000000).size() > 0",
        "lists.range(100000)",
        "'a'.replace('', 'b').replace('', 'cccccccccccccccc').replace('', 'dddddddddddddddddddd')",
        "lists.range(1001)",
    ):
        node = env().compile(text).node
        assert type(node) is not nodes.Constant
    assert type(env().compile("lists.range(1000)").node) is nodes.Constant
    written = f"[{', '.join(map(str, range(2_000)))}]"
    assert type(env().compile(written).node) is nodes.Constant


def test_folding_takes_no_long_time():
    once = "lists.range(1000).sort().size() > 0"
    planned = env().compile(" && ".join([f"(x || {once})"] * 20).replace("x", "b"), check=False)
    assert planned.value({"b": False}) is True
    # What is too much to fold is left to the evaluation.
    few = env(limited(DEFAULT.evaluation_steps, folding_steps=10)).compile(once)
    assert type(few.node) is not nodes.Constant
    assert few.value({}) is True


# -- functions of the embedder --------------------------------------------------------------------


def test_what_is_not_pure_is_asked_each_time():
    calls: list[int] = []

    def tick(number: int) -> int:
        calls.append(number)
        return len(calls)

    for name in ("tick", "size"):
        calls.clear()
        library = function(name, "(int) -> int", tick, pure=False)
        program = cel.Env(libraries=[library]).compile(f"{name}(7)")
        assert calls == []
        assert (program.evaluate(), program.evaluate()) == (1, 2)


def test_what_is_pure_is_computed_once():
    calls: list[int] = []
    library = function("tick", "(int) -> int", lambda number: calls.append(number) or 1)
    program = cel.Env(libraries=[library]).compile("tick(7)")
    assert (program.evaluate(), program.evaluate(), calls) == (1, 1, [7])


@pytest.mark.parametrize("cost", [100, lambda size: size * 25])
def test_a_function_takes_the_steps_that_it_says(cost):
    library = function("slow", "(string) -> bool", lambda text: True, cost=cost)
    made = cel.Env({"xs": "list(string)"}, libraries=[library], limits=limited(1_000))
    program = made.compile("xs.all(x, slow(x))")
    assert program.evaluate({"xs": ["abcd"] * 9}) is True
    with pytest.raises(EvaluationError) as caught:
        program.evaluate({"xs": ["abcd"] * 10})
    assert caught.value.code == "limit_exceeded"


def test_the_budget_holds_however_a_program_is_asked():
    program = env(limited(500), xs="list(int)", y="int").compile("xs.map(a, xs.map(b, a + b))[0]")
    values = {"xs": HUNDRED}
    for ask in (program.evaluate, program.partial, program.measure):
        with pytest.raises(EvaluationError, match="`evaluation_steps` of 500"):
            ask(values)
    assert "`evaluation_steps` of 500" in str(program.explain(values).error)
    with pytest.raises(EvaluationError, match="`evaluation_steps` of 500"):
        program.residual(values, ["y"]).evaluate()


def test_each_match_pays_for_what_may_be_looked_at_to_find_its_end():
    text = "regex.extractAll(s, '[ab]*a[ab]{30}c|a').size()"  # none ends before the text does
    assert code(text, 1_000_000, s="ab" * 2_000) == "limit_exceeded"
    assert code("regex.extractAll(s, '[a-z]').size()", 1_000_000, s="ab" * 2_000) == ""
