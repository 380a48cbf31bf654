"""Tokens that an issuer signs (JWT, RFC 7519), verified with its public keys.

Laws: issuer, audience, subject and expiry are in the token and are verified. Its algorithm is one
that both the settings and the key accept; `none` and shared secrets are never among them (RFC 8725,
section 3.1). A key that is not known is asked for, and never waited for. Keys that could not be
read again for too long are none.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, NoReturn

import jwt
from cachetools import LRUCache

from ..kept import Kept
from ..status import Code, Refusal
from .jwks import Key, Keys

REMEMBERED = 10_000  # tokens; one a caller and hour
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "has expired"),
    (jwt.ImmatureSignatureError, "is not in force yet"),
    (jwt.InvalidAudienceError, "is for somebody else"),
    (jwt.InvalidIssuerError, "is of another issuer"),
    (jwt.InvalidAlgorithmError, "is signed in a way that is not accepted"),
    (jwt.InvalidSignatureError, "is not signed by its issuer"),
    (jwt.MissingRequiredClaimError, "lacks a claim that is required"),
)


class Jwts:
    """Verifies tokens of `issuer` for `audience` with `keys`. Times are in seconds. May be asked in
    any thread."""

    def __init__(
        self,
        keys: Kept[bytes, Keys],
        *,
        issuer: str,
        audience: str,
        algorithms: Collection[str],
        leeway: float,
        max_age: float,
        floor: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway
        self._max_age = max_age
        self._floor = floor
        self._clock = clock
        self._verified: LRUCache[bytes, tuple[str, float]] = LRUCache(REMEMBERED)
        self._verified_with: Keys | None = None
        self._lock = threading.Lock()

    def subject(self, token: str) -> str:
        """Of whom the token is. Raises Refusal."""
        keys = self._keys.value
        if keys is None or time.monotonic() - self._keys.succeeded > self._max_age:
            raise Refusal(Code.UNAVAILABLE, "the keys that tokens are verified with are missing")
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if self._verified_with is not keys:
                self._verified.clear()
                self._verified_with = keys
            subject, expires = self._verified.get(digest, ("", 0.0))
        if subject and expires + self._leeway > self._clock():
            return subject
        subject, expires = self._verify(token, keys)
        with self._lock:
            if self._verified_with is keys:
                self._verified[digest] = subject, expires
        return subject

    def _verify(self, token: str, keys: Keys) -> tuple[str, float]:
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header, keys)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=sorted(key.algorithms & self._algorithms),
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["iss", "aud", "sub", "exp"]},
            )
            subject, expires = str(claims["sub"]), float(claims["exp"])
        except Refusal:
            raise
        except Exception as error:  # whatever a stranger's text makes a reader raise
            _refuse(error)
        if "crit" in header or not subject:
            raise Refusal(Code.UNAUTHENTICATED, "the token cannot be read")
        return subject, expires

    def _key(self, header: dict[str, Any], keys: Keys) -> Key:
        if header.get("alg") not in self._algorithms:
            raise jwt.InvalidAlgorithmError
        name = header.get("kid")
        if name is None and len(keys) == 1:
            return next(iter(keys.values()))
        key = keys.get(str(name or ""))
        if key is not None:
            return key
        if self._keys.again(self._floor):
            raise Refusal(Code.UNAVAILABLE, "the key of the token is being asked for")
        raise Refusal(Code.UNAUTHENTICATED, "the token is signed with a key that is not known")


def _refuse(error: Exception) -> NoReturn:
    for kind, why in _WHY:
        if isinstance(error, kind):
            raise Refusal(Code.UNAUTHENTICATED, f"the token {why}") from None
    raise Refusal(Code.UNAUTHENTICATED, "the token cannot be read") from None
