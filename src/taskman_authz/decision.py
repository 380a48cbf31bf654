"""What is answered: a `Decision` with its `Reason`s.

Law: no is the ground. `bool(decision)` is `allowed`, so `if pdp.check(...)` cannot be a hole.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Effect = Literal["allow", "deny"]

# The stable codes of reasons. They are an interface: a code is never renamed.
ALLOWED = "allowed_by_policy"
DENIED = "denied_by_policy"
DENIED_BY_ERROR = "denied_by_error"  # the condition of a deny policy failed: errors close
NOT_MET = "condition_not_met"
FAILED = "condition_failed"  # the condition of an allow policy failed: it does not grant
NO_POLICY = "no_policy_applies"
INVALID = "invalid_request"  # one bad item of a batch
NOT_LOGGED = "not_logged"  # it would be allowed, but cannot be written down
# A client had no answer, and was told to deny then; or who decides had none from a source of
# attributes, and a yes would not be sure.
UNAVAILABLE = "unavailable"


class Reason(msgspec.Struct, frozen=True):
    """Why. `message` is one sentence for the caller and contains no attribute values."""

    code: str
    policy: str = ""  # the policy's id; empty where no policy is meant
    message: str = ""

    def __str__(self) -> str:
        return self.message


class Decision(msgspec.Struct, frozen=True):
    """The answer to one question. `revision` is the content hash of the policies that it was made
    with."""

    allowed: bool
    reasons: tuple[Reason, ...]
    revision: str

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def effect(self) -> Effect:
        """`allow` or `deny`."""
        return "allow" if self.allowed else "deny"
