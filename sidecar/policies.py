"""The policies of a store, followed: loaded again when they change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.store import Compiled, Fingerprinted, Store

from .following import Followed, Follower, tell_nobody

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class FollowedStore(Store, Fingerprinted, Protocol):
    """Gives policy documents, and tells cheaply whether they may have changed."""


class PolicyFollower(Follower[PolicySet]):
    """Keeps `pdp`, which `make` makes, on the newest good policies of `store`. Making one loads
    them: raises `StoreError`, `CompileError`."""

    pdp: PDP

    def __init__(
        self,
        store: FollowedStore,
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]] = tell_nobody,
        make: Callable[[PolicySet], PDP] = PDP,
    ) -> None:
        self._make = make
        followed = Followed("policies", store, lambda: _load(store), self._install, self._about)
        super().__init__(followed, log, on_state)

    def _install(self, policies: PolicySet) -> None:
        if hasattr(self, "pdp"):
            self.pdp.install(policies)
        else:
            self.pdp = self._make(policies)

    def _about(self) -> dict[str, object]:
        return {"revision": self.pdp.policies.revision}


def _load(store: FollowedStore) -> PolicySet:
    if isinstance(store, Compiled):
        return store.policies()
    return compile_documents(store.load())
