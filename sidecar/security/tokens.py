"""Tokens that are told to the sidecar: a line each, `name token` or `name sha256:digest`.

Several lines may have one name, so that a token can be replaced while both are in use.

Law: how long a comparison takes tells nothing about a token.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from taskman_authz.errors import AuthzError

MOST = 1_000  # tokens; each call compares with all of them
SHORTEST = 16  # characters; what is shorter can be guessed
_LINE = re.compile(r"([\w.@/-]+)[ \t]+(?:sha256:([0-9a-fA-F]{64})|(\S+))")


class Tokens:
    """Knows the owners of tokens. Raises AuthzError with the number of a bad line."""

    def __init__(self, data: bytes) -> None:
        self._names: dict[bytes, str] = {}
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise AuthzError("--tokens: expected UTF-8") from None
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                self._add(f"--tokens, line {number}", line)
        if not self._names:
            raise AuthzError("--tokens: expected a line `name token` or more, found none")
        if len(self._names) > MOST:
            raise AuthzError(f"--tokens: more than {MOST}")

    def owner(self, token: str) -> str | None:
        """The name of who was given the token."""
        digest = _digest(token)
        found = None
        for known, name in self._names.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _add(self, place: str, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None or (found[3] or "").startswith("sha256:"):
            raise AuthzError(f"{place}: expected `name token` or `name sha256:digest`")
        name, digest, token = found.groups()
        if token is not None and len(token) < SHORTEST:
            raise AuthzError(f"{place}: a token has at least {SHORTEST} characters")
        known = bytes.fromhex(digest) if digest is not None else _digest(token)
        if self._names.setdefault(known, name) != name:
            raise AuthzError(f"{place}: the token of `{self._names[known]}` as well")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
