"""Reading what one has written: a caller may ask for a revision of the policies at least.

Law: nobody who asks for a revision is answered by an earlier one. Where it is not there yet, the
policies are looked at now, and the caller is told to ask again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .door import Call
from .status import Code, Refusal

if TYPE_CHECKING:
    from .door import Guard

HEADER = "min-revision"
DIGITS = 18


class Numbered(Protocol):
    """Policies whose revisions have numbers."""

    @property
    def number(self) -> int:
        """Of the one that is in place, at least."""
        ...

    def nudge(self) -> None:
        """Look whether there is a newer one."""


def at_least(policies: Numbered | None) -> Guard:
    """The guard of a sidecar with these policies; None: their revisions have no numbers."""

    def guard(call: Call) -> None:
        asked = call.min_revision
        if not asked:
            return
        if not (asked.isascii() and asked.isdigit() and len(asked) <= DIGITS):
            raise Refusal(Code.INVALID_ARGUMENT, f"{HEADER}: expected the number of a revision")
        if policies is None:
            told = "policies that do not come from a database have no numbered revisions"
            raise Refusal(Code.FAILED_PRECONDITION, f"{HEADER}: {told}")
        if policies.number < int(asked):
            policies.nudge()
            raise Refusal(Code.UNAVAILABLE, f"revision {int(asked)} is not in force here yet")

    return guard
