"""Web push: to the push service of a browser (RFC 8030), readable by that browser alone (RFC 8291),
and from us (RFC 8292)."""

from __future__ import annotations

import base64
import time
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from .letters import Letter, NotSent
from .outgoing import Outgoing

KEPT = 86_400  # seconds that a push service keeps what a browser that is off does not fetch
BYTES = 32  # of a private key
LIFE = 43_200  # seconds of a token; at most a day (RFC 8292 section 2)


def read_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A private key of P-256. Raises ValueError, which does not tell it."""
    expected = "expected a private key of P-256, PEM or base64url"
    try:
        if text.startswith("-----"):
            key = load_pem_private_key(text.encode(), None)
            if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
                return key
            raise ValueError(expected)
        if len(number := _decoded(text)) == BYTES:
            return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())
        raise ValueError(expected)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(expected) from None


class Push:
    """Pushes, by `key` and with whom to ask about them."""

    def __init__(self, outgoing: Outgoing, key: str, contact: str) -> None:
        self._outgoing = outgoing
        self._key = read_key(key)
        self._contact = contact
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    async def send(self, letter: Letter) -> None:
        """Raises NotSent."""
        content = letter.content or {}
        headers = {
            "authorization": f"vapid t={self._token(content['endpoint'])}, k={self.public_key}",
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(KEPT),
        }
        body = _sealed(content)
        status = await self._outgoing.post(content["endpoint"], headers, body)
        if not 200 <= status < 300:
            final = 400 <= status < 500 and status != 429  # 404 and 410: it subscribes no longer
            raise NotSent(f"the push service answered {status}", final=final)

    def _token(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + LIFE,
            "sub": self._contact,
        }
        return jwt.encode(claims, self._key, "ES256")


def _sealed(content: dict[str, str]) -> bytes:
    """What a letter says, for the browser whose keys it has."""
    try:
        sealed: bytes = http_ece.encrypt(
            content["payload"].encode(),
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_decoded(content["p256dh"]),
            auth_secret=_decoded(content["auth"]),
            version="aes128gcm",
        )
    except (ValueError, http_ece.ECEException) as error:
        raise NotSent("the browser's keys are none", final=True) from error
    return sealed


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
