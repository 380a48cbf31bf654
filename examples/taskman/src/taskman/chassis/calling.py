"""The call that is being answered: what others are told of it when they are asked meanwhile."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from contextvars import ContextVar
from typing import NamedTuple

_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")


class Calling(NamedTuple):
    """A call, its trace, and when it has to end (monotonic seconds)."""

    request_id: str
    trace_id: str
    span_id: str
    ends: float
    flags: str = "00"  # `01`: its caller records the trace

    @property
    def traceparent(self) -> str:
        """As those who are asked meanwhile are told (W3C Trace Context)."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    @property
    def left(self) -> float:
        """Seconds until it has to end."""
        return max(0.0, self.ends - time.monotonic())


CALLING: ContextVar[Calling | None] = ContextVar("calling", default=None)


def calling_of(request_id: str, traceparent: str, left: float) -> Calling:
    """A call that has `left` seconds, by what its headers say, where that is well formed."""
    trace = _TRACE.fullmatch(traceparent)
    trace_id, flags = trace.groups() if trace else (secrets.token_hex(16), "00")
    return Calling(
        request_id if _REQUEST_ID.fullmatch(request_id) else str(uuid.uuid4()),
        trace_id,
        secrets.token_hex(8),
        time.monotonic() + left,
        flags,
    )


def calling(timeout: float) -> Calling:
    """The call that is being answered; where there is none, one of a job of ours."""
    return CALLING.get() or calling_of("", "", timeout)
