"""What a user gives a command: JSON on the command line, in a file, on standard input; a time.

Law: what cannot be read is an `Issue` with the option or the file as its source, and a caret.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn

from .. import json_text
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
    try:
        return json_text.parse(text)
    except json_text.NotJSONError as error:
        place = Place(source, 1, 1, _first_line(text))
        if error.position >= 0:
            place = place_at(source, text, error.position)
        _refuse(place, f"not JSON: {error.why}")


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


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _refuse(place: Place, message: str, code: str = "invalid_json") -> NoReturn:
    raise CompileError(Issues.of([Issue(place, code, message)]))
