"""What a request is for: its path, in decoded segments, and its query.

Laws: a path that two servers may read as two things is refused, not read as one of them: empty
segments (`//`), `.` and `..`, parameters (`;`), backslashes, and whatever is percent-encoded and
need not be, or would be one of these. So is a query in which a name comes twice, where it is read.
An error never holds what was sent.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT, Limits

# RFC 3986, section 3.3, without `;`, which some servers cut off.
_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,=:@/?]|%[0-9A-Fa-f]{2})*")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What a server that decodes before it splits, or decodes twice, would read as something else.
_DIVIDING = frozenset("/\\%;?#")


class Target(NamedTuple):
    """The decoded segments of a path: `/` is one that is empty, and a slash at the end leaves one.
    `query` is as it was sent."""

    segments: tuple[str, ...]
    query: str


def read_target(sent: str, limits: Limits = DEFAULT) -> Target:
    """What a request is for, by its path with its query. Raises RequestError."""
    if len(sent) > limits.target_length:
        raise RequestError("path", f"longer than {limits.target_length} characters")
    path, _, query = sent.partition("?")
    if not path.startswith("/"):
        raise RequestError("path", "expected a path that begins with `/`")
    if not _PATH.fullmatch(path):
        raise RequestError("path", "a character, or a `%`, that no path has")
    segments = path[1:].split("/")
    if "" in segments[:-1] or not {".", ".."}.isdisjoint(segments):
        raise RequestError("path", "an empty segment, `.` or `..` in it")
    return Target(tuple(map(_decoded, segments)), query)


def read_query(query: str, limits: Limits = DEFAULT) -> dict[str, str]:
    """The parameters of a query. Raises RequestError."""
    if not query:
        return {}
    if not _QUERY.fullmatch(query):
        raise RequestError("query", "a character, or a `%`, that no query has")
    parts = query.split("&")
    if len(parts) > limits.query_parameters:
        raise RequestError("query", f"more than {limits.query_parameters} parameters")
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = (_text("query", each.replace("+", " ")) for each in part.partition("="))
        if name in found:
            raise RequestError("query", "a name that comes twice")
        found[name] = value
    return found


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    if any(int(code, 16) in _PLAIN for code in _ENCODED.findall(segment)):
        raise RequestError("path", "a character is percent-encoded that need not be")
    text = _text("path", segment)
    if not _DIVIDING.isdisjoint(text):
        raise RequestError("path", "a percent-encoded `/`, `\\`, `%`, `;`, `?` or `#`")
    return text


def _text(field: str, encoded: str) -> str:
    try:
        text = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise RequestError(field, "percent-encoded bytes that are not UTF-8") from None
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise RequestError(field, "a percent-encoded control character")
    return text
