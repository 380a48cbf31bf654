"""The keys that verify access tokens: a shared secret, or public keys by their ids (JWKS).

Laws: which algorithm is the settings' to say, never a token's. Keys that nobody has heard of are
asked for at most once in `PAUSE` seconds, so that made-up ids cause no storm of questions.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import jwt

from .errors import Unauthenticated, Unavailable

PAUSE = 5.0  # seconds
TIMEOUT = 3


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
        self._set = jwt.PyJWKClient(url, timeout=TIMEOUT)
        self._known: dict[Any, Any] = {}
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
            keys = await asyncio.to_thread(self._set.get_signing_keys, True)
        except (OSError, ValueError, jwt.PyJWKClientConnectionError) as error:
            raise Unavailable("the keys of tokens cannot be had") from error
        except jwt.PyJWTError:  # there is none that could be used
            keys = []
        self._known = {key.key_id: key.key for key in keys if key.algorithm_name == "ES256"}
        self._asked = time.monotonic()
