"""The library `math`: greatest and least, rounding, signs, bits, the square root.

Laws: rounding takes doubles and gives doubles, and keeps the sign of a zero; bits are the 64 of an
int or a uint, shifting fills up with zeros; NaN is neither greater nor less than anything, so that
to ask is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..._fast.access import adapt
from ..._fast.expansion import Expander, Expansion
from ..._fast.relations import compare
from ..._fast.tree import Expr, Ident, ListExpr, Literal, MapExpr, StructExpr
from ..._fast.values import INT_MAX, INT_MIN, UINT_MAX, Fault, UInt
from ..functions import Implementation
from ..library import Library
from ..macros import MacroTable
from .overloads import made, no_overload, takes

LATEST = 2

# fmt: off
OVERLOADS = """
1  math.ceil           math_ceil_double              (double) -> double
1  math.floor          math_floor_double             (double) -> double
1  math.round          math_round_double             (double) -> double
1  math.trunc          math_trunc_double             (double) -> double
1  math.isInf          math_isInf_double             (double) -> bool
1  math.isNaN          math_isNaN_double             (double) -> bool
1  math.isFinite       math_isFinite_double          (double) -> bool
1  math.abs            math_abs_double               (double) -> double
1  math.abs            math_abs_int                  (int) -> int
1  math.abs            math_abs_uint                 (uint) -> uint
1  math.sign           math_sign_double              (double) -> double
1  math.sign           math_sign_int                 (int) -> int
1  math.sign           math_sign_uint                (uint) -> uint
1  math.bitAnd         math_bitAnd_int_int           (int, int) -> int
1  math.bitAnd         math_bitAnd_uint_uint         (uint, uint) -> uint
1  math.bitOr          math_bitOr_int_int            (int, int) -> int
1  math.bitOr          math_bitOr_uint_uint          (uint, uint) -> uint
1  math.bitXor         math_bitXor_int_int           (int, int) -> int
1  math.bitXor         math_bitXor_uint_uint         (uint, uint) -> uint
1  math.bitNot         math_bitNot_int_int           (int) -> int
1  math.bitNot         math_bitNot_uint_uint         (uint) -> uint
1  math.bitShiftLeft   math_bitShiftLeft_int_int     (int, int) -> int
1  math.bitShiftLeft   math_bitShiftLeft_uint_int    (uint, int) -> uint
1  math.bitShiftRight  math_bitShiftRight_int_int    (int, int) -> int
1  math.bitShiftRight  math_bitShiftRight_uint_int   (uint, int) -> uint
2  math.sqrt           math_sqrt_double              (double) -> double
2  math.sqrt           math_sqrt_int                 (int) -> double
2  math.sqrt           math_sqrt_uint                (uint) -> double
"""
# What `math.greatest` and `math.least` become: names that cannot be written.
EXTREME_OVERLOADS = """
0  math.@{0}  math_@{0}_double         (double) -> double
0  math.@{0}  math_@{0}_int            (int) -> int
0  math.@{0}  math_@{0}_uint           (uint) -> uint
0  math.@{0}  math_@{0}_double_double  (double, double) -> double
0  math.@{0}  math_@{0}_int_int        (int, int) -> int
0  math.@{0}  math_@{0}_uint_uint      (uint, uint) -> uint
0  math.@{0}  math_@{0}_int_uint       (int, uint) -> dyn
0  math.@{0}  math_@{0}_int_double     (int, double) -> dyn
0  math.@{0}  math_@{0}_double_int     (double, int) -> dyn
0  math.@{0}  math_@{0}_double_uint    (double, uint) -> dyn
0  math.@{0}  math_@{0}_uint_int       (uint, int) -> dyn
0  math.@{0}  math_@{0}_uint_double    (uint, double) -> dyn
0  math.@{0}  math_@{0}_list_double    (list(double)) -> double
0  math.@{0}  math_@{0}_list_int       (list(int)) -> int
0  math.@{0}  math_@{0}_list_uint      (list(uint)) -> uint
"""
# fmt: on

INTEGERS = (int, UInt)
NUMBERS = frozenset({int, UInt, float})


# -- greatest and least -------------------------------------------------------------------------


def extreme(function: str, wanted: int) -> Implementation:
    """`function` of one number, two, or a list of them: the first that compares as `wanted` (1 or
    -1) with each of the others, or equal to it."""

    def find(*arguments: Any) -> Any:
        values: Any = arguments
        if len(arguments) == 1 and type(arguments[0]) in (list, tuple):
            values = arguments[0]
            if not values:
                return Fault("invalid_argument", (function, "the list is empty"))
        chosen = adapt(values[0])
        for value in values:
            number = adapt(value)
            if type(number) not in NUMBERS:
                return number if type(number) is Fault else no_overload(function, *arguments)
            compared = compare(number, chosen, function)
            if compared == 2 and len(values) > 1:
                return Fault("invalid_argument", (function, "NaN has no order"))
            if compared == wanted:
                chosen = number
        return chosen

    return find


def expander(function: str, implementation: str) -> Expander:
    """The expander of `math.function(…)`: literals that are no numbers are refused."""

    def expand(e: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        if not isinstance(target, Ident) or target.name != "math":
            return None
        if not args:
            return e.refuse(target, *number_missing(function))
        only = args[0] if len(args) == 1 else None
        checked = args
        if isinstance(only, ListExpr) and only.elements:
            checked = only.elements
        wrong = next((argument for argument in checked if not may_be_number(argument)), None)
        if wrong is not None:
            return e.refuse(wrong, *number_expected(function))
        given = args if len(args) < 3 else (e.list_of(*args),)
        return e.call(implementation, *given)

    return expand


def may_be_number(argument: Expr) -> bool:
    if isinstance(argument, Literal):
        return type(argument.value) in NUMBERS
    return not isinstance(argument, (ListExpr, MapExpr, StructExpr))


def number_missing(function: str) -> tuple[str, str, str]:
    hint = f"such as `{function}(1, 2)`"
    return "macro_argument", f"`{function}` takes at least one argument", hint


def number_expected(function: str) -> tuple[str, str, str]:
    message = f"the arguments of `{function}` must be numbers, or one list of numbers"
    return "macro_argument", message, f"such as `{function}(1, 2)`"


# -- rounding -----------------------------------------------------------------------------------


def rounding(function: str, whole: Callable[[float], float]) -> Implementation:
    """A function that makes a double whole."""

    @takes(function, (float,))
    def rounded(value: float) -> float:
        # NaN and the infinities are as whole as they can be. A zero keeps the sign of the value.
        return math.copysign(float(whole(value)), value) if math.isfinite(value) else value

    return rounded


def away_from_zero(value: float) -> float:
    """The nearest whole number; of two, the one farther from zero."""
    whole = math.trunc(value)
    return whole + math.copysign(1, value) if abs(value - whole) >= 0.5 else whole


# -- signs --------------------------------------------------------------------------------------


@takes("math.abs", (int,), (UInt,), (float,))
def absolute(value: Any) -> Any:
    if value == INT_MIN and type(value) is int:
        return Fault("overflow", ("math.abs",))
    return value if type(value) is UInt else abs(value)


@takes("math.sign", (int,), (UInt,), (float,))
def sign(value: Any) -> Any:
    """-1, 0 or 1 in the type of the value; NaN of NaN."""
    if value != value:
        return value
    kind = type(value)
    return kind((value > 0) - (value < 0))


@takes("math.sqrt", (int,), (UInt,), (float,))
def square_root(value: Any) -> float:
    """The square root; NaN of a negative number."""
    number = float(value)
    return math.nan if number < 0 else math.sqrt(number)


# -- bits ---------------------------------------------------------------------------------------


def bitwise(function: str, operation: Callable[[int, int], int]) -> Implementation:
    """A function of the bits of two ints or two uints."""

    @takes(function, (int, int), (UInt, UInt))
    def combined(left: Any, right: Any) -> Any:
        return like(left, operation(int(left), int(right)))

    return combined


@takes("math.bitNot", (int,), (UInt,))
def bit_not(value: Any) -> Any:
    return like(value, ~int(value))


@takes("math.bitShiftLeft", (int, int), (UInt, int))
def shift_left(value: Any, offset: int) -> Any:
    """The bits moved up; what is moved beyond the 64th is lost, the sign too."""
    if offset < 0:
        return negative_offset("math.bitShiftLeft", offset)
    return like(value, int(value) << offset if offset < 64 else 0)


@takes("math.bitShiftRight", (int, int), (UInt, int))
def shift_right(value: Any, offset: int) -> Any:
    """The bits moved down, the sign as any other."""
    if offset < 0:
        return negative_offset("math.bitShiftRight", offset)
    return like(value, (int(value) & UINT_MAX) >> offset if offset < 64 else 0)


def negative_offset(function: str, offset: int) -> Fault:
    return Fault("invalid_argument", (function, f"the offset {offset} is negative"))


def like(value: Any, bits: int) -> Any:
    """The lowest 64 bits as an int or a uint, as `value` is one."""
    bits &= UINT_MAX
    if type(value) is UInt:
        return UInt(bits)
    return bits if bits <= INT_MAX else bits - UINT_MAX - 1


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("math.@max", 1): extreme("math.greatest", 1),
    ("math.@max", 2): extreme("math.greatest", 1),
    ("math.@min", 1): extreme("math.least", -1),
    ("math.@min", 2): extreme("math.least", -1),
    ("math.ceil", 1): rounding("math.ceil", math.ceil),
    ("math.floor", 1): rounding("math.floor", math.floor),
    ("math.round", 1): rounding("math.round", away_from_zero),
    ("math.trunc", 1): rounding("math.trunc", math.trunc),
    ("math.isInf", 1): takes("math.isInf", (float,))(math.isinf),
    ("math.isNaN", 1): takes("math.isNaN", (float,))(math.isnan),
    ("math.isFinite", 1): takes("math.isFinite", (float,))(math.isfinite),
    ("math.abs", 1): absolute,
    ("math.sign", 1): sign,
    ("math.sqrt", 1): square_root,
    ("math.bitAnd", 2): bitwise("math.bitAnd", int.__and__),
    ("math.bitOr", 2): bitwise("math.bitOr", int.__or__),
    ("math.bitXor", 2): bitwise("math.bitXor", int.__xor__),
    ("math.bitNot", 1): bit_not,
    ("math.bitShiftLeft", 2): shift_left,
    ("math.bitShiftRight", 2): shift_right,
}
MACROS = {
    0: MacroTable(
        {
            ("greatest", -1, True): expander("math.greatest", "math.@max"),
            ("least", -1, True): expander("math.least", "math.@min"),
        }
    )
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    extremes = "".join(EXTREME_OVERLOADS.format(name) for name in ("max", "min"))
    return made("math", version, LATEST, OVERLOADS + extremes, IMPLEMENTATIONS, MACROS)
