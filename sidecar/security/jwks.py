"""The public keys of an issuer of tokens: a JSON Web Key Set (RFC 7517), of a file or a URL.

Laws: only public keys for signatures are taken, and none that is too short; a key says which
algorithms it may verify, never a token. Redirections are not followed. What comes is bounded.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from taskman_authz.errors import AuthzError
from taskman_authz.limits import DEFAULT

from ..kept import read_file

PLACE = "--jwks"
TIMEOUT = 5.0  # seconds
SHORTEST_RSA = 2_048  # bits; RFC 7518, section 3.3
RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
ALGORITHMS = RSA | set(CURVES.values())


class Key(NamedTuple):
    """A public key and the algorithms that it verifies."""

    key: Any
    algorithms: frozenset[str]


Keys = Mapping[str, Key]  # by key id; one without an id is under ""


def is_url(place: str) -> bool:
    """Whether a place is one of the web: else it is the path of a file."""
    return place.startswith(("https:", "http:"))


def key_source(place: str) -> Callable[[], bytes]:
    """What reads the text of the keys. Raises AuthzError, as does what is returned."""
    if not is_url(place):
        return lambda: read_file(PLACE, Path(place), DEFAULT.certificate_bytes)
    parts = urlsplit(place)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise AuthzError(f"{PLACE}: expected `https://`: whoever changes the keys could be anybody")
    return lambda: _fetch(place)


def read_keys(data: bytes) -> Keys:
    """The keys in a text. Raises AuthzError where it is no set of keys, or has none of use."""
    try:
        found = json.loads(data)["keys"]
        entries = [entry for entry in found if isinstance(entry, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise AuthzError(f"{PLACE}: expected a JSON Web Key Set") from None
    keys = {str(entry.get("kid", "")): key for entry in entries if (key := _key(entry))}
    if not keys:
        raise AuthzError(f"{PLACE}: no public key for signatures among {len(entries)} keys")
    return keys


def _key(entry: Mapping[str, Any]) -> Key | None:
    """The key of an entry; None for what is not for us: RFC 7517, section 5 says to pass it by."""
    kind, curve = entry.get("kty"), entry.get("crv")
    algorithms = RSA if kind == "RSA" else frozenset({CURVES.get(str(curve), "")}) & ALGORITHMS
    if "alg" in entry:
        algorithms &= {entry["alg"]} if isinstance(entry["alg"], str) else set()
    is_private = "d" in entry
    if kind not in ("RSA", "EC", "OKP") or is_private or entry.get("use", "sig") != "sig":
        return None
    if not algorithms:
        return None
    try:
        key = jwt.PyJWK(dict(entry), min(algorithms)).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if kind == "RSA" and key.key_size < SHORTEST_RSA:
        return None
    return Key(key, algorithms)


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Go nowhere else: urllib then raises HTTPError."""


def _fetch(url: str) -> bytes:
    limit = DEFAULT.certificate_bytes
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    try:
        with urllib.request.build_opener(_Staying).open(request, timeout=TIMEOUT) as answer:
            data: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise AuthzError(f"{PLACE} {url}: answered {error.code}") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise AuthzError(f"{PLACE} {url}: {reason}") from None
    except Exception as error:  # what answers there speaks something else than HTTP
        raise AuthzError(f"{PLACE} {url}: {type(error).__name__}") from None
    if len(data) > limit:
        raise AuthzError(f"{PLACE} {url}: longer than {limit} bytes")
    return data
