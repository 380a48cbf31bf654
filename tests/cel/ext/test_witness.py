"""The libraries that the C++ implementation has too, with it as the witness: the same value, or an
error from both. Where we disagree on purpose, the expression is listed with what decides it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taskman_authz.cel import ext
from tests.cel.ext.evaluating import env_of, outcome
from tests.core.strategies import DOUBLES, INTS, UINTS

cpp = pytest.importorskip("cel_expr_python.cel")
ext_encoders = pytest.importorskip("cel_expr_python.ext.ext_encoders")
ext_math = pytest.importorskip("cel_expr_python.ext.ext_math")
ext_strings = pytest.importorskip("cel_expr_python.ext.ext_strings")

TYPES = {
    "s": "string",
    "t": "string",
    "l": "list(string)",
    "b": "bytes",
    "d": "double",
    "i": "int",
    "j": "int",
    "u": "uint",
    "v": "uint",
}
CPP_TYPES = {
    "string": cpp.Type.STRING,
    "list(string)": cpp.Type.List(cpp.Type.STRING),
    "bytes": cpp.Type.BYTES,
    "double": cpp.Type.DOUBLE,
    "int": cpp.Type.INT,
    "uint": cpp.Type.UINT,
}
OURS = env_of(ext.STRINGS, ext.MATH, ext.ENCODERS, **TYPES)
WITNESS = cpp.NewEnv(
    variables={name: CPP_TYPES[type] for name, type in TYPES.items()},
    extensions=[ext_strings.ExtStrings(), ext_math.ExtMath(), ext_encoders.ExtEncoders()],
)
SHORT = st.text("abé🐱, %", max_size=6)
SMALL = st.integers(-2, 7)

EXPRESSIONS = """
s.charAt(i)
s.indexOf(t)
s.indexOf(t, i)
s.lastIndexOf(t)
s.lastIndexOf(t, i)
s.lowerAscii()
s.upperAscii()
s.replace(t, 'xy')
s.replace(t, 'xy', i)
s.split(t)
s.split(t, i)
s.substring(i)
s.substring(i, j)
s.trim()
s.reverse()
strings.quote(s)
l.join()
l.join(t)
'%s|%d|%d'.format([s, i, u])
'%b|%o|%x|%X'.format([i, u, i, u])
'%b|%x|%X'.format([i > j, s, b])
'%.2f|%e|%.0e|%f'.format([d, d, d, i])
'%s %s %s'.format([l, {'k': i, s + 'x': j}, null])
s.format([i, j])
math.greatest(i, j)
math.greatest(i, j, u)
math.least(i, u)
math.least([i, j])
math.ceil(d)
math.floor(d)
math.round(d)
math.trunc(d)
math.isNaN(d)
math.isInf(d)
math.isFinite(d)
math.abs(d)
math.abs(i)
math.abs(u)
math.sign(d)
math.sign(i)
math.sign(u)
math.sqrt(d)
math.sqrt(u)
math.bitAnd(i, j)
math.bitOr(u, v)
math.bitXor(i, j)
math.bitNot(i)
math.bitNot(u)
math.bitShiftLeft(i, j)
math.bitShiftRight(i, j)
math.bitShiftLeft(u, j)
math.bitShiftRight(u, j)
base64.encode(b)
base64.decode(base64.encode(b)) == b
base64.decode(s)
""".strip().splitlines()

# Expression, what we say, and what decides it.
DISAGREEMENTS = [
    ("''.split('')", [], "the reference implementation: no character, no part"),
    ("'aa'.substring(1, 2)", "a", "the reference implementation: the end is a position too"),
    ("base64.decode(' ')", "invalid_argument", "RFC 4648, 3.3: no blanks"),
    ("'%d'.format([1e30])", "1" + "0" * 30, "the strings extension: no insignificant zeros"),
    ("'%s'.format([1e30])", "1" + "0" * 30, "the strings extension: base 10, no exponent"),
    ("math.greatest(1, 0.0 / 0.0)", "invalid_argument", "the reference: NaN has no order"),
    ("math.greatest(0.0 / 0.0, 1)", "invalid_argument", "the reference: NaN has no order"),
]


def disagreed(text: str, variables: dict[str, Any]) -> bool:
    """Whether this is one of the disagreements."""
    s = variables["s"]
    if text.startswith("s.split"):
        return bool(s == "")
    if text == "s.substring(i, j)":
        return bool(variables["j"] == len(s))
    return text == "base64.decode(s)" and " " in s


def witnessed(text: str, variables: dict[str, Any]) -> tuple[str, Any]:
    """What the witness says, in the form of `outcome`."""
    found = WITNESS.compile(text).eval(data=variables)
    if str(found.type()) == "ERROR":
        return "error", ""
    plain = found.plain_value()
    return "value", bytes(plain) if isinstance(plain, bytearray) else plain


def said(text: str, variables: dict[str, Any]) -> tuple[str, Any]:
    kind, found = outcome(OURS, text, variables, check=True)
    if kind == "value" and isinstance(found, int) and not isinstance(found, bool):
        found = int(found)  # the witness gives a uint as an int
    return (kind, found) if kind == "value" else (kind, "")


OFFSETS = st.one_of(SMALL, INTS)
VALUES = {
    "s": SHORT,
    "t": st.one_of(SHORT, st.sampled_from(["", "a", "%"])),
    "l": st.lists(SHORT, max_size=3),
    # What is passed to the witness ends at a zero.
    "b": st.binary(max_size=5).filter(lambda found: 0 not in found),
    "d": DOUBLES,
    "i": OFFSETS,
    "j": OFFSETS,
    "u": UINTS,
    "v": UINTS,
}


@settings(max_examples=1_000)
@given(st.sampled_from(EXPRESSIONS), st.fixed_dictionaries(VALUES))
def test_we_say_what_the_witness_says(text, variables):
    assume(not disagreed(text, variables))
    assert repr(said(text, variables)) == repr(witnessed(text, variables))


@pytest.mark.parametrize("text, ours, decided_by", DISAGREEMENTS)
def test_known_disagreements_are_still_known(text, ours, decided_by):
    kind, found = outcome(OURS, text, {}, check=True)
    assert found == ours
    assert (kind, found if kind == "value" else "") != witnessed(text, {})
    assert decided_by


def test_nan_and_infinities_are_written_alike():
    for number in (math.nan, math.inf, -math.inf):
        for clause in "fed":
            text = f"'%{clause}'.format([d])"
            assert said(text, {"d": number}) == witnessed(text, {"d": number})
