"""The library `regex`: replacing and extracting by RE2's regular expressions.

Laws: as for `matches`, only RE2 runs a pattern, and a text that is not Unicode is a Fault; matches
are found from left to right and do not overlap, and an empty one is not found where the one before
it ended; a pattern of which something is extracted has one group at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

from ..._fast.activation import Activation
from ..._fast.patterns import PATTERNS_KEPT, REGEX_MEMORY, STATES, steps_of
from ..._fast.values import NONE, Fault, OptionalValue
from ...limits import Limits
from ..constants import pattern
from ..functions import Implementation, Limited, metered
from ..library import Library
from .overloads import made, takes

LATEST = 0

# fmt: off
OVERLOADS = """
0  regex.extract     regex_extract_string_string             (string, string) -> optional(string)
0  regex.extractAll  regex_extractAll_string_string          (string, string) -> list(string)
0  regex.replace     regex_replace_string_string_string      (string, string, string) -> string
0  regex.replace     regex_replace_string_string_string_int  (string, string, string, int) -> string
"""
# fmt: on

SMALL = 16  # instructions: a program with so few has few states, which RE2 keeps
MATCH = 50  # steps of taking a match out of a text
ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED
Spans = Any  # (start, end) in bytes of a match and of each of its groups; -1 where a group is not


class Pattern:
    """A compiled pattern and how many groups it has."""

    __slots__ = ("groups", "match", "size")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False  # a fault says it; nothing is written to stderr
        options.max_mem = REGEX_MEMORY
        compiled = re2.compile(pattern, options)
        self.groups: int = compiled.groups
        self.match = compiled._regexp.Match
        self.size: int = compiled._regexp.ProgramSize()

    def search(self, text: bytes, start: int = 0) -> Spans | None:
        """The first match at `start` or behind it."""
        spans = self.match(ANYWHERE, text, start, len(text))
        return spans if spans[0][0] >= 0 else None

    def matches(self, text: bytes, meter: Activation) -> Iterator[Spans]:
        """All matches, from left to right, as far as there are steps: to know where a match ends,
        the whole rest of the text may be looked at, by a small program in one state after the
        other, by a larger one with as many instructions alive as it has."""
        start, before = 0, -1
        alive = 1 if self.size <= SMALL else min(self.size, STATES)
        while start <= len(text) and meter.pay(MATCH + (alive * (len(text) - start) >> 6)):
            spans = self.search(text, start)
            if spans is None:
                return
            begin, end = spans[0]
            if end == start:
                if begin != before:
                    yield spans
                start = after(text, start)
            else:
                yield spans
                start = end
            before = end


def after(text: bytes, position: int) -> int:
    """Where the next character begins."""
    position += 1
    while position < len(text) and text[position] & 0xC0 == 0x80:
        position += 1
    return position


@lru_cache(maxsize=PATTERNS_KEPT)
def compiled(pattern: str) -> Pattern | Fault:
    try:
        return Pattern(pattern)
    except re2.error as refused:
        why = refused.args[0] if refused.args else "refused"
        return Fault("invalid_regex", (why.decode() if isinstance(why, bytes) else str(why),))
    except UnicodeEncodeError:
        return Fault("invalid_regex", ("a lone surrogate",))


def prepared(function: str, text: str, pattern: str, limits: Limits, meter: Activation) -> Any:
    """The compiled pattern and the text in UTF-8; or a Fault."""
    if len(pattern) > limits.regex_length:
        return Fault("limit_exceeded", ("regex_length", limits.regex_length))
    if meter.steps < 0:  # not one more
        return meter.spent()
    found = compiled(pattern)
    if not meter.pay(steps_of(found, text)):
        return meter.spent()
    if isinstance(found, Fault):
        return found
    try:
        return found, text.encode()
    except UnicodeEncodeError:
        return Fault("invalid_argument", (function, "a lone surrogate"))


def extracting(function: str, text: str, pattern: str, limits: Limits, meter: Activation) -> Any:
    """As `prepared`, of a pattern with one group at most."""
    ready = prepared(function, text, pattern, limits, meter)
    if type(ready) is tuple and ready[0].groups > 1:
        return Fault("invalid_argument", (function, "the pattern has more than one group"))
    return ready


def extracted(found: Pattern, text: bytes, spans: Spans) -> str | None:
    """What a match gives: its group if the pattern has one and that is not empty, or the whole."""
    start, end = spans[found.groups]
    return None if found.groups and start == end else text[start:end].decode()


@metered
@Limited
@takes("regex.extract", (str, str))
def extract(text: str, pattern: str, *, limits: Limits, meter: Activation) -> Any:
    """What the first match gives, as an optional."""
    ready = extracting("regex.extract", text, pattern, limits, meter)
    if type(ready) is Fault:
        return ready
    found, encoded = ready
    spans = found.search(encoded)
    piece = extracted(found, encoded, spans) if spans else None
    return NONE if piece is None else OptionalValue(True, piece)


@metered
@Limited
@takes("regex.extractAll", (str, str))
def extract_all(text: str, pattern: str, *, limits: Limits, meter: Activation) -> Any:
    """What the matches give, those left out whose group is empty."""
    ready = extracting("regex.extractAll", text, pattern, limits, meter)
    if type(ready) is Fault:
        return ready
    found, encoded = ready
    pieces = (extracted(found, encoded, spans) for spans in found.matches(encoded, meter))
    taken = [piece for piece in pieces if piece is not None]
    return taken if meter.steps >= 0 else meter.spent()


@metered
@Limited
@takes("regex.replace", (str, str, str), (str, str, str, int))
def replace(
    text: str,
    pattern: str,
    replacement: str,
    count: int = -1,
    *,
    limits: Limits,
    meter: Activation,
) -> Any:
    """The text with the first `count` matches replaced; a negative count is all of them. In the
    replacement `\\1` is the first group, `\\0` the match and `\\\\` a backslash."""
    if count == 0:
        return text
    ready = prepared("regex.replace", text, pattern, limits, meter)
    if type(ready) is Fault:
        return ready
    found, encoded = ready
    template = read_replacement(replacement, found.groups)
    pieces: list[bytes] = []
    end = 0
    room = 4 * limits.value_size  # no more than this can be so few characters
    for number, spans in enumerate(found.matches(encoded, meter)):
        if number == count or room < 0:
            break
        if type(template) is Fault:  # as in the reference, only where there is something to replace
            return template
        start = len(pieces)
        pieces.append(encoded[end : spans[0][0]])
        pieces += (
            part if type(part) is bytes else encoded[spans[part][0] : spans[part][1]]
            for part in template
        )
        room -= sum(map(len, pieces[start:]))
        end = spans[0][1]
    if meter.steps < 0:
        return meter.spent()
    pieces.append(encoded[end:])
    if room >= 0:
        replaced = b"".join(pieces).decode()
        if len(replaced) <= limits.value_size:
            return replaced
    return Fault("limit_exceeded", ("value_size", limits.value_size))


def read_replacement(replacement: str, groups: int) -> Any:
    """The parts of a replacement: bytes, and the numbers of groups; or a Fault."""
    first, *rest = replacement.split("\\")
    parts: list[Any] = [first]
    pieces = iter(rest)
    for piece in pieces:
        if not piece:
            follows = next(pieces, None)
            if follows is None:
                return refused("a backslash stands at the end of the replacement")
            parts.append("\\" + follows)
        elif not ("0" <= piece[0] <= "9"):
            return refused("in a replacement, a digit or a backslash follows a backslash")
        elif int(piece[0]) > groups:
            return refused(f"the replacement has \\{piece[0]}, the pattern {groups} groups")
        else:
            parts += [int(piece[0]), piece[1:]]
    try:
        return [part.encode() if type(part) is str else part for part in parts]
    except UnicodeEncodeError:
        return refused("a lone surrogate")


def refused(why: str) -> Fault:
    return Fault("invalid_argument", ("regex.replace", why))


IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("regex.extract", 2): extract,
    ("regex.extractAll", 2): extract_all,
    ("regex.replace", 3): replace,
    ("regex.replace", 4): replace,
}


def flaw_of(text: str, limits: Limits, meter: Activation) -> Any:
    """The Fault of a pattern that is constant, over no text."""
    return prepared("regex.replace", "", text, limits, meter)


def flaw_of_extracting(text: str, limits: Limits, meter: Activation) -> Any:
    """As `flaw_of`, of a pattern with one group at most."""
    return extracting("regex.extract", "", text, limits, meter)


CONSTANTS = {
    "regex_extract_string_string": pattern(1, flaw_of_extracting),
    "regex_extractAll_string_string": pattern(1, flaw_of_extracting),
    "regex_replace_string_string_string": pattern(1, flaw_of),
    "regex_replace_string_string_string_int": pattern(1, flaw_of),
}


def library(version: int = LATEST) -> Library:
    """The library as of a version. `regex.extract` gives an optional: add that library too."""
    return made("regex", version, LATEST, OVERLOADS, IMPLEMENTATIONS, constants=CONSTANTS)
