"""What is wrong with a pattern of actions or resources, and what patterns have to do with each
other: does one match all that another does, is there anything that both match?

Law: the answers are about all names that there could be, as `_fast.wildcards` matches them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._fast.wildcards import split_resource

ACTION_SEPARATOR = ":"
RESOURCE_SEPARATOR = "/"


def pattern_error(pattern: str, separator: str) -> str:
    """What is wrong with a pattern of actions (`:`) or resources (`/`); "" if nothing is."""
    if any(character.isspace() or not character.isprintable() for character in pattern):
        return "it contains white space or a control character"
    if "**" in pattern:
        return "`**` means nothing, a trailing `*` is any rest"
    segments = pattern.split(separator)
    if "" in segments:
        return f"it has an empty segment between `{separator}`"
    last = segments[-1].removesuffix("*")
    if "*" in last or any("*" in segment and segment != "*" for segment in segments[:-1]):
        return "`*` must be a whole segment or stand at the end"
    if len(segments) == 1 and not pattern.endswith("*"):
        if separator == RESOURCE_SEPARATOR:
            return f"it names no id, `{pattern}/*` is every one"
        return f"it names no kind, `*:{pattern}` is it on every one"
    return ""


class _Segments(NamedTuple):
    """The whole segments of a pattern, None for any one; of an open one also what the rest begins
    with."""

    whole: tuple[str | None, ...]
    rest: str | None


def covers_action(wide: str, narrow: str) -> bool:
    """Whether every action that `narrow` matches is one that `wide` does."""
    return _covers(wide, narrow, ACTION_SEPARATOR)


def covers_resource(wide: str, narrow: str) -> bool:
    """As `covers_action`, of resources."""
    return _both_parts(_covers, wide, narrow)


def actions_meet(one: str, other: str) -> bool:
    """Whether there is an action that both match."""
    return _meet(one, other, ACTION_SEPARATOR)


def resources_meet(one: str, other: str) -> bool:
    """Whether there is a resource that both match."""
    return _both_parts(_meet, one, other)


def _both_parts(test: Callable[[str, str, str], bool], one: str, other: str) -> bool:
    """A test of the kinds and of the ids of two patterns of resources."""
    (kind, id), (other_kind, other_id) = split_resource(one), split_resource(other)
    slash = RESOURCE_SEPARATOR
    return test(kind, other_kind, slash) and test(id, other_id, slash)


def _segments(pattern: str, separator: str) -> _Segments:
    parts = pattern.removesuffix("*").split(separator)
    found = tuple(None if part == "*" else part for part in parts)
    if not pattern.endswith("*"):
        return _Segments(found, None)
    return _Segments(found[:-1], parts[-1])


def _covers(wide: str, narrow: str, separator: str) -> bool:
    if wide in (narrow, "*"):
        return True
    if narrow == "*":
        return False
    above, below = _segments(wide, separator), _segments(narrow, separator)
    count = len(above.whole)
    if above.rest is None:
        return below.rest is None and len(below.whole) == count and _all_cover(above, below)
    if len(below.whole) < count or not _all_cover(above, below):
        return False
    begins = below.whole[count] if len(below.whole) > count else below.rest
    if len(below.whole) == count and below.rest is None:
        return False  # it ends where the rest of the other would begin
    return above.rest == "" or (begins is not None and begins.startswith(above.rest))


def _all_cover(above: _Segments, below: _Segments) -> bool:
    pairs = zip(above.whole, below.whole, strict=False)
    return all(one is None or one == other for one, other in pairs)


def _meet(one: str, other: str, separator: str) -> bool:
    if "*" in (one, other):
        return True
    few, many = sorted(
        (_segments(one, separator), _segments(other, separator)), key=lambda each: len(each.whole)
    )
    pairs = zip(few.whole, many.whole, strict=False)
    if any(None not in (left, right) and left != right for left, right in pairs):
        return False
    if len(few.whole) == len(many.whole):
        if few.rest is None or many.rest is None:
            return few.rest is many.rest
        return few.rest.startswith(many.rest) or many.rest.startswith(few.rest)
    begins = many.whole[len(few.whole)]
    return few.rest is not None and (begins is None or begins.startswith(few.rest))
