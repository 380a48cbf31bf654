"""What of the sidecar is in order, by the names of the standard health service.

Two kinds of names. A *service* serves or not: that is each process' own. A *condition* holds or
not, such as that the policies in place are those in the store: it is all processes', and where
several answer at one address each says of it what holds of all.

Laws: a face asks, and tells nobody anything of its own. Once stopping, nothing serves, whatever is
told later; and whoever watches learns it and is let go, because a watcher must not hold up the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from .newest import Newest

# The policies in place are those in the store. Else they are the last good ones.
POLICIES = "taskman_authz.policies"
ROUTES = "taskman_authz.routes"  # the same of the table of routes
# All processes that should answer at the addresses do.
WORKERS = "taskman_authz.workers"

States = Mapping[str, bool]


class Health:
    """Services and conditions by name; "" is the service of the sidecar as a whole."""

    def __init__(self) -> None:
        self._services: States = {"": False}
        self.conditions: Newest[States] = Newest({})  # of this process
        self._others: States = {}
        self._states: Newest[States] = Newest(self._services)

    def serve(self, *services: str) -> None:
        """These services serve from now on, and the sidecar does."""
        self._services = dict.fromkeys(("", *services), True)
        self._tell()

    def tell(self, condition: str, holds: bool) -> None:
        """Whether a condition holds in this process from now on."""
        self.conditions.tell({**self.conditions.value, condition: holds})
        self._tell()

    def tell_others(self, conditions: States) -> None:
        """What holds of the other processes from now on."""
        self._others = conditions
        self._tell()

    def serves(self, name: str) -> bool | None:
        """Whether a service serves, or a condition holds; None where there is none of the name."""
        return self._states.value.get(name)

    async def follow(self, name: str) -> AsyncIterator[bool | None]:
        """What `serves` says, and each other thing that it says later, until the end."""
        last: list[bool | None] = []
        async for states in self._states.follow():
            state = states.get(name)
            if last != [state]:
                last = [state]
                yield state

    def stop(self) -> None:
        """Nothing serves any more."""
        self._states.tell(dict.fromkeys(self._states.value, False))
        self._states.end()
        self.conditions.end()

    def _tell(self) -> None:
        if not self._states.ended:
            shared = {**self.conditions.value}
            for name, holds in self._others.items():
                shared[name] = holds and shared.get(name, True)
            self._states.tell({**self._services, **shared})
