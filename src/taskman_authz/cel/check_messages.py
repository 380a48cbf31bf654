"""What the checker says, one function a message. Each gives a stable code, the message, a hint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence

from .decls import Overload
from .types import Type

Said = tuple[str, str, str]  # code, message, hint

NAMES_COMPARED = 1_000  # difflib takes some 10 µs a name
CANDIDATES_SHOWN = 5

# How people write the operators whose names are not what stands between their underscores.
OPERATORS = {"@in": "in", "_[_]": "[]", "_[?_]": "[?]", "_?._": ".?", "_?_:_": "?:"}

SHORT = {
    "google.protobuf.Any": "any",
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
    "null_type": "null",
}
LONG = re.compile(rf"\b({'|'.join(map(re.escape, SHORT))})\b(?![.\w])")


def written(function: str) -> str:
    """A function or operator as people write it."""
    middle = function.strip("_")
    return OPERATORS.get(function) or (function if middle[:1].isalpha() else middle)


def shown(type: Type | Overload) -> str:
    """A type or a signature as people write it: short."""
    return LONG.sub(lambda found: SHORT[found[0]], str(type))


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The hint that names the nearest of `names`, or nothing if none is near. To a name of one
    or two letters anything is near."""
    near = [known for known in names if abs(len(known) - len(name)) <= 3 and known != name]
    found = difflib.get_close_matches(name, near[:NAMES_COMPARED], 1) if len(name) > 2 else ()
    return f"did you mean `{found[0]}`?" if found else ""


def undeclared_reference(name: str, near: str, names: Collection[str], container: str) -> Said:
    hint = did_you_mean(near, names) or did_you_mean(name, names)
    within = f" in the container `{container}`" if container else ""
    return "undeclared_reference", f"undeclared reference to `{name}`{within}", hint


def undeclared_function(name: str, names: Collection[str], container: str) -> Said:
    within = f" in the container `{container}`" if container else ""
    message = f"undeclared reference to the function `{name}`{within}"
    return "undeclared_reference", message, did_you_mean(name, names)


def no_matching_overload(
    function: str,
    arguments: Sequence[Type],
    member: bool,
    nearest: Sequence[Overload],
    others: int,
) -> Said:
    given = ", ".join(map(shown, arguments[member:]))
    target = f"{shown(arguments[0])}." if member else ""
    message = f"no matching overload for `{written(function)}` applied to `{target}({given})`"
    others += len(nearest[CANDIDATES_SHOWN:])
    candidates = ", ".join(f"`{shown(one)}`" for one in nearest[:CANDIDATES_SHOWN])
    more = f" and {others} more" if others else ""
    return "no_matching_overload", message, f"it takes {candidates}{more}" if candidates else ""


def different_branches(one: Type, other: Type) -> Said:
    message = f"the branches of `?:` have different types, `{shown(one)}` and `{shown(other)}`"
    return "no_matching_overload", message, "`dyn(…)` around one of them allows it"


def different_sides(operator: str, one: Type, other: Type) -> Said:
    both = f"`{shown(one)}` with `{shown(other)}`"
    message = f"`{written(operator)}` compares {both}, which are never equal"
    return "no_matching_overload", message, "convert one of them, or write `dyn(…)` around it"


def undefined_field(field: str, type: Type, names: Iterable[str]) -> Said:
    return (
        "undefined_field",
        f"undefined field `{field}` of `{shown(type)}`",
        did_you_mean(field, names),
    )


def no_fields(field: str, type: Type) -> Said:
    return "no_fields", f"`{shown(type)}` has no fields, so `.{field}` cannot be read", ""


def not_bool(type: Type) -> Said:
    return "type_mismatch", f"expected `bool` but found `{shown(type)}`", ""


def type_mismatch(wanted: Type, found: Type) -> Said:
    return "type_mismatch", f"expected `{shown(wanted)}` but found `{shown(found)}`", ""


def field_mismatch(field: str, wanted: Type, found: Type) -> Said:
    message = f"the field `{field}` has the type `{shown(wanted)}` but is given `{shown(found)}`"
    return "type_mismatch", message, ""


def field_twice(field: str) -> Said:
    return "field_twice", f"the field `{field}` is given twice", ""


def not_optional(found: Type) -> Said:
    message = f"expected an optional value behind `?` but found `{shown(found)}`"
    return "type_mismatch", message, ""


def unknown_type(name: str, names: Iterable[str]) -> Said:
    return "invalid_type", f"unknown type `{name}`", did_you_mean(name, names)


def not_a_type(name: str, type: Type) -> Said:
    return "not_a_type", f"`{name}` is a value of `{shown(type)}`, not a type", ""


def not_a_message(type: Type) -> Said:
    return "not_a_message", f"`{shown(type)}` is not a message type", ""


def not_a_range(type: Type) -> Said:
    message = f"`{shown(type)}` cannot be iterated over"
    return "not_a_range", message, "a list, a map or a dyn value can"


def not_a_field_name() -> Said:
    return "not_a_field_name", "expected the name of a field", ""


def not_a_block() -> Said:
    return "not_a_block", "the parts of a block must be written as a list", ""


def variable_twice(name: str) -> Said:
    return "variable_twice", f"`{name}` names two variables of one macro", ""


def not_a_condition(type: Type) -> Said:
    return "not_bool", f"a condition is `bool`, but this is `{shown(type)}`", ""


def too_deep() -> Said:
    return "limit_exceeded", "the expression is nested too deeply", ""
