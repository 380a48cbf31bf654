"""Regular expressions: `matches()`, in RE2's language, searched for anywhere in a text.

Laws:
- A pattern can come from a policy's author or from a request, so only RE2 (linear in the text)
  ever runs one; Python's `re` never does.
- What most patterns in policies are (a literal, a prefix, a suffix, one of some words) is planned
  as string methods by `shapes`, and most of the others as a small automaton by `regular`; both with
  the answers that RE2 gives.
- A text that is not Unicode (a lone surrogate) has no answer: where one would have to be made up,
  the match is a fault.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from .activation import Activation
from .automaton import Automaton
from .regular import plan as plan_automaton
from .shapes import Matcher, plan_shape
from .values import Fault, type_name

# Code points. The same as `limits.Limits.regex_length`, which the core cannot see.
REGEX_LENGTH = 1_000
# Patterns that are no constants are planned when they are met. RE2 may take a mebibyte for one
# of them, and a hostile request may bring new ones.
PATTERNS_KEPT = 64
# Bytes: what RE2 may take for one pattern. It is some 40,000 instructions, made in 40 ms; RE2's own
# bound lets one pattern take eight times as long.
REGEX_MEMORY = 1 << 20
STATES = 250  # more instructions than this are hardly ever alive at once

_ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED
_NOWHERE = (-1, -1)


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False  # a fault says it; nothing is written to stderr
    options.never_capture = True  # nobody asks where a group lies
    options.max_mem = REGEX_MEMORY
    return options


_OPTIONS = _options()


class Re2Matcher(Matcher):
    """A pattern that RE2 runs, by the method beneath the wrapper's `search`: the latter spends
    five times as long, on positions in code points and a match object."""

    __slots__ = ("search", "size")

    def __init__(self, pattern: str) -> None:
        compiled = re2.compile(pattern, _OPTIONS)._regexp
        self.search = compiled.Match
        self.size: int = compiled.ProgramSize()

    def weight(self) -> int:
        return weight_of(self.size)

    def match(self, text: str) -> Any:
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            return Fault("invalid_argument", ("matches", "a lone surrogate"))
        return self.search(_ANYWHERE, encoded, 0, len(encoded))[0] != _NOWHERE


def plan_pattern(pattern: str, limit: int = REGEX_LENGTH) -> Matcher | Fault:
    """The matcher of a pattern: `invalid_regex` if RE2 refuses it, `limit_exceeded` if it has
    more than `limit` code points."""
    if len(pattern) > limit:
        return too_long(limit)
    try:
        shape = plan_shape(pattern)
        if shape is not None:
            return shape
        checked = Re2Matcher(pattern)  # what RE2 refuses is refused
        table = plan_automaton(pattern)
        return checked if table is None else Automaton(table, checked, checked.size)
    except re2.error as refused:
        why = refused.args[0] if refused.args else "refused"
        return Fault("invalid_regex", (why.decode() if isinstance(why, bytes) else str(why),))
    except UnicodeEncodeError:
        return Fault("invalid_regex", ("a lone surrogate",))


def too_long(limit: int) -> Fault:
    return Fault("limit_exceeded", ("regex_length", limit))


# The same, remembered: a constant is first checked, then planned.
remembered = lru_cache(maxsize=PATTERNS_KEPT)(plan_pattern)


def steps_of(planned: Any, text: str) -> int:
    """What it takes to plan a pattern and look for it in a text once, as if no pattern were
    remembered: which are depends on what was asked before. `planned` has the `size` of RE2's
    program, or was planned without one, or is a Fault."""
    size = getattr(planned, "size", 0)
    if isinstance(planned, Fault) and "too large" in str(planned.details[0]):
        size = REFUSED
    weight = planned.weight() if isinstance(planned, Matcher) else weight_of(size)
    return 2_000 + 50 * size + (weight * len(text) >> 6)


def weight_of(size: int) -> int:
    """The steps that RE2 takes with a program of this size for 64 characters. It goes over a
    text once, but a pattern such as `[ab]*a[ab]{30}c` is in another state after each character, and
    to make one it looks at all that may match there."""
    return 64 * min(size, STATES)


REFUSED = 40_000  # instructions that RE2 has made before it refuses a pattern as too large


def matches(
    text: object,
    pattern: object,
    limit: int = REGEX_LENGTH,
    *,
    meter: Activation | None = None,
) -> object:
    """Whether a pattern that is not a constant matches somewhere in `text`."""
    if isinstance(text, str) and isinstance(pattern, str):
        matcher = remembered(pattern, limit) if len(pattern) <= limit else too_long(limit)
        if meter is not None and not meter.pay(steps_of(matcher, text)):
            return meter.spent()
        return matcher.match(text) if isinstance(matcher, Matcher) else matcher
    return Fault("no_such_overload", ("matches", type_name(text), type_name(pattern)))
