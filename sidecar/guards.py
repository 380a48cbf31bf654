"""Guards of the door: who may do what of the sidecar's own.

Law: a guard raises, or says nothing. A stranger has no name that a pattern could match.
"""

from __future__ import annotations

from collections.abc import Iterable

from taskman_authz._fast.wildcards import matches

from .door import Call, Caller, Guard
from .status import Code, Refusal

EVERYBODY = "*"


def only(method: str, patterns: Iterable[str]) -> Guard:
    """Lets only callers call `method` of whom a name matches one of the patterns: exact, or with a
    `*` as policies have it (`spiffe://x/*`); `*` alone is everybody, strangers too."""
    allowed = tuple(patterns)

    def guard(call: Call) -> None:
        if call.method == method and not _is_among(call.caller, allowed):
            raise Refusal(Code.PERMISSION_DENIED, f"{method} is not for this caller")

    return guard


def _is_among(caller: Caller, patterns: tuple[str, ...]) -> bool:
    return EVERYBODY in patterns or any(
        matches(pattern, name, "/") for pattern in patterns for name in caller.names
    )
