"""Which caller may call which method: the guard that asks for names.

A rule is `METHOD=NAME`: who has the name may call the method. A method may be said with its face
(`ext_authz/Check`), and `*` is every one. A name is exact or has a `*` as patterns of policies do
(`spiffe://shop/*`), and `*` alone is everybody, strangers too.

Law: a method that no rule names is nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from taskman_authz._fast.wildcards import Pattern

from ..door import Call, Caller
from ..status import Code, Refusal

EVERY_METHOD = EVERYBODY = "*"


class AllowedCallers:
    """The guard of these rules."""

    def __init__(self, rules: Iterable[str]) -> None:
        told: dict[str, list[str]] = {}
        for method, _, name in (rule.partition("=") for rule in rules):
            told.setdefault(method, []).append(name)
        self._allowed = {method: Names(names) for method, names in told.items()}

    def __call__(self, call: Call) -> None:
        """Raises Refusal."""
        for method in (call.method, f"{call.face}/{call.method}", EVERY_METHOD):
            allowed = self._allowed.get(method)
            if allowed is not None and allowed.include(call.caller):
                return
        require_name(call)
        raise Refusal(Code.PERMISSION_DENIED, f"{call.method} is not for this caller")


class OnlyCallers:
    """The guard of `only_method` that nobody may call but who has one of these names."""

    def __init__(self, method: str, names: Collection[str]) -> None:
        self.only_method = method
        self._allowed = Names(names)

    def __call__(self, call: Call) -> None:
        """Raises Refusal."""
        if call.method == self.only_method and not self._allowed.include(call.caller):
            raise Refusal(Code.PERMISSION_DENIED, f"{call.method} is not for this caller")


def require_name(call: Call) -> None:
    """The guard that refuses strangers."""
    if not call.caller.names:
        raise Refusal(Code.UNAUTHENTICATED, "expected a caller that proves who it is")


class Names:
    """Exact names and patterns."""

    def __init__(self, names: Collection[str]) -> None:
        self._everybody = EVERYBODY in names
        self._exact = frozenset(names)
        self._patterns = [Pattern(name, "/") for name in names if "*" in name]

    def include(self, caller: Caller) -> bool:
        """Whether a name of the caller is one of these."""
        return self._everybody or any(
            name in self._exact or any(pattern.matches(name) for pattern in self._patterns)
            for name in caller.names
        )
