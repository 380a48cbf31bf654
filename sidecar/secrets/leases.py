"""Users of a database that Vault makes, each for a time (its database secrets engine).

Laws: a lease is renewed at about half its life; where it cannot be, or comes to its end, another
user takes the place of its one before that. Names and passwords are in no log and no error.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from taskman_authz.errors import AuthzError

from .vault import Vault

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

PAUSE = 1.0  # seconds until what failed is tried again


class User(NamedTuple):
    """Who a program is to the database, for now; in the names that drivers of databases have."""

    user: str
    password: str


class _Lease(NamedTuple):
    user: User
    id: str
    life: float  # seconds that it had when it was given
    renewable: bool


class Leased:
    """The user of a role, `mount/role` (Vault's path is `mount/creds/role`)."""

    def __init__(self, vault: Vault, role: str, log: FilteringBoundLogger) -> None:
        self._vault = vault
        self._mount, _, self._role = role.rpartition("/")
        self._place = f"vault {role}"
        self._log = log
        self._lock = threading.Lock()
        self._lease: _Lease | None = None
        self._due = 0.0  # when to renew it, by the monotonic clock

    @classmethod
    def of(cls, role: str, log: FilteringBoundLogger) -> Leased:
        """With a Vault of its own, as the environment says. Raises AuthzError."""
        return cls(Vault(log), role, log)

    def user(self) -> User:
        """The user. Blocks; may be called in any thread. Raises AuthzError."""
        with self._lock:
            lease = self._lease
            if lease is None:
                lease = self._lease = self._new()
            return lease.user

    async def follow(self, on_new: Callable[[], Awaitable[object]]) -> NoReturn:
        """Stay signed in and renew until cancelled; `on_new` is called when there is another
        user."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._vault.follow(lambda: None))
            group.create_task(self._renew(on_new))
        raise AssertionError("following does not end")

    async def _renew(self, on_new: Callable[[], Awaitable[object]]) -> NoReturn:
        while True:
            await asyncio.sleep(max(self._due - time.monotonic(), PAUSE * random.uniform(0.5, 1)))
            try:
                is_new = await asyncio.to_thread(self._renewed)
            except AuthzError as error:
                self._log.error("a lease was not renewed", why=str(error))
                continue
            if is_new:
                await on_new()

    def _renewed(self) -> bool:
        """Whether there is another user now."""
        with self._lock:
            lease = self._lease
            if lease is not None and lease.renewable:
                left = self._renewal(lease)
                # A lease has a longest life: one that is given less than half comes to its end.
                if left * 2 > lease.life:
                    self._set_due(left)
                    return False
            self._lease = self._new()
            return True

    def _renewal(self, lease: _Lease) -> float:
        """The seconds that a lease has after its renewal; 0 where it is no more."""

        def renew(client: Any) -> Any:
            return client.sys.renew_lease(lease.id, increment=int(lease.life))

        try:
            return float(self._vault.ask(self._place, renew)["lease_duration"])
        except AuthzError as error:
            self._log.warning("a lease is replaced", why=str(error))
            return 0.0

    def _new(self) -> _Lease:
        def make(client: Any) -> Any:
            return client.secrets.database.generate_credentials(self._role, self._mount)

        told = self._vault.ask(self._place, make)
        try:
            user = User(told["data"]["username"], told["data"]["password"])
            life = float(told["lease_duration"])
            lease = _Lease(user, told["lease_id"], life, bool(told["renewable"]))
        except (KeyError, TypeError, ValueError):
            raise AuthzError(f"{self._place}: expected a user of a database") from None
        self._set_due(life)
        return lease

    def _set_due(self, life: float) -> None:
        self._due = time.monotonic() + life * random.uniform(0.4, 0.6)
