"""Whether the sidecar is alive, and whether it should be asked.

Law: it is ready while it has policies and they are known to be the current ones, or were so not
longer ago than was set; why it is not, is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..policies import PolicyFollower


class Readiness:
    """Whether to ask. `max_age` is in seconds; 0: however old the policies are. `not_yet` says what
    else is lacking; "": nothing."""

    def __init__(
        self,
        policies: PolicyFollower,
        max_age: float,
        not_yet: Callable[[], str] = lambda: "",
    ) -> None:
        self._policies = policies
        self._not_yet = not_yet
        self._max_age = max_age
        self.stopping = False

    def why_not(self) -> str:
        """Why nobody should ask; "" if one may."""
        if self.stopping:
            return "stopping"
        if not_yet := self._not_yet():
            return not_yet
        if self._max_age and self._age() > self._max_age:
            return f"the policies have not been known to be current for {self._age():.0f} seconds"
        return ""

    def describe(self) -> dict[str, Any]:
        """What is answered to who asks."""
        why_not = self.why_not()
        policies = {
            "revision": self._policies.pdp.policies.revision,
            "current": self._policies.current,
            "age_seconds": round(self._age(), 3),
        }
        return {"ready": not why_not, "why_not": why_not, "policies": policies}

    def _age(self) -> float:
        return time.monotonic() - self._policies.confirmed
