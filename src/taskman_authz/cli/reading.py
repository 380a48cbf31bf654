"""What a user gives a command: JSON on the command line, in a file, on standard input; a time.

Laws: what cannot be read is an `Issue` with the option or the file as its source, and a caret. JSON
is RFC 8259: no NaN, no half of a surrogate pair, and no key twice in one object, because of two
owners only one would count. A number that no double holds is refused, not made infinite.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from typing import Any, NoReturn

from .._fast.times import Timestamp, parse_timestamp
from ..errors import CompileError, RequestError
from ..issues import Issue, Issues, Place, place_at

STANDARD_INPUT = "-"


VARIABLE = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")


def variable_options(parser: argparse.ArgumentParser) -> None:
    """The options that give an expression its variables."""
    parser.add_argument(
        "--var",
        dest="variables",
        metavar="NAME=JSON",
        action="append",
        default=[],
        help="a variable and its value; as often as there are variables",
    )
    parser.add_argument(
        "--input", metavar="FILE", help="a JSON object of variables, or - for stdin"
    )


def given_variables(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, Any]:
    """The variables of the input, and over them those of the options."""
    variables = {} if options.input is None else read_variables(options.input)
    for given in options.variables:
        name, equals, text = given.partition("=")
        if not equals:
            parser.error(f"--var `{given}` is not of the form NAME=JSON")
        variables[name] = parse_json(f"--var {name}", text)
    for name in variables:
        if not VARIABLE.fullmatch(name):
            parser.error(f"`{name}` cannot be the name of a variable")
    return variables


def read_entity(option: str, text: str) -> Any:
    """A subject, an action or a resource: `{…}` is JSON, `@file` and `-` hold JSON, and anything
    else is its name (`user:123`)."""
    if text == STANDARD_INPUT or text[:1] in ("{", "@"):
        return read_object(option, text)
    return text


def read_object(option: str, text: str) -> dict[str, Any]:
    """A JSON object: written out, or in `@file`, or on standard input (`-`)."""
    source, content = _content(option, text)
    value = parse_json(source, content)
    if not isinstance(value, dict):
        _refuse(Place(source, 1, 1, _first_line(content)), "expected a JSON object")
    return value


def read_file(path: str) -> Any:
    """The JSON value in a file, or on standard input (`-`)."""
    return parse_json(*_content("", _given(path)))


def read_variables(path: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input (`-`)."""
    return read_object("", _given(path))


def _given(path: str) -> str:
    return path if path == STANDARD_INPUT else f"@{path}"


def parse_json(source: str, text: str) -> Any:
    """The value that `text` holds. Raises CompileError at the place where it stops being JSON."""
    if (lone := _lone_surrogate(text)) >= 0:
        _refuse(place_at(source, text, lone), "not JSON: half of a surrogate pair")
    try:
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_double,
            object_pairs_hook=_distinct,
        )
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        _refuse(place_at(source, text, error.pos), f"not JSON: {why}")
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        _refuse(Place(source, 1, 1, _first_line(text)), f"not JSON: {why}")


def read_time(option: str, text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time."""
    found = parse_timestamp(text)
    if not isinstance(found, Timestamp):
        raise RequestError(option, "expected a time such as `2026-01-15T10:30:00Z`")
    return found.ns


def _content(option: str, text: str) -> tuple[str, str]:
    """Where a text comes from, for messages, and the text."""
    if text == STANDARD_INPUT:
        return "<stdin>", standard_input()
    if text[:1] != "@":
        return option, text
    with open(text[1:], "rb") as file:
        return text[1:], _decoded(text[1:], file.read())


def standard_input() -> str:
    """The text on standard input."""
    return _decoded("<stdin>", sys.stdin.buffer.read())


def next_line() -> str | None:
    """The next line on standard input, without its end; None where there is no more."""
    line = sys.stdin.buffer.readline()
    return _decoded("<stdin>", line).rstrip("\r\n") if line else None


def _decoded(source: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = len(error.object[: error.start].decode())
        place = place_at(source, error.object.decode(errors="replace"), before)
        _refuse(place, "not UTF-8", "unreadable")


# A pair of surrogates, one alone, or another escape that a search for these must step over.
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone>u[dD][89a-fA-F])|.)|(?P<raw>[\ud800-\udfff])",
    re.DOTALL,
)


def _lone_surrogate(text: str) -> int:
    """Where half of a surrogate pair is written, which is no character; -1 if nowhere."""
    found = (match.start() for match in _ESCAPES.finditer(text) if match["lone"] or match["raw"])
    return next(found, -1)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"`{key}` twice in one object")
        found[key] = value
    return found


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = text if len(text) < 40 else f"{text[:40]}…"
        raise ValueError(f"`{shown}` is larger than any double")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is no JSON number")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _refuse(place: Place, message: str, code: str = "invalid_json") -> NoReturn:
    raise CompileError(Issues.of([Issue(place, code, message)]))
