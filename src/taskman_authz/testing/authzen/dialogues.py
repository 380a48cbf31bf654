"""The checks that take more than one question, or that look at the metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .asking import JSON, PATHS, Point, Reply
from .checks import (
    BASIC_CORE,
    DISCOVERY,
    EVALUATION,
    GOOD,
    READ,
    RECORD,
    SEARCH_CORE,
    SPEC,
    SUBJECTS,
    WRITE,
    Check,
    Wrong,
    entity,
    question,
)
from .expecting import decision, found_results

TIMES = 3
PAGES = 100  # that a search of the fixture may take at most


def dialogues() -> Iterator[Check]:
    """All of them."""
    yield Check(BASIC_CORE, "2.6", "the same question again", _idempotent)
    yield Check(SEARCH_CORE, "4.5.2", "page after page", _pages)
    title = "the token of another request"
    yield Check(SEARCH_CORE, SPEC, title, _other_request, True)
    yield Check(DISCOVERY, "6.3", "what the metadata must have", _metadata)
    yield Check(DISCOVERY, "6.4", "what else the metadata has", _optional)
    yield Check(DISCOVERY, SPEC, "how long the metadata may be kept", _cached, True)


def _idempotent(point: Point) -> Wrong | None:
    expectation = decision(True)
    for _ in range(TIMES):
        found = expectation.judge(point.post(EVALUATION, GOOD))
        if found:
            return Wrong(f"{expectation.words}, each of {TIMES} times", found)
    return None


_WHO = question(entity("user"), READ, RECORD)


def _pages(point: Point) -> Wrong | None:
    """All that is found in pages of one, if the point has pages."""
    expected = 'alice and bob, each once, and `next_token` "" at the end'
    names: list[str] = []
    page: dict[str, Any] = {"limit": 1}
    for number in range(PAGES):
        reply = point.post(SUBJECTS, {**_WHO, "page": page})
        wrong, found = found_results(reply, "user")
        if wrong:
            return Wrong(expected, f"page {number + 1}: {wrong}")
        names += found
        token = reply.json().get("page", {}).get("next_token")
        if token is None and number:
            return Wrong(expected, f"page {number + 1} without `page.next_token`")
        if not token:
            complete = {"alice", "bob"} <= set(names) and len(set(names)) == len(names)
            return None if complete else Wrong(expected, ", ".join(names) or "nobody")
        page = {"token": token, "limit": 1}
    return Wrong(expected, f"more than {PAGES} pages")


def _other_request(point: Point) -> Wrong | None:
    reply = point.post(SUBJECTS, {**_WHO, "page": {"limit": 1}})
    wrong, _ = found_results(reply, "user")
    token = "" if wrong else reply.json().get("page", {}).get("next_token")
    if not token:
        return None  # no pages
    other = point.post(SUBJECTS, {**_WHO, "action": WRITE, "page": {"token": token}})
    return None if other.status >= 400 else Wrong("an error", f"status {other.status}")


def _described(point: Point) -> tuple[str, dict[str, Any], Reply]:
    """What is wrong with the metadata, and what they are."""
    reply = point.discover()
    if reply.status != 200:
        return f"status {reply.status} at {point.metadata_url}", {}, reply
    if reply.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        return "another media type", {}, reply
    try:
        found = reply.json()
    except ValueError:
        return "no JSON", {}, reply
    return ("", found, reply) if isinstance(found, dict) else ("no object", {}, reply)


def _metadata(point: Point) -> Wrong | None:
    expected = f"`policy_decision_point: {point.url}` and the URL of the evaluation"
    wrong, found, _ = _described(point)
    told = found.get("policy_decision_point")
    if not wrong and told != point.url:
        wrong = f"`policy_decision_point: {told}`"
    if not wrong and not _is_url(point, found.get(EVALUATION)):
        wrong = f"`{EVALUATION}: {found.get(EVALUATION)}`"
    return Wrong(expected, wrong) if wrong else None


def _optional(point: Point) -> Wrong | None:
    expected = "URLs of endpoints, `capabilities` that are strings, nothing without a value"
    wrong, found, _ = _described(point)
    for name in PATHS:
        if name in found and not _is_url(point, found[name]):
            wrong = wrong or f"`{name}: {found[name]}`"
    capabilities = found.get("capabilities", [])
    if not isinstance(capabilities, list) or not all(isinstance(c, str) for c in capabilities):
        wrong = wrong or "`capabilities` that are no list of strings"
    empty = [name for name, value in found.items() if value is None]
    if empty:
        wrong = wrong or f"`{empty[0]}: null`"
    return Wrong(expected, wrong) if wrong else None


def _cached(point: Point) -> Wrong | None:
    wrong, _, reply = _described(point)
    found = reply.headers.get("cache-control")
    return None if wrong or found else Wrong("the header `Cache-Control`", "none")


def _is_url(point: Point, value: Any) -> bool:
    """Whether it is a URL, an https one unless the point itself is asked without TLS."""
    schemes = ("https://",) if point.is_encrypted else ("https://", "http://")
    return isinstance(value, str) and value.startswith(schemes)
