"""`format`: clauses, what each takes and writes, and that nothing is written for ever."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.times import Duration
from taskman_authz._fast.values import NONE, Fault, MixedMap, UInt
from taskman_authz.cel import ext
from taskman_authz.cel.ext.formatting import format_text
from taskman_authz.cel.messages import fault_message
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, value
from tests.core.strategies import DOUBLES, FINITE, INTS, UINTS, VALUES

ENV = env_of(ext.STRINGS)
SMALL = Limits(value_size=1_000)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("'%%%%'.format([])", "%%"),
        ("'%%%d%%'.format([1])", "%1%"),
        ("'%s'.format([1, 2])", "1"),
        ("'%.2s|%.0d'.format(['abc', 1])", "abc|1"),
        ("'%d %d'.format([3.14, 1e30])", "3.14 1000000000000000000000000000000"),
        ("'%s'.format([-0.0])", "-0"),
        ("'%s'.format([1e-7])", "0.0000001"),
        ("'%s'.format([[]])", "[]"),
        ("'%s'.format([{}])", "{}"),
        ("'%s'.format([''])", ""),
        ("'%s'.format([['', '']])", "[, ]"),
        ("'%s'.format([{'b': 1, 'a': {}, 10: [2u]}])", "{10: [2], a: {}, b: 1}"),
        ("'%s'.format([{true: 1, 'a': null, false: 2}])", "{a: null, false: 2, true: 1}"),
        ("'%s'.format([b'\\xff\\xfea\\xff'])", "\ufffda\ufffd"),
        ("'%s'.format([duration('1h1ns')])", "3600.000000001s"),
        ("'%s'.format([duration('-0.5s')])", "-0.5s"),
        ("'%s'.format([type(1)])", "int"),
        ("'%f %.0f %.003f'.format([1, 2u, 0.5])", "1.000000 2 0.500"),
        ("'%.1e %e'.format([-3.14, 1])", "-3.1e+00 1.000000e+00"),
        ("'%e'.format([1e100])", "1.000000e+100"),
        ("'%b %b %b'.format([-5, 5u, false])", "-101 101 0"),
        ("'%x %X %x %X'.format([-255, 255u, 'é', b'\\x0a'])", "-ff FF c3a9 0A"),
        ("'%o'.format([-8])", "-10"),
        ("'%x'.format([''])", ""),
    ],
)  # fmt: skip
def test_value(text, expected):
    assert value(ENV, text) == expected


@pytest.mark.parametrize(
    "template, arguments, message",
    [
        ("%d", "[]", "there is no argument for `%d`, the clause 1"),
        ("%s %.1f", "[1]", "there is no argument for `%.1f`, the clause 2"),
        ("%", "[1]", "`%` is no whole clause"),
        ("%.", "[1]", "`%.` is no whole clause"),
        ("%.f", "[1.5]", "`%.f` has no digits behind its point"),
        ("%.3", "[1.5]", "`%.3` is no whole clause"),
        ("%5d", "[1]", "`%5` is no clause"),
        ("%E", "[1.5]", "`%E` is no clause"),
        ("%-1d", "[1]", "`%-` is no clause"),
        ("%.1%", "[1]", "`%.1` is no whole clause"),
    ],
)
def test_a_broken_template_is_an_error_that_shows_the_clause(template, arguments, message):
    assert error(ENV, f"'{template}'.format({arguments})") == "invalid_argument"
    fault = format_text(template, [1] * arguments.count("1"))
    assert fault_message(fault) == f"invalid argument of `format`: {message}"


@pytest.mark.parametrize(
    "clause, refused",
    [
        ("d", ["'a'", "true", "null", "[]", "b''", "duration('1s')"]),
        ("f", ["'NaN'", "true", "null", "b''"]),
        ("e", ["'NaN'", "true", "null", "b''"]),
        ("b", ["1.5", "'a'", "null", "b''"]),
        ("o", ["1.5", "true", "'a'", "null", "b''"]),
        ("x", ["1.5", "true", "null", "[]"]),
        ("X", ["1.5", "true", "null", "{}"]),
    ],
)
def test_a_clause_takes_values_of_its_types_only(clause, refused):
    for argument in refused:
        assert error(ENV, f"'%{clause}'.format([{argument}])") == "no_such_overload"


def test_the_clause_is_named_that_does_not_take_a_value():
    fault = format_text("%s %d", [1, "a"])
    assert fault_message(fault) == "no matching overload for `%d` applied to `(string)`"


@pytest.mark.parametrize("part", [NONE, object(), UInt(1) << 70, [NONE], {"a": NONE}, {1.5: 2}])
def test_what_has_no_text_is_an_error_wherever_it_stands(part):
    for whole in (part, [part], {"k": part}, [{"k": [part]}]):
        assert type(format_text("%s", [whole])) is Fault


def test_precision_is_bounded():
    assert format_text("%.100f", [1.0]) == "1." + "0" * 100
    for digits in ("101", "1" + "0" * 5_000):
        fault = format_text(f"%.{digits}f", [1.0])
        assert fault.details == ("format_precision", 100)


def test_a_lone_surrogate_has_no_octets():
    assert format_text("%x", ["\ud800"]).code == "invalid_argument"


def test_maps_of_any_sort_are_written_alike():
    expected = "{1: a, id: 7, true: b, type: user}"
    entries = [(1, "a"), (True, "b"), ("id", 7), ("type", "user")]
    assert format_text("%s", [MixedMap(entries)]) == expected
    assert format_text("%s", [EntityValue("user", "7", {}, False)]) == "{id: 7, type: user}"
    assert format_text("%s", [(1, 2)]) == "[1, 2]"


def test_a_value_that_holds_itself_is_written_until_the_limit():
    loop: list = []
    loop.append(loop)
    wide: list = []
    wide += [wide] * 1_000
    named: dict = {}
    named["a"] = named
    double: list = []
    for _ in range(100):
        double = [double, double]
    for value_ in (loop, wide, named, double):
        fault = format_text.within(SMALL)("%s", [value_])
        assert fault.details == ("value_size", 1_000)


@given(VALUES, st.integers(0, 40))
def test_the_limit_refuses_what_is_longer_and_nothing_else(given, size):
    free = format_text("<%s>", [given])
    bounded = format_text.within(Limits(value_size=size))("<%s>", [given])
    assert bounded == free if len(free) <= size else type(bounded) is Fault


@given(FINITE, st.integers(0, 100))
def test_fixed_and_scientific_round_the_double_itself_half_to_even(number, precision):
    with localcontext() as context:
        context.prec, context.rounding = 1_200, ROUND_HALF_EVEN
        exact = Decimal(number)
        text = format_text(f"%.{precision}f", [number])
        assert text == f"{exact.quantize(Decimal(10) ** -precision):f}"
        context.prec = precision + 1
        text = format_text(f"%.{precision}e", [number])
        assert Decimal(text) == +exact
    digits = rf"\.\d{{{precision}}}" if precision else ""
    assert re.fullmatch(rf"-?\d{digits}e[+-]\d\d\d?", text)


@given(st.one_of(INTS, UINTS))
def test_integers_read_back_in_every_base(number):
    for clause, base in (("d", 10), ("s", 10), ("b", 2), ("o", 8), ("x", 16), ("X", 16)):
        assert int(format_text(f"%{clause}", [number]), base) == number


@given(DOUBLES)
@example(5e-324)
def test_doubles_read_back_and_have_no_exponent(number):
    for clause in "ds":
        text = format_text(f"%{clause}", [number])
        assert repr(float(text)) == repr(number)
        assert not math.isfinite(number) or "e" not in text


@given(st.integers(-(10**15), 10**15))
def test_durations_are_seconds(ns):
    assert format_text("%s", [Duration(ns)]) == format_text("%ds", [ns / 10**9])


@given(st.text(), st.lists(st.text(max_size=3)))
def test_any_template_is_a_text_or_an_error(template, arguments):
    assert type(format_text(template, arguments)) in (str, Fault)
    assert type(format_text("%" + template, arguments)) in (str, Fault)


@given(st.text().filter(lambda text: "%" not in text), st.text())
def test_what_is_no_clause_stays(text, argument):
    assert format_text(f"{text}%s%%{text}", [argument]) == f"{text}{argument}%{text}"
