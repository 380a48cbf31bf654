"""Independent implementations of the language as witnesses: what each says to an expression over
the same variables, in one comparable form.

The form is `(kind, payload)`. An error of the evaluation is `("error",)` and an expression that is
not accepted `("refused",)`, for the words are nobody's promise. The C++ witness gives a uint within
a list or map as an int, so there all forms do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import cel_expr_python.cel as cpp
import celpy
from celpy import celtypes
from celpy.evaluation import CELEvalError

from taskman_authz._fast.values import CelType, UInt
from taskman_authz.cel import Env
from taskman_authz.errors import CompileError, EvaluationError

Form = tuple[Any, ...]
Variables = Mapping[str, Any]
ERROR: Form = ("error",)
REFUSED: Form = ("refused",)


def form_of(value: Any) -> Form:
    """The form of a plain value."""
    if isinstance(value, UInt):
        return "uint", int(value)
    if isinstance(value, CelType):
        return "type", value.name
    if isinstance(value, CELEvalError):
        return ERROR
    return _KINDS[type(value)], _payload(value)


def _payload(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)  # NaN is itself, -0.0 is not 0.0
    if isinstance(value, list):
        return tuple(map(_member, value))
    if isinstance(value, dict):
        return frozenset((_member(key), _member(member)) for key, member in value.items())
    return value


def _member(value: Any) -> Form:
    return form_of(int(value)) if isinstance(value, UInt) else form_of(value)


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
}


# -- ours --------------------------------------------------------------------------------------


@cache
def _our_env(types: tuple[tuple[str, str], ...]) -> Env:
    return Env(dict(types))


def ours(text: str, types: Mapping[str, str], variables: Variables) -> Form:
    """What we say."""
    try:
        return form_of(_our_env(tuple(types.items())).compile(text).evaluate(variables))
    except CompileError:
        return REFUSED
    except EvaluationError:
        return ERROR


# -- cel-expr-python: the C++ implementation ---------------------------------------------------

_CPP_TYPES = {
    "int": cpp.Type.INT,
    "uint": cpp.Type.UINT,
    "double": cpp.Type.DOUBLE,
    "string": cpp.Type.STRING,
    "bool": cpp.Type.BOOL,
    "dyn": cpp.Type.DYN,
    "list(int)": cpp.Type.List(cpp.Type.INT),
    "list(string)": cpp.Type.List(cpp.Type.STRING),
    "map(string, int)": cpp.Type.Map(cpp.Type.STRING, cpp.Type.INT),
}


@cache
def _cpp_env(types: tuple[tuple[str, str], ...]) -> Any:
    return cpp.NewEnv(variables={name: _CPP_TYPES[type] for name, type in types})


def cpp_says(text: str, types: Mapping[str, str], variables: Variables) -> Form:
    """What the C++ implementation says."""
    try:
        compiled = _cpp_env(tuple(types.items())).compile(text)
    except RuntimeError:
        return REFUSED
    found = compiled.eval(data=dict(variables))
    kind, value = str(found.type()), found.plain_value()
    if kind == "ERROR":
        return ERROR
    if kind == "UINT":
        return "uint", value
    if kind == "TYPE":
        return "type", str(value).lower()
    return form_of(bytes(value) if isinstance(value, bytearray) else value)


# -- cel-python --------------------------------------------------------------------------------

_CELPY_TYPES: dict[str, Callable[[Any], Any]] = {
    "int": celtypes.IntType,
    "uint": celtypes.UintType,
    "double": celtypes.DoubleType,
    "string": celtypes.StringType,
    "bool": celtypes.BoolType,
    "list(int)": lambda value: celtypes.ListType([celtypes.IntType(member) for member in value]),
    "list(string)": lambda value: celtypes.ListType(
        [celtypes.StringType(member) for member in value]
    ),
    "map(string, int)": lambda value: celtypes.MapType(
        {celtypes.StringType(key): celtypes.IntType(member) for key, member in value.items()}
    ),
}
_CELPY_PLAIN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (celtypes.BoolType, bool),
    (celtypes.UintType, lambda value: UInt(value)),
    (celtypes.IntType, int),
    (celtypes.DoubleType, float),
    (celtypes.StringType, str),
    (celtypes.BytesType, bytes),
    (list, lambda value: [_celpy_plain(member) for member in value]),
    (
        celtypes.MapType,
        lambda value: {_celpy_plain(k): _celpy_plain(member) for k, member in value.items()},
    ),
)


def _celpy_plain(value: Any) -> Any:
    for kind, convert in _CELPY_PLAIN:
        if isinstance(value, kind):
            return convert(value)
    return value


def _celpy_environment() -> Any:
    limit = sys.getrecursionlimit()
    made = celpy.Environment()  # which raises the limit for everybody, other tests among them
    sys.setrecursionlimit(limit)
    return made


CELPY = _celpy_environment()


def celpy_says(text: str, types: Mapping[str, str], variables: Variables) -> Form:
    """What cel-python says, which checks no types: it refuses what it cannot parse or build."""
    program = CELPY.program(CELPY.compile(text))
    values = {name: _CELPY_TYPES[types[name]](value) for name, value in variables.items()}
    try:
        found = program.evaluate(values)
    except CELEvalError:
        return ERROR
    except Exception as error:
        return "crash", type(error).__name__
    return form_of(_celpy_plain(found))
