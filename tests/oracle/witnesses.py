"""Independent implementations of the language as witnesses: what each says to an expression over
the same variables, in one comparable form.

The form is `(kind, payload)`. An error of the evaluation is `("error",)` and an expression that is
not accepted `("refused",)`, for the words are nobody's promise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import cel_expr_python.cel as cpp
import celpy
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings
from celpy import celtypes
from celpy.evaluation import CELEvalError

from taskman_authz._fast.values import CelType, UInt
from taskman_authz.cel import Env, Optional, ext
from taskman_authz.errors import CompileError, EvaluationError

Form = tuple[Any, ...]
Variables = Mapping[str, Any]
ERROR: Form = ("error",)
REFUSED: Form = ("refused",)


def form_of(value: Any) -> Form:
    """The form of a plain value."""
    if isinstance(value, CelType):
        return "type", value.name
    if isinstance(value, CELEvalError):
        return ERROR
    if isinstance(value, Optional):
        return ("optional_type",)
    for type_, kind in _KINDS:
        if isinstance(value, type_):
            return kind, _payload(value)
    raise TypeError(type(value))


def _payload(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)  # NaN is itself, -0.0 is not 0.0
    if isinstance(value, list):
        return tuple(map(form_of, value))
    if isinstance(value, dict):
        # The C++ witness gives a key that is a uint as an int.
        return frozenset(
            (form_of(int(key) if isinstance(key, UInt) else key), form_of(member))
            for key, member in value.items()
        )
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat()[:26]  # to microseconds
    if isinstance(value, timedelta):
        # To microseconds, as the C++ witness cuts it off.
        up = value < timedelta(0) and getattr(value, "below", 0) > 0
        return timedelta(value.days, value.seconds, value.microseconds + up)
    return value


_KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "bool"),
    (UInt, "uint"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (datetime, "timestamp"),
    (timedelta, "duration"),
)


# -- ours --------------------------------------------------------------------------------------


@cache
def our_env(types: tuple[tuple[str, str], ...] = ()) -> Env:
    """Our environment, with the libraries that the C++ implementation has too."""
    libraries = (ext.BINDINGS, ext.COMPREHENSIONS, ext.ENCODERS, ext.LISTS, ext.MATH, ext.OPTIONALS)
    return Env(dict(types), libraries=(*libraries, ext.SETS, ext.STRINGS))


def ours(text: str, types: Mapping[str, str], variables: Variables) -> Form:
    """What we say."""
    try:
        return form_of(our_env(tuple(types.items())).compile(text).evaluate(variables))
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
    "bytes": cpp.Type.BYTES,
    "timestamp": cpp.Type.TIMESTAMP,
    "duration": cpp.Type.DURATION,
    "dyn": cpp.Type.DYN,
    "list(int)": cpp.Type.List(cpp.Type.INT),
    "list(string)": cpp.Type.List(cpp.Type.STRING),
    "list(dyn)": cpp.Type.List(cpp.Type.DYN),
    "map(string, int)": cpp.Type.Map(cpp.Type.STRING, cpp.Type.INT),
    "map(dyn, dyn)": cpp.Type.Map(cpp.Type.DYN, cpp.Type.DYN),
}
# What Python switches on by name, and what by an object.
_CPP_CONFIG = """
name: witness
extensions:
  - name: lists
  - name: sets
  - name: two-var-comprehensions
"""
_CPP_EXTENSIONS = (
    ext_bindings.ExtBindings,
    ext_encoders.ExtEncoders,
    ext_math.ExtMath,
    ext_optional.ExtOptional,
    ext_strings.ExtStrings,
)
_TYPE_NAMES = {
    "NULL": "null_type",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
}


@cache
def _cpp_env(types: tuple[tuple[str, str], ...]) -> Any:
    return cpp.NewEnv(
        config=cpp.NewEnvConfigFromYaml(_CPP_CONFIG),
        variables={name: _CPP_TYPES[type] for name, type in types},
        extensions=[extension() for extension in _CPP_EXTENSIONS],
    )


def cpp_says(text: str, types: Mapping[str, str], variables: Variables) -> Form:
    """What the C++ implementation says."""
    try:
        compiled = _cpp_env(tuple(types.items())).compile(text)
    except RuntimeError:
        return REFUSED
    try:
        return _cpp_form(compiled.eval(data=variables))
    except RuntimeError:  # it folds constants when it is first evaluated, and raises their errors
        return ERROR
    except Exception as error:
        return "crash", type(error).__name__


def cpp_parses(text: str) -> bool | None:
    """Whether the C++ implementation parses a text; None where it is too deep for it."""
    try:
        _cpp_env(()).compile(text, disable_check=True)
    except RuntimeError as error:
        return None if "recursion" in str(error) else False
    return True


def _cpp_form(found: Any) -> Form:
    kind = found.type().name().partition("<")[0].lower()
    if kind == "error":
        return ERROR
    if kind == "optional_type":  # Python cannot be given one
        return (kind,)
    value = found.value()
    if kind == "list":
        return kind, tuple(map(_cpp_form, value))
    if kind == "map":
        return kind, frozenset((form_of(key), _cpp_form(each)) for key, each in value.items())
    if kind == "type":
        name = value.name().partition("<")[0]
        return kind, _TYPE_NAMES.get(name, name.lower())
    return kind, bytes(value) if kind == "bytes" else _payload(value)


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
