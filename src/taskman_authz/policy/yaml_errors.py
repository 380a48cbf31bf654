"""What is wrong with a text that is no YAML, in the house's words, with what usually helps.

Law: the hints are about policies: a condition is CEL, and half of what is wrong with the YAML of
policies is CEL that needs quotes.
"""

from __future__ import annotations

from typing import Any

from yaml.reader import ReaderError

from ..issues import Issue, Place, place_at
from ..limits import Limits

_QUOTES = "put the text in quotes or in a `|` block"


def unreadable(name: str, text: str, limits: Limits) -> list[Issue]:
    """The issue of a text that cannot be given to a YAML parser at all."""
    if len(text) > limits.document_bytes:
        message = f"longer than {limits.document_bytes} characters"
        return [Issue(Place(name), "document_too_large", message)]
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = place_at(name, text[: error.start], error.start)
        return [Issue(place, "malformed_yaml", "malformed YAML: half of a surrogate pair")]
    return []


def malformed(name: str, text: str, error: Any, depth: int) -> Issue:
    """The issue of an error that the YAML parser raised; `depth` levels are what may be."""
    if isinstance(error, ReaderError):
        character = _character(error)
        message = f"malformed YAML: the character U+{ord(character):04X} is not allowed"
        return Issue(place_at(name, text, text.find(character)), "malformed_yaml", message)
    mark = error.problem_mark or error.context_mark
    offset = len(text) if mark is None else mark.index
    context = error.context_mark
    if context is not None and "unexpected end" in (error.problem or ""):
        offset = context.index  # where it was opened says more than the end of the text
    problem = str(error.problem or error).lower()
    place = place_at(name, text, offset)
    if "nesting depth" in problem:  # newer parsers have a bound too, and meet it first
        return Issue(place, "document_too_deep", f"nested deeper than {depth} levels")
    return Issue(place, "malformed_yaml", f"malformed YAML: {problem}", _hint(text, offset, error))


def _character(error: ReaderError) -> str:
    found: Any = error.character
    return found if isinstance(found, str) else chr(found)


def _hint(text: str, offset: int, error: Any) -> str:
    found = text[offset : offset + 1]
    context = str(error.context or "")
    if found == "\t" or "\t" in text[text.rfind("\n", 0, offset) + 1 : offset]:
        return "indent with spaces, not with tabs"
    if "alias" in context or "anchor" in context:
        return 'put a text that begins with `*` or `&` in quotes: "*"'
    if "mapping values" in str(error.problem):
        return f"a text with `: ` in it: {_QUOTES}"
    if found and found in "@`%{}[]|>,":
        return f"a text that begins with `{found}`: {_QUOTES}"
    return ""
