"""An issuer of tokens of a test's own: its keys, its tokens, and a real server of its key set."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://issuer.test", "authz"
AUTHORITY = ("--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE)


class Issuer:
    """Has one key of each kind, by the algorithm that it is for."""

    def __init__(self, kid: str = "1") -> None:
        self.kid = kid
        self.rsa = rsa.generate_private_key(65_537, 2_048)
        self.ec = ec.generate_private_key(ec.SECP256R1())

    @property
    def pem(self) -> bytes:
        """The public RSA key."""
        kind = PublicFormat.SubjectPublicKeyInfo
        return self.rsa.public_key().public_bytes(Encoding.PEM, kind)

    def entries(self) -> list[dict[str, Any]]:
        """The keys as a key set has them."""
        found = [
            (self.rsa.public_key(), RSAAlgorithm, "RS256"),
            (self.ec.public_key(), ECAlgorithm, "ES256"),
        ]
        return [
            {
                **json.loads(kind.to_jwk(key)),
                "kid": f"{self.kid}-{algorithm}",
                "use": "sig",
                "alg": algorithm,
            }
            for key, kind, algorithm in found
        ]

    def key_set(self) -> bytes:
        """All keys."""
        return json.dumps({"keys": self.entries()}).encode()

    def token(
        self,
        sub: str = "web",
        algorithm: str = "RS256",
        key: Any = None,
        headers: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good token, but for what is given. A claim of None is left out."""
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600} | claims
        headers = {"kid": f"{self.kid}-{algorithm}"} | (headers or {})
        if key is None:
            key = {"RS256": self.rsa, "ES256": self.ec}[algorithm]
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, key, algorithm, headers)


class Served:
    """Serves `pages` (path → status and body) over HTTP, or HTTPS with a certificate. `asked` are
    the paths that were asked for."""

    def __init__(self, certificate: Path | None = None, port: int = 0) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append(self.path)
                status, body = served.pages.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", body.decode())
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Not on our standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        scheme = "http"
        if certificate is not None:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
