"""A Vault of a test's own: a real HTTP server that speaks the parts of Vault's API that are used
here, as its documentation has them. Vault itself has no package that tests could install."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, Any]]
DENIED: Reply = (403, {"errors": ["permission denied"]})


class VaultServer:
    """`kept` holds the secrets by `mount/path`; `roles` those who may sign in, by what they show.
    A token lives for `life` seconds (0: for ever) from when it was given or renewed."""

    def __init__(self, life: float = 0.0) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.roles: set[tuple[str, str]] = set()
        self.tokens: dict[str, float] = {}
        self.life = life
        self.is_sealed = False
        self.asked: list[str] = []
        # Users of databases: how one is made, for how many seconds, and how long in all at most.
        self.make_user: Callable[[str, str], object] = lambda _name, _password: None
        self.users: list[str] = []
        self.lease, self.longest = 2, 4
        self.leases: dict[str, int] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                said = json.loads(self.rfile.read(length) or b"{}")
                path = self.path.removeprefix("/v1/")
                status, found = server.reply(path, said, self.headers.get("X-Vault-Token", ""))
                body = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                server.asked.append(f"{status} {path}")

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_: Any) -> None:
                """Not on our standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def give(self) -> str:
        """A new token."""
        token = f"hvs.{secrets.token_hex(12)}"
        self.tokens[token] = time.monotonic() + (self.life or 1e9)
        return token

    def reply(self, path: str, said: dict[str, Any], token: str) -> Reply:
        """The answer to a request."""
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if path in ("auth/approle/login", "auth/k8s/login"):
            shown = said.get("role_id", said.get("role")), said.get("secret_id", said.get("jwt"))
            if shown not in self.roles:
                return 400, {"errors": ["invalid role or secret ID"]}
            return 200, {"auth": self._lease(self.give())}
        if self.tokens.get(token, 0) < time.monotonic():
            return DENIED
        if path == "auth/token/lookup-self":
            return 200, {"data": {"ttl": int(self.life), "renewable": self.life > 0}}
        if path == "auth/token/renew-self":
            self.tokens[token] = time.monotonic() + (self.life or 1e9)
            return 200, {"auth": self._lease(token)}
        if path.startswith("database/creds/"):
            return 200, self._database_user(path.rpartition("/")[2])
        if path == "sys/leases/renew":
            return self._renewed(said["lease_id"], said["increment"])
        mount, _, rest = path.partition("/data/")
        found = self.kept.get(f"{mount}/{rest}")
        if found is None:
            return 404, {"errors": []}
        metadata = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "version": 1}
        return 200, {"lease_duration": 0, "data": {"data": found, "metadata": metadata}}

    def _database_user(self, role: str) -> dict[str, Any]:
        name = f"v-{role}-{secrets.token_hex(6)}"
        password, lease = secrets.token_hex(12), f"database/creds/{role}/{secrets.token_hex(6)}"
        self.make_user(name, password)
        self.users.append(name)
        self.leases[lease] = self.longest
        life = {"lease_id": lease, "lease_duration": self.lease, "renewable": True}
        return life | {"data": {"username": name, "password": password}}

    def _renewed(self, lease: str, asked: int) -> Reply:
        left = self.leases.get(lease, 0)
        if left <= 0:
            return 400, {"errors": ["lease not found"]}
        given = min(asked, left)
        self.leases[lease] = left - asked
        return 200, {"lease_id": lease, "lease_duration": given, "renewable": True}

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _lease(self, token: str) -> dict[str, Any]:
        life = {"lease_duration": int(self.life), "renewable": self.life > 0}
        return {"client_token": token, "policies": ["default"]} | life
