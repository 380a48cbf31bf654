"""What of the sidecar is in order, by the names of the standard health service.

Laws: a face asks, and tells nobody anything of its own. Once stopping, nothing serves, whatever is
told later; and whoever watches learns it and is let go, because a watcher must not hold up the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from .newest import Newest

# Serving: the policies in place are those in the store. Not serving: they are the last good ones.
POLICIES = "taskman_authz.policies"


class Health:
    """Services by name, and whether they serve; "" is the sidecar as a whole."""

    def __init__(self) -> None:
        self._states: Newest[Mapping[str, bool]] = Newest({"": False})

    def tell(self, service: str, serving: bool) -> None:
        """Whether a service serves from now on."""
        if not self._states.ended:
            self._states.tell({**self._states.value, service: serving})

    def serves(self, service: str) -> bool | None:
        """Whether a service serves; None where there is none of this name."""
        return self._states.value.get(service)

    async def follow(self, service: str) -> AsyncIterator[bool | None]:
        """What `serves` says, and each other thing that it says later, until the end."""
        last: list[bool | None] = []
        async for states in self._states.follow():
            state = states.get(service)
            if last != [state]:
                last = [state]
                yield state

    def stop(self) -> None:
        """Nothing serves any more."""
        self._states.tell(dict.fromkeys(self._states.value, False))
        self._states.end()
