"""The call that is being answered: what others are told of it when they are asked meanwhile."""

from __future__ import annotations

import secrets
import time
from contextvars import ContextVar
from typing import NamedTuple


class Calling(NamedTuple):
    """A call, its trace, and when it has to end (monotonic seconds)."""

    request_id: str
    trace_id: str
    span_id: str
    ends: float

    @property
    def left(self) -> float:
        """Seconds until it has to end."""
        return max(0.0, self.ends - time.monotonic())


_CALLING: ContextVar[Calling | None] = ContextVar("calling", default=None)


def set_calling(calling: Calling) -> None:
    """From here on, in this task, it is this one."""
    _CALLING.set(calling)


def calling(timeout: float) -> Calling:
    """The call that is being answered; where there is none, one of a job of ours."""
    found = _CALLING.get()
    if found is not None:
        return found
    ids = (secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(8))
    return Calling(*ids, time.monotonic() + timeout)
