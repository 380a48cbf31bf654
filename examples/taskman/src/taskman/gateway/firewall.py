"""What is turned away before anything else is looked at: what is too large, malformed, climbs out
of its path, or looks like an attack on what may lie behind.

Laws: limits come first. What is looked for in words is looked for in paths and queries only: in a
body people may write what they like, and no service of ours puts it into a statement or a page.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from .problems import Problem

LONGEST_PATH, LONGEST_QUERY = 512, 2_048  # characters
BODY_BYTES = 256 * 1024
DEPTH = 16  # levels of JSON
NO_BODY = ("GET", "DELETE", "HEAD", "OPTIONS")
_TRAVERSAL = re.compile(r"(^|[/\\])\.\.?([/\\]|$)|\\|//")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f]")
_ATTACKS = re.compile(
    r"<\s*script|javascript:|\$\{jndi:|\bunion\b.+\bselect\b|;\s*(drop|delete|insert|update)\b"
    r"|'\s*(or|and)\s+['\d].*=|\bsleep\s*\(|/etc/passwd|\bxp_cmdshell\b",
    re.IGNORECASE,
)


def inspect(request: Request) -> None:
    """Look at the line of a request. Raises Problem."""
    raw = bytes(request.scope.get("raw_path") or b"").decode("latin-1").partition("?")[0]
    query = bytes(request.scope.get("query_string") or b"").decode("latin-1")
    if len(raw) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        raise Problem(414, "the address is too long")
    for text in (raw, query):
        once = unquote(text)
        if "%" in once and unquote(once) != once:
            raise Problem(400, "the address is encoded twice")
        if _UNPRINTED.search(once) or "\ufffd" in once:
            raise Problem(400, "the address holds characters that none may hold")
        if _ATTACKS.search(once.replace("+", " ")):
            raise Problem(400, "the address looks like an attack")
    if _TRAVERSAL.search(unquote(raw)) or "%2f" in raw.lower():
        raise Problem(400, "the path leads elsewhere")


async def read_body(request: Request) -> dict[str, Any]:
    """The object that the body is; an empty one for methods that have none. Raises Problem."""
    if request.method in NO_BODY:
        if (
            request.headers.get("transfer-encoding")
            or request.headers.get("content-length", "0") != "0"
        ):
            raise Problem(400, f"{request.method} has no body")
        return {}
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > BODY_BYTES:
            raise Problem(413, f"expected at most {BODY_BYTES} bytes")
    if not data:
        return {}
    if given != "application/json":
        raise Problem(415, "expected application/json")
    try:
        body = json.loads(data, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Problem(400, "expected JSON") from None
    if not isinstance(body, dict) or _depth(body) > DEPTH:
        raise Problem(400, f"expected an object of at most {DEPTH} levels")
    return body


def _refuse(name: str) -> float:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= DEPTH:
        deepest += 1
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below += each.values()
            elif isinstance(each, list):
                below += each
        level = below
    return deepest
