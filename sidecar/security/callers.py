"""Which caller may call which method: the guard that asks for names.

A rule is `METHOD=NAME`: who has the name may call the method. `*` is every method; a name is exact
or has a `*` as patterns of policies do (`spiffe://shop/*`), and `*` alone is everybody, strangers
too.

Law: a method that no rule names is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable

from taskman_authz._fast.wildcards import matches

from ..door import Call, Caller
from ..status import Code, Refusal

EVERY_METHOD = EVERYBODY = "*"


class AllowedCallers:
    """The guard of these rules."""

    def __init__(self, rules: Iterable[str]) -> None:
        pairs = [rule.partition("=") for rule in rules]
        methods = {method for method, _, _ in pairs}
        self._names = {
            method: tuple(name for told, _, name in pairs if told in (method, EVERY_METHOD))
            for method in methods | {EVERY_METHOD}
        }

    def __call__(self, call: Call) -> None:
        """Raises Refusal."""
        names = self._names.get(call.method) or self._names[EVERY_METHOD]
        if _is_among(call.caller, names):
            return
        require_name(call)
        raise Refusal(Code.PERMISSION_DENIED, f"{call.method} is not for this caller")


def require_name(call: Call) -> None:
    """The guard that refuses strangers."""
    if not call.caller.names:
        raise Refusal(Code.UNAUTHENTICATED, "expected a caller that proves who it is")


def _is_among(caller: Caller, names: tuple[str, ...]) -> bool:
    return EVERYBODY in names or any(
        matches(pattern, name, "/") for pattern in names for name in caller.names
    )
