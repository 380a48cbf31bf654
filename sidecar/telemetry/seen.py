"""What is kept of a call that is logged or traced, until it has been answered.

Law: of a call that is neither nothing is kept, and deciding that costs next to nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from taskman_authz.decision import Decision
from taskman_authz.request import CheckRequest

from ..door import Call, answered
from ..status import Status

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from .call_log import CallLog
    from .tracing import Tracing


class Note(NamedTuple):
    """A decision of a call, and between when it was made (`time.perf_counter`)."""

    request: CheckRequest
    decision: Decision
    began: float
    ended: float


class Seen:
    """A call that is looked at: whether it is logged, its span, its decisions."""

    __slots__ = ("logged", "notes", "span")

    def __init__(self, logged: bool, span: Span | None) -> None:
        self.logged = logged
        self.span = span
        self.notes: list[Note] = []


class Seeing:
    """Chooses calls when they begin (a guard that refuses none), and gives them to `call_log` and
    `tracing` when they have been answered."""

    def __init__(self, call_log: CallLog | None, tracing: Tracing | None) -> None:
        self._call_log = call_log
        self._tracing = tracing

    def begin(self, call: Call) -> None:
        """Choose whether the call is looked at."""
        logged = self._call_log is not None and self._call_log.wants()
        span = None if self._tracing is None else self._tracing.begin(call)
        call.seen = Seen(logged, span) if logged or span is not None else False

    def note(self, request: CheckRequest, decision: Decision, began: float) -> None:
        """Keep a decision of a call that is looked at."""
        call = answered()
        if call is not None and call.seen:
            call.seen.notes.append(Note(request, decision, began, time.perf_counter()))

    def end(self, call: Call, status: Status | None) -> None:
        """Tell of the call, which has been answered."""
        if call.seen is None:  # refused before it could be chosen
            self.begin(call)
        seen = call.seen
        if not seen:
            return
        call.seen = False  # what it asked is not kept longer than it takes
        if self._call_log is not None and seen.logged:
            self._call_log.tell(call, status, seen.notes)
        if self._tracing is not None and seen.span is not None:
            self._tracing.end(call, status, seen.span, seen.notes)
