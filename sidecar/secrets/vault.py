"""HashiCorp Vault: signing in, staying signed in, reading secrets of KV version 2.

The environment says where it is and who we are, by Vault's own names: `VAULT_ADDR`, `VAULT_CACERT`,
`VAULT_NAMESPACE`, and one of `VAULT_ROLE_ID` with `VAULT_SECRET_ID` (AppRole),
`VAULT_KUBERNETES_ROLE` (with the token of the service account), `VAULT_TOKEN`.
`VAULT_AUTH_MOUNT` is where AppRole or Kubernetes is mounted, if elsewhere than usual.

Laws: a token is renewed at about half its life, and where it cannot be, we sign in again. What
Vault answers is in no log: of an error its kind is told.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hvac
import requests
from hvac.exceptions import Forbidden, VaultError

from taskman_authz.errors import AuthzError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

TIMEOUT = 5  # seconds
# Until a renewal that failed is tried again, and at least between two.
PAUSE = 2.0  # seconds
FOREVER = 86_400.0  # seconds; a token that does not expire is looked at as seldom
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"


class Vault:
    """A Vault that we sign in to when a secret is first read. Its methods block, and may be called
    in any thread."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._is_signed_in = False
        self._is_renewable = False
        self._life = 0.0  # seconds that the token had when it was given
        self._due = 0.0  # when to renew it, by the monotonic clock
        self._client = hvac.Client(
            token=None if not _has_role() else "",
            namespace=os.environ.get("VAULT_NAMESPACE"),
            timeout=TIMEOUT,
        )
        self.problem = ""

    def __repr__(self) -> str:
        return f"Vault({self._client.url})"

    def read(self, place: str, mount: str, path: str, key: str) -> bytes:
        """The text under `key` of a secret. Raises AuthzError, which begins with `place`."""

        def read(client: hvac.Client) -> Any:
            return client.secrets.kv.v2.read_secret_version(
                path=path, mount_point=mount, raise_on_deleted_version=True
            )

        try:
            value = self.ask(place, read)["data"]["data"].get(key)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise AuthzError(f"{place}: expected a secret of KV version 2") from None
        if not isinstance(value, str) or not value:
            raise AuthzError(f"{place}: there is no text under this key")
        return value.encode("utf-8")

    def ask(self, place: str, question: Callable[[hvac.Client], Any]) -> Any:
        """The answer to a question, asked of a client that is signed in. Raises AuthzError, which
        begins with `place`."""
        try:
            with self._lock:
                if not self._is_signed_in:
                    self._sign_in()
                try:
                    return question(self._client)
                except Forbidden:
                    if not _has_role():
                        raise
                    self._sign_in()  # the token may have been revoked
                    return question(self._client)
        except (VaultError, requests.RequestException, AuthzError) as error:
            raise AuthzError(f"{place}: {_told(error)}") from None

    async def follow(self, told: Callable[[], None]) -> None:
        """Stay signed in, until cancelled. `told` is called after each attempt."""
        while True:
            await asyncio.sleep(max(self._due - time.monotonic(), PAUSE * random.uniform(0.9, 1.1)))
            await asyncio.to_thread(self.renew)
            told()

    def renew(self) -> None:
        """Make the token last longer, or sign in again. Never raises."""
        try:
            with self._lock:
                self._renew()
        except Exception as error:
            problem = f"vault: signing in failed: {_told(error)}"
            if problem != self.problem:
                self._log.error("vault token not renewed", why=problem)
            self.problem = problem
        else:
            self.problem = ""

    def _renew(self) -> None:
        if self._is_signed_in and self._is_renewable:
            try:
                lease = self._client.auth.token.renew_self()["auth"]
            except VaultError:
                self._sign_in()
                return
            # A token has a longest life: what is renewed to less than it had comes to its end.
            if lease["lease_duration"] * 2 > self._life or not _has_role():
                self._take(lease["lease_duration"], lease["renewable"])
                return
        self._sign_in()

    def _sign_in(self) -> None:
        self._is_signed_in = False
        auth, environment = self._client.auth, os.environ
        mount = environment.get("VAULT_AUTH_MOUNT")
        if "VAULT_ROLE_ID" in environment:
            role, secret = environment["VAULT_ROLE_ID"], environment.get("VAULT_SECRET_ID")
            lease = auth.approle.login(role, secret, mount_point=mount or "approle")["auth"]
            life = lease["lease_duration"]
        elif "VAULT_KUBERNETES_ROLE" in environment:
            role, token = environment["VAULT_KUBERNETES_ROLE"], _service_account()
            lease = auth.kubernetes.login(role, token, mount_point=mount or "kubernetes")["auth"]
            life = lease["lease_duration"]
        else:
            lease = auth.token.lookup_self()["data"]
            life = lease["ttl"]
        self._life = life
        self._take(life, lease.get("renewable", False))
        self._is_signed_in = True

    def _take(self, life: float, is_renewable: bool) -> None:
        self._is_renewable = is_renewable
        share = random.uniform(0.4, 0.6)  # or all sidecars of a deployment would come at once
        self._due = time.monotonic() + (life * share if life else FOREVER)


def _has_role() -> bool:
    return "VAULT_ROLE_ID" in os.environ or "VAULT_KUBERNETES_ROLE" in os.environ


def _service_account() -> str:
    path = Path(os.environ.get("VAULT_KUBERNETES_TOKEN_FILE", SERVICE_ACCOUNT))
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise AuthzError(f"the token of the service account cannot be read: {path}") from None


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, AuthzError) else type(error).__name__
