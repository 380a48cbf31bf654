"""Attributes that are not known: patterns that say which, and values that are known in part.

A pattern is a variable and keys below it, `task.tags[0]`, `labels['a b']`; `*` is any key,
`items[*].price`. It covers what lies at its end and everything below.

Law: what a pattern covers may be there or not. So the keys of what holds it are not known either,
and neither is the value as a whole; but its other members are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from .._fast.access import entries, has, index, index_optional, is_map, select
from .._fast.partial import UNKNOWN, Incomplete
from .._fast.values import Fault, UInt, type_name
from ..errors import CompileError, require
from ..issues import Issue, Issues, place_at
from .literals import field_text, literal_text
from .parser import parse
from .source import Source

Key = Any  # str, int or bool
Keys = tuple[Key, ...]


class AnyKey:
    """What stands for any key in a pattern. There is one, `ANY`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY"


ANY = AnyKey()


class AttributePattern:
    """Attributes that are not known, as text: `AttributePattern("items[*].price")`; or as a
    variable and its keys: `AttributePattern.of("items", ANY, "price")`.

    Raises CompileError for a text that is none.
    """

    __slots__ = ("keys",)

    def __init__(self, text: str) -> None:
        require("text", text, str, "a pattern such as `items[*].price`")
        self.keys: Keys = read(text)

    @classmethod
    def of(cls, variable: str, *keys: Key | AnyKey) -> AttributePattern:
        """The pattern of a variable (a name with dots is one of names) and keys below it."""
        made = cls.__new__(cls)
        made.keys = (*variable.split("."), *map(number, keys))
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttributePattern) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return path_text(self.keys)

    def __repr__(self) -> str:
        return f"AttributePattern({str(self)!r})"


def number(key: Key) -> Key:
    """A key as patterns have it: uints and whole doubles are ints, as where a list is read."""
    if type(key) is UInt or (type(key) is float and key.is_integer()):
        return int(key)
    return key


# -- texts ----------------------------------------------------------------------------------------

_FIRST = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_]\w*) | \.`(?P<quoted>[^`]+)` | (?P<any>\.\*|\[\*\])
    | \[(?P<key>-?\d+u?|true|false|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""",
    re.ASCII | re.VERBOSE,
)


def read(text: str) -> Keys:
    """The keys of a pattern. Raises CompileError."""
    found = _FIRST.match(text)
    if found is None:
        refuse(text, 0, "expected the name of a variable")
    keys: list[Key] = [found[0]]
    offset = found.end()
    while offset < len(text):
        found = _STEP.match(text, offset)
        if found is None:
            refuse(text, offset, "expected `.name`, `[index]`, `['key']` or `*`")
        if found["key"] is not None:
            keys.append(number(parse(Source(found["key"])).expr.value))  # type: ignore[attr-defined]
        else:
            keys.append(ANY if found["any"] else found["name"] or found["quoted"])
        offset = found.end()
    return tuple(keys)


def refuse(text: str, offset: int, message: str) -> NoReturn:
    place = place_at("<attribute>", text, offset)
    hint = "for example `resource.owner` or `items[*].price`"
    raise CompileError(Issues((Issue(place, "invalid_attribute", message, hint),)))


_NAME = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


def path_text(path: Keys) -> str:
    """An attribute as an expression writes it: `task.tags[0]`."""
    return str(path[0]) + "".join(map(_step_text, path[1:]))


def _step_text(key: Key) -> str:
    if key is ANY:
        return "[*]"
    if type(key) is str and _NAME.fullmatch(key) and field_text(key) == key:
        return f".{key}"
    return f"[{literal_text(key)}]"


# -- values ---------------------------------------------------------------------------------------


class KnownInPart(Incomplete):
    """What is known (`held`, a core value, or the Fault of what is missing) of the attribute at
    `path`, and the keys from there on to what is not (`patterns`, none of them empty)."""

    __slots__ = ("held", "path", "patterns")

    def __init__(self, path: Keys, held: Any, patterns: tuple[Keys, ...]) -> None:
        self.path = path
        self.held = held
        self.patterns = patterns

    def whole(self) -> Fault:
        return unknown(self.path)

    def below(self, key: Key) -> tuple[Keys, ...]:
        """What is not known below a key."""
        return tuple(pattern[1:] for pattern in self.patterns if matches(pattern[0], key))

    def read(self, key: Key, held: Any) -> Any:
        """What is known of what lies at a key, where `held` is given there."""
        return known(self.path + (number(key),), held, self.below(key))

    def part(self, key: Key) -> Any:
        return self.read(key, index(self.held, key))

    def member(self, name: str) -> Any:
        return self.read(name, select(self.held, name))

    def has_member(self, name: str) -> Any:
        return unknown((*self.path, name)) if self.below(name) else has(self.held, name)

    def optional_part(self, key: Key) -> Any:
        if self.below(key):
            return unknown((*self.path, number(key)))
        return index_optional(self.held, key)

    def elements(self) -> Any:
        if type(self.held) is Fault or any(len(pattern) == 1 for pattern in self.patterns):
            return self.whole()
        if type(self.held) is list or type(self.held) is tuple:
            return [self.part(place) for place in range(len(self.held))]
        found = entries(self.held) if is_map(self.held) else self.held
        return {key: self.part(key) for key in found} if type(found) is dict else found

    @property
    def type_name(self) -> str:
        return type_name(self.held)


def matches(pattern: Key | AnyKey, key: Key) -> bool:
    """Whether a pattern has such a key: numbers are equal across types, a bool is no number."""
    if pattern is ANY:
        return True
    return bool(pattern == key) and (type(pattern) is bool) == (type(key) is bool)


def known(path: Keys, held: Any, patterns: tuple[Keys, ...]) -> Any:
    """What is known of the attribute at `path`, which holds `held`."""
    if not patterns:
        return held
    return KnownInPart(path, held, patterns) if all(patterns) else unknown(path)


def unknown(path: Keys) -> Fault:
    """The unknown that an attribute is."""
    return Fault(UNKNOWN, (path_text(path),))


def variable(name: str, held: Any, patterns: Iterable[AttributePattern]) -> Any:
    """What is known of a variable, whose name may have dots."""
    names = tuple(name.split("."))
    below = tuple(
        pattern.keys[len(names) :] for pattern in patterns if all(map(matches, pattern.keys, names))
    )
    return known((name,), held, below)
