"""Decisions that were logged, asked again: JSON lines with `subject`, `action`, `resource`,
`context`, `company_id` and `now` as `check` takes them (a decision log has them, among others).

Laws: a line is read, asked and forgotten. A line that is none is an issue at its place; but for the
last one, if its end was never written: a log that ended with a crash has such a line.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .._fast.times import Timestamp, parse_timestamp
from ..errors import CompileError, RequestError
from ..issues import Issue, Issues, Place
from ..pdp import PDP
from ..policy import PolicySet
from ..request import make_request
from .differences import Differences


class Line(msgspec.Struct):
    """What is read of a line: the question, and what was decided then."""

    subject: Any
    action: Any
    resource: Any
    context: Any = None
    company_id: str | None = None
    now: Any = None
    allowed: bool | None = None
    incomplete: bool = False  # not all of what was decided on could be written


def replay(old: PolicySet, new: PolicySet, lines: Iterable[bytes], name: str) -> Differences:
    """Ask both sets what the lines of a log ask; `name` is the log's, for issues. A question
    without a time is asked at the time of this call. Raises CompileError for a line that is none.
    """
    found = Differences()
    before, after = PDP(old).check, PDP(new).check
    clock = time.time_ns()
    for number, line in _lines(lines, name):
        if line.incomplete:
            found.incomplete += 1
            continue
        subject, resource, context = line.subject, line.resource, line.context
        company = line.company_id
        try:
            now, action = _time(line.now, clock), _action(line.action)
            one = before(subject, action, resource, context, company_id=company, now=now)
            other = after(subject, action, resource, context, company_id=company, now=now)
        except RequestError as error:
            raise _bad(name, number, str(error)) from None
        found.unlike += line.allowed is not None and line.allowed != one.allowed
        if one.allowed != other.allowed:
            asked = make_request(subject, action, resource, context, company, now, old.limits)
            found.compare(one, other, asked, number)
        else:
            found.asked += 1
    return found


def _lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, Line]]:
    decode = msgspec.json.Decoder(Line).decode
    for number, text in enumerate(lines, 1):
        if text.isspace():
            continue
        try:
            yield number, decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not text.endswith(b"\n"):
                return
            raise _bad(name, number, f"no line of a log: {_lower(str(error))}") from None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text  # not: JSON


def _action(value: Any) -> Any:
    """An action without attributes by its name alone, which is quicker."""
    if type(value) is dict and len(value) == 1 and "name" in value:
        return value["name"]
    return value


def _time(value: Any, clock: int) -> int:
    if value is None:
        return clock
    found = parse_timestamp(value) if type(value) is str else None
    if type(found) is Timestamp:
        return found.ns
    if type(value) is int:
        return value
    raise RequestError("now", "expected a time such as `2026-01-15T10:30:00Z`, or nanoseconds")


def _bad(name: str, number: int, message: str) -> CompileError:
    return CompileError(Issues((Issue(Place(name, number), "bad_line", message),)))
