"""A line of the log for a call that was answered: who asked what kind of thing, and how long it
took. (One that was refused has its line already.)"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..door import Call
from ..status import Status

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from .seen import Note


class CallLog:
    """Logs a `share` (0 to 1) of calls."""

    def __init__(self, log: FilteringBoundLogger, share: float) -> None:
        self._log = log
        self._share = share

    def wants(self) -> bool:
        """Whether to log the call that begins."""
        return random.random() < self._share

    def tell(self, call: Call, status: Status | None, notes: Sequence[Note]) -> None:
        """Log a call that was answered with the decisions of `notes`."""
        if status is not None:
            return
        self._log.info(
            "call answered",
            face=call.face,
            method=call.method,
            **_of_decisions(notes),
            duration_ms=round((time.perf_counter() - call.began) * 1_000, 3),
        )


def _of_decisions(notes: Sequence[Note]) -> dict[str, Any]:
    """Names and answers, never attributes."""
    if not notes:
        return {}
    request, decision = notes[0].request, notes[0].decision
    if len(notes) > 1:
        allowed = sum(note.decision.allowed for note in notes)
        return {"decisions": len(notes), "allowed": allowed, "revision": decision.revision}
    company = {} if request.company_id is None else {"company_id": request.company_id}
    return {
        "user_id": request.subject_id,
        **company,
        "action": request.action,
        "allowed": decision.allowed,
        "policies": [reason.policy for reason in decision.reasons if reason.policy],
        "revision": decision.revision,
    }
