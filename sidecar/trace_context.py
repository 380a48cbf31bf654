"""W3C Trace Context: what a caller says of the trace that its call belongs to.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_LAST_FLAG = 54


class TraceContext(NamedTuple):
    """The trace, the caller's span, and flags."""

    trace_id: str  # 32 hexadecimal digits
    span_id: str  # 16 hexadecimal digits
    flags: int

    @property
    def sampled(self) -> bool:
        """Whether the caller records the trace."""
        return bool(self.flags & _SAMPLED)


def read_traceparent(text: str) -> TraceContext | None:
    """What a `traceparent` says, or None where it is none."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    # Later versions may say more at the end, this one may not.
    if (
        version == "ff"
        or (version == "00" and rest)
        or not (int(trace_id, 16) and int(span_id, 16))
    ):
        return None
    return TraceContext(trace_id, span_id, int(flags, 16))


def is_left_out(traceparent: str) -> bool:
    """Whether the caller does not record its trace, told by the one digit that matters."""
    return len(traceparent) > _LAST_FLAG and traceparent[_LAST_FLAG] not in "13579bdf"
