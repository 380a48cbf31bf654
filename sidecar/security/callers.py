"""Which caller may call which method: the guard that asks for names.

A rule is `METHOD=NAME`: who has the name may call the method. A method may be said with its face
(`ext_authz/Check`), and `*` is every one. A name is exact or has a `*` as patterns of policies do
(`spiffe://shop/*`), and `*` alone is everybody, strangers too.

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
        self._names: dict[str, tuple[str, ...]] = {}
        for method, _, name in (rule.partition("=") for rule in rules):
            self._names[method] = (*self._names.get(method, ()), name)

    def __call__(self, call: Call) -> None:
        """Raises Refusal."""
        for method in (call.method, f"{call.face}/{call.method}", EVERY_METHOD):
            if _is_among(call.caller, self._names.get(method, ())):
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
