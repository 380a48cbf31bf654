"""Shadow mode: candidate policies decide beside those in force, and only the difference is told.

Laws: whatever a candidate does, the answer is that of the policies in force. The caller waits for
both. A candidate that raises is counted, not raised.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from ..decision import Decision
from ..errors import ArgumentError
from ..policy import PolicySet
from ..request import CheckRequest
from .authorizer import authorize

Difference = Callable[[CheckRequest, Decision, Decision], object]


class HasPolicies(Protocol):
    """A decision point, whose policies can be exchanged."""

    @property
    def policies(self) -> PolicySet:
        """The policies in force there."""


class ShadowCounts(msgspec.Struct, frozen=True):
    """What came of the questions that a candidate was asked too."""

    checks: int = 0
    granted: int = 0  # the candidate allows what is denied
    revoked: int = 0  # the candidate denies what is allowed
    failed: int = 0  # the candidate, or `on_difference`, raised

    @property
    def differences(self) -> int:
        """How many answers would be others."""
        return self.granted + self.revoked


class Shadow:
    """A candidate beside a decision point: `pdp.shadow = Shadow(PDP.from_path("next"))`.

    `candidate` is a decision point of its own, whose policies may be exchanged. `on_difference` is
    called with the request, the answer, and the candidate's. Threads may share it.
    """

    __slots__ = ("_candidate", "_counts", "_lock", "_on_difference")

    def __init__(self, candidate: HasPolicies, on_difference: Difference = lambda *_: None) -> None:
        if not hasattr(type(candidate), "policies"):
            raise ArgumentError.of("candidate", "a PDP", candidate)
        if not callable(on_difference):
            raise ArgumentError.of("on_difference", "a function", on_difference)
        self._candidate = candidate
        self._on_difference = on_difference
        self._counts = ShadowCounts()
        self._lock = threading.Lock()

    @property
    def policies(self) -> PolicySet:
        """Those that the candidate decides by now."""
        return self._candidate.policies

    @property
    def counts(self) -> ShadowCounts:
        """What has been counted so far."""
        return self._counts

    def compare(self, request: CheckRequest, live: Decision) -> None:
        """Ask the candidate what was answered with `live`."""
        granted = revoked = failed = 0
        try:
            found = authorize(self._candidate.policies, request)
            if found.allowed != live.allowed:
                granted, revoked = int(found.allowed), int(live.allowed)
                self._on_difference(request, live, found)
        except Exception:  # a candidate that fails is no reason to fail
            failed = 1
        with self._lock:
            counts = self._counts
            self._counts = ShadowCounts(
                counts.checks + 1,
                counts.granted + granted,
                counts.revoked + revoked,
                counts.failed + failed,
            )
