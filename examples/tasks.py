"""Whom and what the examples of frameworks know. A real app has a login and a database here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

POLICIES = Path(__file__).parent.parent / "policies" / "taskman"

# By what a caller sends as `Authorization: Bearer ...`. Never do this: a token is verified.
USERS: dict[str, dict[str, Any]] = {
    "ann": {"type": "user", "id": "ann", "roles": ["developer"], "department": "engineering"},
    "vic": {"type": "user", "id": "vic", "roles": ["viewer"]},
}
TASKS: dict[str, dict[str, Any]] = {
    "1": {"type": "tasks", "id": "1", "owner": "ann", "title": "Write the examples"},
}


def user_of(authorization: str | None) -> dict[str, Any] | None:
    """The user of an `Authorization` header; None: nobody we know."""
    scheme, _, token = (authorization or "").partition(" ")
    return USERS.get(token) if scheme.lower() == "bearer" else None
