"""Print a token for the Envoy of this folder: `python make_token.py ann` (or `vic`, who reads).

Never do this: the key is in envoy.yaml for all to read. A real issuer keeps its key to itself, and
Envoy fetches the public one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import time
from typing import Any

KEY = b"not a secret: an example for all to read"
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"roles": ["developer"], "projects": ["apollo"]},
    "vic": {"roles": ["viewer"], "projects": ["apollo"]},
}


def encoded(data: bytes) -> str:
    """As RFC 7515 has it: base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(name: str) -> str:
    """A token of one of `PEOPLE` that is good for an hour."""
    claims = {"iss": "example", "sub": name, "exp": int(time.time()) + 3_600, **PEOPLE[name]}
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encoded(hmac.digest(KEY, signed.encode(), hashlib.sha256))}"


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PEOPLE:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(PEOPLE)}")
    print(token(sys.argv[1]))
