"""The policies of a store, followed: loaded again when they change (`following` says how)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.store import Compiled, Fingerprinted, Store

from .following import Follower

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class FollowedStore(Store, Fingerprinted, Protocol):
    """Gives policy documents, and tells cheaply whether they may have changed."""


class PolicyFollower(Follower[PolicySet]):
    """Keeps `pdp`, which `make` makes, on the newest good policies of `store`."""

    subject = "policies"

    def __init__(
        self,
        store: FollowedStore,
        log: FilteringBoundLogger,
        on_state: Callable[[bool], Awaitable[None]],
        make: Callable[[PolicySet], PDP] = PDP,
    ) -> None:
        self._store = store
        self._make = make
        self.pdp: PDP
        super().__init__(log, on_state)

    def fingerprint(self) -> str:
        return self._store.fingerprint()

    def load(self) -> PolicySet:
        store = self._store
        if isinstance(store, Compiled):
            return store.policies()
        return compile_documents(store.load())

    def install(self, loaded: PolicySet) -> None:
        if hasattr(self, "pdp"):
            self.pdp.install(loaded)
        else:
            self.pdp = self._make(loaded)

    @property
    def revision(self) -> str:
        return self.pdp.policies.revision
