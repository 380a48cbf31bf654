"""The keys that verify access tokens: a shared secret, or public keys by their ids (JWKS).

Laws: which algorithm is the settings' to say, never a token's. Keys that nobody has heard of are
asked for at most once in `PAUSE` seconds, so that made-up ids cause no storm of questions.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from typing import Any, Protocol

import jwt

from .errors import Unauthenticated, Unavailable

PAUSE = 5.0  # seconds
LONGEST = 64 * 1024  # bytes of a set of keys
TIMEOUT = 3.0


class Keys(Protocol):
    """What finds a key and its algorithm."""

    async def find(self, key_id: str) -> tuple[Any, str]:
        """Raises Unauthenticated for a key that does not exist, Unavailable."""
        ...


class Secret:
    """One secret for all (HS256)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def find(self, _key_id: str) -> tuple[Any, str]:
        """`Keys.find`"""
        return self._secret, "HS256"


class PublicKeys:
    """The keys of a JWKS at a URL (ES256), asked for when one is not known yet."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._known: dict[str, Any] = {}
        self._asked = -PAUSE
        self._turn = asyncio.Lock()

    async def find(self, key_id: str) -> tuple[Any, str]:
        """`Keys.find`"""
        if key_id not in self._known:
            async with self._turn:
                if key_id not in self._known and time.monotonic() - self._asked >= PAUSE:
                    await self._ask()
        if key_id not in self._known:
            raise Unauthenticated("the token is not valid")
        return self._known[key_id], "ES256"

    async def _ask(self) -> None:
        try:
            text = await asyncio.to_thread(_fetch, self._url)
            entries = json.loads(text)["keys"]
            self._known = {
                entry["kid"]: jwt.PyJWK(entry, "ES256").key
                for entry in entries
                if entry.get("kty") == "EC" and entry.get("crv") == "P-256"
            }
        except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise Unavailable("the keys of tokens cannot be had") from error
        self._asked = time.monotonic()


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        data: bytes = answer.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise ValueError("too long")
    return data
