"""What is said about a text that does not parse and a value that is an error: one function a
message, so that all of them can be read in a minute. (What the checker says: `check_messages`.)

Laws: a message is lower case, has no full stop, shows what the user wrote in backticks and never
names a type of the implementation; a code never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._fast.values import Fault
from .check_messages import Said, written
from .literals import literal_text

SHOWN = 40  # code points of what was found


def shown(text: str) -> str:
    """What the user wrote, on one line and not too long."""
    line = text if text.isprintable() else repr(text)[1:-1]
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


# -- the text --------------------------------------------------------------------------------


def syntax_error(found: str, expected: str, before: str) -> Said:
    what = f"found `{shown(found)}`" if found else "the expression ends here"
    if not expected:
        what = f"`{shown(found)}` cannot stand here" if found else "the expression ends too early"
        return "syntax_error", what, ""
    hint = ""
    if found in ("!", "-") and expected.startswith("an expression"):
        hint = "`!` and `-` mix with parentheses only, such as `!(-x)`"
    elif found == "?" and "`:`" in expected:
        hint = "between `?` and `:`, another `? :` needs parentheses"
    elif before == "not":
        hint = "negation is `!`"
    return "syntax_error", f"{what}, expected {expected}", hint


def wrong_operator(found: str, meant: str) -> Said:
    return "syntax_error", f"`{found}` is no operator", f"did you mean `{meant}`?"


def invalid_character(found: str) -> Said:
    hint = ""
    if found[0] in "“”„‘’«»":
        hint = "strings are quoted with `'` or `\"`"
    elif found[0].isalpha():
        hint = "names have the letters a to z, digits and `_` only"
    return "invalid_character", f"`{shown(found)}` cannot stand in an expression", hint


def reserved_word(word: str) -> Said:
    hint = f"as a field, `x.{word}` is allowed"
    return "reserved_word", f"`{word}` is a reserved word and cannot be a name", hint


def unterminated_string(quote: str) -> Said:
    return "unterminated_string", f"the string is not closed by `{quote}`", ""


def unterminated_name() -> Said:
    return "unterminated_name", "the name is not closed by a backtick", ""


def invalid_name(name: str) -> Said:
    if not name:
        return "invalid_name", "a name between backticks cannot be empty", ""
    hint = "between backticks stand letters, digits, spaces and `_`, `-`, `.`, `/`"
    return "invalid_name", f"`{shown(name)}` cannot be a name", hint


def invalid_number(token: str) -> Said:
    return "invalid_number", f"`{shown(token)}` is not a number", ""


def int_out_of_range(token: str) -> Said:
    hint = "an int is at least -9223372036854775808 and at most 9223372036854775807"
    return "literal_out_of_range", f"`{shown(token)}` is out of the range of int", hint


def uint_out_of_range(token: str) -> Said:
    hint = "a uint is at most 18446744073709551615"
    return "literal_out_of_range", f"`{shown(token)}` is out of the range of uint", hint


def double_out_of_range(token: str) -> Said:
    return "literal_out_of_range", f"`{shown(token)}` is out of the range of double", ""


def invalid_escape(sequence: str) -> Said:
    hint = r"a backslash is written `\\`; in a raw string, `r'…'`, it stands for itself"
    return "invalid_escape", f"`{shown(sequence)}` is not an escape sequence", hint


def invalid_bytes_escape(sequence: str) -> Said:
    hint = r"an octet is written `\x00` to `\xff`"
    return "invalid_escape", f"`{sequence}` cannot stand in bytes, which are not text", hint


def invalid_code_point(sequence: str) -> Said:
    return "invalid_escape", f"`{sequence}` is not a character of Unicode", ""


def limit_exceeded(limit: str, bound: str) -> Said:
    what = LIMITS.get(limit, limit.replace("_", " "))
    return "limit_exceeded", f"{what.format(bound=bound)} (limit `{limit}`)", ""


LIMITS = {
    "expression_length": "the expression is longer than {bound} characters",
    "expression_depth": "the expression is nested more than {bound} levels deep",
    "comprehension_depth": "loops lie more than {bound} deep in one another",
    "expression_nodes": "the expression has more than {bound} parts",
    "tree_bytes": "the serialised expression is longer than {bound} bytes",
}


def no_optionals() -> Said:
    hint = "`has(a.b)` says whether a field is there"
    message = "`?` asks for an optional value, which this environment does not have"
    return "no_optionals", message, hint


def variable_expected(macro: str) -> Said:
    message = f"the first argument of `{macro}` must be the name of a variable"
    return "macro_argument", message, f"such as `x` in `list.{macro}(x, …)`"


def variable_is_accumulator(name: str) -> Said:
    return "macro_argument", f"`{name}` cannot be the name of a variable", ""


def selection_expected(macro: str) -> Said:
    message = f"the argument of `{macro}` must select a field"
    return "macro_argument", message, f"such as `{macro}(a.b)`"


def variables_alike(name: str) -> Said:
    return "variable_twice", f"`{name}` names two variables of one macro", ""


def block_expected(macro: str) -> Said:
    message = f"the first argument of `cel.{macro}` must be a list"
    return "macro_argument", message, f"such as `cel.{macro}([a, b], cel.index(0) + cel.index(1))`"


def number_expected(macro: str) -> Said:
    return "macro_argument", f"`cel.{macro}` takes numbers, written as ints from 0", ""


def extension_expected(macro: str) -> Said:
    message = f"the second argument of `proto.{macro}` must be the name of an extension"
    return "macro_argument", message, f"such as `proto.{macro}(message, package.field)`"


# -- a tree that was not parsed here ---------------------------------------------------------


def unreadable_tree(what: str) -> Said:
    return "invalid_tree", f"these bytes are no serialised `{what}`", ""


def incomplete_tree(part: str) -> Said:
    return "invalid_tree", f"the tree lacks {part}", ""


def no_text() -> Said:
    hint = "only a tree that was not parsed from a text has one"
    return "unwritable", "a comprehension that no macro writes has no text", hint


def invalid_id(id: int) -> Said:
    hint = "the ids of a tree's parts are unique, and from 1"
    return "invalid_tree", f"`{id}` cannot be the id of this part", hint


def unwritable_name(name: str, what: str) -> Said:
    return "invalid_tree", f"`{shown(name)}` cannot be the name of {what}", ""


def operator_arguments(function: str, count: int) -> Said:
    message = f"the operator `{written(function)}` takes {count} arguments and no target"
    return "invalid_tree", message, ""


def not_in_list(index: int) -> Said:
    return "invalid_tree", f"the list has no element {index} that could be optional", ""


def mixed_entry() -> Said:
    return "invalid_tree", "a map has keys, a message has fields", ""


def unknown_extension(name: str) -> Said:
    return "invalid_tree", f"the tree uses the extension `{shown(name)}`, which is unknown here", ""


# The core's codes of what is wrong with a text (`_fast.lexis.Problem`).
PROBLEMS: dict[str, Callable[..., Said]] = {
    "wrong_operator": wrong_operator,
    "invalid_character": invalid_character,
    "reserved_word": reserved_word,
    "unterminated_string": unterminated_string,
    "unterminated_name": unterminated_name,
    "invalid_name": invalid_name,
    "invalid_number": invalid_number,
    "int_out_of_range": int_out_of_range,
    "uint_out_of_range": uint_out_of_range,
    "double_out_of_range": double_out_of_range,
    "invalid_escape": invalid_escape,
    "invalid_bytes_escape": invalid_bytes_escape,
    "invalid_code_point": invalid_code_point,
    "limit_exceeded": limit_exceeded,
    "no_optionals": no_optionals,
}


# -- the value -------------------------------------------------------------------------------


def fault_message(fault: Fault) -> str:
    """The message of an error value."""
    say = FAULTS.get(fault.code)
    return say(*fault.details) if say else fault.code.replace("_", " ")


def no_such_overload(function: str, *types: str) -> str:
    if function == "map key":
        return f"`{types[0]}` cannot be the key of a map"
    if function == "comprehension":
        return f"`{types[0]}` cannot be iterated"
    if function.startswith(".") and types:  # and not the name of a function in the root container
        return f"`{types[0]}` has no field `{function[1:]}`"
    return f"no matching overload for `{written(function)}` applied to `({', '.join(types)})`"


def no_such_key(key: Any) -> str:
    return f"no such key: `{shown(literal_text(key))}`"


def no_such_attribute(name: str) -> str:
    return f"no such attribute: `{name}`"


def unknown(*attributes: str) -> str:
    return f"not known: {', '.join(f'`{name}`' for name in attributes)}"


def no_such_field(name: str) -> str:
    return f"no such field: `{name}`"


def unreadable(name: Any) -> str:
    return f"`{shown(str(name))}` cannot be read: the object that holds it failed"


def index_out_of_range(index: Any, size: Any, what: str = "list") -> str:
    return f"index {index} is out of the range of a {what} of {size}"


def overflow(function: str) -> str:
    return f"`{written(function)}` overflows"


def division_by_zero(*_: Any) -> str:
    return "division by zero"


def modulus_by_zero(*_: Any) -> str:
    return "modulus by zero"


def invalid_argument(function: str, why: str) -> str:
    return f"invalid argument of `{written(function)}`: {why}"


def unsupported_type(name: str) -> str:
    return f"a value of the Python type `{name}` is no value of the language"


def value_limit_exceeded(limit: str, bound: Any) -> str:
    return f"the limit `{limit}` of {bound} is exceeded"


def not_bool(kind: str) -> str:
    return f"expected a `bool`, got `{kind}`"


def duplicate_key(key: Any) -> str:
    return f"the key `{shown(literal_text(key))}` is in the map twice"


def no_value() -> str:
    return "`optional.none()` has no value"


def type_mismatch(wanted: str, given: str) -> str:
    return f"expected `{wanted}`, got `{given}`"


def duplicate_field(name: str) -> str:
    return f"the field `{name}` is in the message twice"


def invalid_field(name: str) -> str:
    return f"the field `{name}` cannot hold this value"


def unknown_message(name: str) -> str:
    if not name:
        return "an `Any` without a type cannot be read"
    return f"no message type `{name}` is known, so an `Any` of it cannot be read"


def invalid_message(name: str) -> str:
    return f"this message of the type `{name}` cannot be read"


def invalid_regex(why: str) -> str:
    return f"invalid regular expression: {why}"


FAULTS: dict[str, Callable[..., str]] = {
    "no_such_overload": no_such_overload,
    "no_such_key": no_such_key,
    "no_such_attribute": no_such_attribute,
    "no_such_field": no_such_field,
    "unreadable": unreadable,
    "index_out_of_range": index_out_of_range,
    "overflow": overflow,
    "division_by_zero": division_by_zero,
    "modulus_by_zero": modulus_by_zero,
    "invalid_argument": invalid_argument,
    "unsupported_type": unsupported_type,
    "limit_exceeded": value_limit_exceeded,
    "not_bool": not_bool,
    "duplicate_key": duplicate_key,
    "type_mismatch": type_mismatch,
    "duplicate_field": duplicate_field,
    "invalid_field": invalid_field,
    "unknown_message": unknown_message,
    "invalid_message": invalid_message,
    "invalid_regex": invalid_regex,
    "no_value": no_value,
    "unknown": unknown,
}
