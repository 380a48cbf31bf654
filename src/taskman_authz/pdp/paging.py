"""Where a search goes on: a token that a caller hands back with the same request.

Laws: a token needs no secret, and so every process reads every other's; it fits one request only,
whatever the time. It tells the last name that was looked at, be it allowed or not: whoever may
search learns that there is such a name, and nothing else of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from ..errors import RequestError
from ..request import CheckRequest

FIELD = "page.token"
DIGEST = 16  # bytes


def make_token(sought: str, request: CheckRequest, after: str) -> str:
    """The token to go on behind `after`; `sought` says which part of the request is."""
    return base64.urlsafe_b64encode(_digest(sought, request) + after.encode()).decode()


def read_token(sought: str, request: CheckRequest, token: str) -> str:
    """What the search goes on behind. Raises RequestError for a token of another request, or what
    is none."""
    try:
        data = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        after = data[DIGEST:].decode()
    except (UnicodeError, binascii.Error):
        raise RequestError(FIELD, "not a token that was given here") from None
    if data[:DIGEST] != _digest(sought, request):
        raise RequestError(FIELD, "the token of another request")
    return after


def _digest(sought: str, request: CheckRequest) -> bytes:
    asked = (
        sought,
        request.company_id,
        request.subject_type,
        "" if sought == "subject" else request.subject_id,
        request.subject,
        "" if sought == "action" else request.action,
        request.action_attributes,
        request.resource_type,
        "" if sought == "resource" else request.resource_id,
        request.resource,
        request.context,
    )
    text = json.dumps(asked, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).digest()[:DIGEST]
