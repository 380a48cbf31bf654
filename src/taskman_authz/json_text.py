"""JSON text → plain values, as strictly as I-JSON (RFC 7493) asks.

Laws: no NaN, no half of a surrogate pair, no number that no double holds, and no key twice in one
object, because of two owners only one would count. Integers stay integers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NoReturn

TOO_DEEP = "nested too deeply"


class NotJSONError(ValueError):
    """A text that is no JSON: why, and the offset where it stops being it (-1: not known)."""

    def __init__(self, why: str, position: int = -1) -> None:
        super().__init__(why)
        self.why = why
        self.position = position


def parse(text: str) -> Any:
    """The value that `text` holds. Raises NotJSONError."""
    if "\\" in text or not text.isascii():
        lone = _lone_surrogate(text)
        if lone >= 0:
            raise NotJSONError("half of a surrogate pair", lone)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJSONError(error.msg[:1].lower() + error.msg[1:], error.pos) from None
    except NotJSONError:
        raise
    except ValueError:  # Python's own bound on the digits of an int
        raise NotJSONError("a number with thousands of digits") from None
    except RecursionError:
        raise NotJSONError(TOO_DEEP) from None


def is_deeper(data: bytes, levels: int) -> bool:
    """Whether the lists and objects of a JSON text are nested deeper than `levels`. Nothing is
    built for it, and a text without that many brackets is not looked at twice."""
    if data.count(b"[") + data.count(b"{") <= levels:
        return False
    brackets = _STRINGS.sub(b"", data).translate(None, _OTHERS)
    steps: Iterable[int] = (_STEPS[bracket] for bracket in brackets)
    return max(accumulate(steps), default=0) > levels


# A string, also one that nobody closes: so that each character is looked at once.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(byte for byte in range(256) if byte not in _STEPS)

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
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJSONError(f"`{_short(twice)}` twice in one object")
    return found


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NotJSONError("a number that is larger than any double")
    return number


def _no_constant(name: str) -> NoReturn:
    raise NotJSONError(f"`{name}` is no JSON number")


def _short(text: str) -> str:
    return text if len(text) < 40 else f"{text[:40]}…"


_DECODER = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_double, object_pairs_hook=_distinct
)
