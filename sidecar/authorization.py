"""The service: what is answered to Check and BatchCheck, from bytes to bytes.

Laws: nothing here knows a transport. A batch is decided by the policies of one revision, and an
item that cannot be asked is denied in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from taskman_authz.decision import INVALID, Decision, Reason
from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.pdp import PDP
from taskman_authz.wire import read_batch, read_check, write_decision, write_decisions

Method = Callable[[bytes], bytes]


class Authorization:
    """Answers with what the policies of `pdp` decide."""

    def __init__(self, pdp: PDP, limits: Limits = DEFAULT) -> None:
        self._pdp = pdp
        self._limits = limits

    def methods(self) -> Mapping[str, Method]:
        """The methods of `taskman_authz.v1.AuthorizationService` by name."""
        return {"Check": self.check, "BatchCheck": self.batch_check}

    def check(self, data: bytes) -> bytes:
        """CheckRequest → CheckResponse. Raises `RequestError`."""
        return write_decision(self._pdp.decide(read_check(data, self._limits)))

    def batch_check(self, data: bytes) -> bytes:
        """BatchCheckRequest → BatchCheckResponse. Raises `RequestError`."""
        policies = self._pdp.policies
        return write_decisions(
            _invalid(item, policies.revision)
            if isinstance(item, RequestError)
            else self._pdp.decide(item, policies)
            for item in read_batch(data, self._limits)
        )


def _invalid(error: RequestError, revision: str) -> Decision:
    return Decision(False, (Reason(INVALID, "", str(error)),), revision)
