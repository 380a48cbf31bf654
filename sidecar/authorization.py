"""The service `taskman_authz.v1.AuthorizationService`: what is answered, from bytes to bytes.

Law: nothing here knows a transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from taskman_authz.wire import read_batch, read_check, write_decision, write_decisions

from .decisions import Decisions
from .door import Call

Method = Callable[[bytes, Call], bytes]


class Authorization:
    """Answers with what `decisions` decides."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    def methods(self) -> Mapping[str, Method]:
        """The methods of the service by name."""
        return {"Check": self.check, "BatchCheck": self.batch_check}

    def check(self, data: bytes, _call: Call) -> bytes:
        """CheckRequest → CheckResponse. Raises `RequestError`."""
        decisions = self._decisions
        return write_decision(decisions.decide(read_check(data, decisions.limits)))

    def batch_check(self, data: bytes, _call: Call) -> bytes:
        """BatchCheckRequest → BatchCheckResponse. Raises `RequestError`."""
        decisions = self._decisions
        return write_decisions(decisions.decide_all(read_batch(data, decisions.limits)))
