"""Types and signatures as people write them: `map(string, list(int))`, `string.(string) -> bool`.

The notation is that of the language definition. A signature's target, where it has one, stands
before the dot. In a signature a name of one capital letter is a type parameter.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

import msgspec

from ..errors import CompileError
from ..issues import Issue, Issues, place_at
from .types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    WELL_KNOWN,
    Kind,
    Type,
    list_of,
    map_of,
    message_type,
    opaque_type,
    optional_of,
    type_of,
    type_param,
    wrapper_of,
)

NAMES: Mapping[str, Type] = {
    "any": ANY,
    "bool": BOOL,
    "bytes": BYTES,
    "double": DOUBLE,
    "duration": DURATION,
    "dyn": DYN,
    "int": INT,
    "list": LIST,
    "map": MAP,
    "null": NULL,
    "null_type": NULL,
    "string": STRING,
    "timestamp": TIMESTAMP,
    "type": TYPE,
    "uint": UINT,
    **WELL_KNOWN,
}

CONSTRUCTORS: Mapping[str, tuple[int, Callable[..., Type]]] = {
    "list": (1, list_of),
    "map": (2, map_of),
    "optional": (1, optional_of),
    "optional_type": (1, optional_of),
    "type": (1, type_of),
    "wrapper": (1, wrapper_of),
}

_WRAPPED = frozenset({Kind.BOOL, Kind.BYTES, Kind.DOUBLE, Kind.INT, Kind.STRING, Kind.UINT})
_TOKEN = re.compile(r"\s*(->|[(),.]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|$)", re.ASCII)
_PARAMETER = re.compile(r"[A-Z]\Z")
NESTING = 50  # levels of parentheses; see types.TYPE_SIZE


class Signature(msgspec.Struct, frozen=True):
    """What `(A, B) -> R` says; with `member` the first of `arguments` is the target."""

    arguments: tuple[Type, ...]
    result: Type
    member: bool = False


@functools.lru_cache(maxsize=1024)
def parse_type(text: str) -> Type:
    """The type that `text` writes. A name that is not a type of the language is a message type,
    with parentheses behind it an abstract type. Raises CompileError."""
    reader = _Reader(text, parameters=False)
    found = reader.type(0)
    reader.expect("")
    return found


@functools.lru_cache(maxsize=1024)
def parse_signature(text: str) -> Signature:
    """The signature that `text` writes. Raises CompileError."""
    return _Reader(text, parameters=True).signature()


class _Reader:
    """Reads one text from left to right; `token` is the next, at `offset`."""

    def __init__(self, text: str, parameters: bool) -> None:
        self.text = text
        self.parameters = parameters
        self.offset = self.end = 0
        self.token = ""
        self.advance()

    def refuse(self, message: str, hint: str = "") -> NoReturn:
        place = place_at("<type>", self.text, self.offset)
        raise CompileError(Issues((Issue(place, "invalid_type", message, hint),)))

    def advance(self) -> str:
        """Take the next token."""
        taken = self.token
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            self.offset = self.end
            self.refuse("expected a type", "for example `int` or `map(string, list(int))`")
        self.token, self.offset, self.end = match[1], match.start(1), match.end()
        return taken

    def found(self) -> str:
        return f"`{self.token}`" if self.token else "the end"

    def expect(self, token: str) -> None:
        if self.token != token:
            wanted = f"`{token}`" if token else "the end"
            self.refuse(f"expected {wanted} but found {self.found()}")
        self.advance()

    def type(self, depth: int) -> Type:
        if depth > NESTING:
            self.refuse(f"more than {NESTING} parentheses inside one another")
        if not self.token.strip("->(),."):
            self.refuse(f"expected a type but found {self.found()}")
        start = self.offset
        name = self.advance()
        if self.token == "(":
            return self.constructed(name, self.types(depth), start)
        if self.parameters and _PARAMETER.match(name):
            return type_param(name)
        return NAMES.get(name) or message_type(name)

    def types(self, depth: int) -> tuple[Type, ...]:
        """A list of types in parentheses."""
        found: list[Type] = []
        self.expect("(")
        while self.token != ")":
            found.append(self.type(depth + 1))
            if self.token not in (")", ","):
                self.refuse(f"expected `,` or `)` but found {self.found()}")
            if self.token == ",":
                self.advance()
        self.advance()
        return tuple(found)

    def constructed(self, name: str, parameters: tuple[Type, ...], start: int) -> Type:
        if name not in CONSTRUCTORS:
            if name in NAMES:
                self.offset = start
                self.refuse(f"`{name}` has no parameters")
            return opaque_type(name, *parameters)
        count, make = CONSTRUCTORS[name]
        if len(parameters) != count:
            self.offset = start
            self.refuse(f"`{name}` has {count} parameters, not {len(parameters)}")
        if make is wrapper_of and parameters[0].kind not in _WRAPPED:
            self.offset = start
            self.refuse(f"`{parameters[0]}` has no wrapper")
        return make(*parameters)

    def signature(self) -> Signature:
        target: tuple[Type, ...] = ()
        if self.token != "(":
            target = (self.type(0),)
            self.expect(".")
        arguments = self.types(0)
        self.expect("->")
        result = self.type(0)
        self.expect("")
        return Signature(target + arguments, result, bool(target))
