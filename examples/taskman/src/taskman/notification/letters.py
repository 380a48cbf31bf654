"""What is sent: letters, each of one type to one recipient. Pure.

Law: `content` is what goes out and may hold secrets, which `subject` and `body` do not; it is given
up when a letter is sent.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..chassis.errors import InvalidInput
from .templates import Written

TYPES = ("email", "webhook", "push")
STATUSES = ("pending", "sent", "failed")
LONGEST_URL = 2_000
_PLAIN = re.compile(r"[!-~]{1,2000}")
_URL = re.compile(r"[a-z]+://[\w.:\[\]-]+([/?][!\"$-~]*)?", re.ASCII)  # of no user, no fragment
LONGEST_DATA = 20_000  # bytes of a webhook's JSON
LONGEST_PUSH = 3_000  # bytes; push services take 4,096, with what encryption adds
LONGEST_TITLE = 200  # characters
SUBSCRIPTIONS = 10  # browsers of a user that are told


class NotSent(Exception):
    """It was not sent; `final`: nor would it be by trying again. The text tells no address."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is told to somebody, and how far it is."""

    id: str = msgspec.field(default_factory=lambda: str(uuid.uuid4()))
    company_id: str
    type: str
    recipient: str
    user_id: str | None = None
    subject: str = ""
    body: str = ""
    content: dict[str, str] | None = None
    status: str = "pending"
    error: str = ""
    attempts: int = 0
    sent_at: datetime | None = None
    created_at: datetime | None = None


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A user who is told things: an active one."""

    id: str
    company_id: str
    email: str
    username: str
    preferences: dict[str, Any] = {}

    def opted_out(self, type: str) -> bool:
        """Whether they want none of a type: `{"email_notifications": false}`."""
        return self.preferences.get(f"{type}_notifications") is False


def email(to: Recipient, written: Written) -> Letter:
    """An e-mail to a user."""
    return Letter(
        company_id=to.company_id,
        type="email",
        recipient=to.email,
        user_id=to.id,
        subject=written.subject,
        body=written.shown,
        content={"subject": written.subject, "body": written.body},
    )


def pushes(to: Recipient, written: Written) -> list[Letter]:
    """A push to each browser that a user subscribed with. A browser shows some lines: what is
    longer is cut."""
    title, body = written.subject[:LONGEST_TITLE], written.body
    while len((payload := _json({"title": title, "body": body})).encode()) > LONGEST_PUSH:
        body = body[: len(body) // 2]
    return [
        Letter(
            company_id=to.company_id,
            type="push",
            recipient=urlsplit(each["endpoint"]).hostname or "",
            user_id=to.id,
            subject=written.subject,
            body=written.shown,
            content={**each, "payload": payload},
        )
        for each in subscriptions(to.preferences)
    ]


def webhook(company_id: str, url: str, event_type: str, data: Mapping[str, Any]) -> Letter:
    """A call of another system, in the form of Standard Webhooks. Raises InvalidInput."""
    said = {"type": event_type, "timestamp": datetime.now(UTC).isoformat(), "data": data}
    payload = _json(said)
    if len(payload.encode()) > LONGEST_DATA:
        raise InvalidInput("data", f"expected at most {LONGEST_DATA} bytes of JSON")
    return Letter(
        company_id=company_id,
        type="webhook",
        recipient=urlsplit(url).hostname or "",
        subject=event_type,
        body=payload,
        content={"url": url, "payload": payload},
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def subscriptions(preferences: Mapping[str, Any]) -> list[dict[str, str]]:
    """The browsers that somebody keeps in their preferences (W3C Push API, `toJSON`). What is none
    is left out: clients write there what they like."""
    kept = preferences.get("push_subscriptions")
    found = []
    for each in kept[:SUBSCRIPTIONS] if isinstance(kept, list) else ():
        keys = each.get("keys") if isinstance(each, dict) else None
        if not isinstance(keys, dict):
            continue
        given = (each.get("endpoint"), keys.get("p256dh"), keys.get("auth"))
        if all(isinstance(value, str) and _PLAIN.fullmatch(value) for value in given):
            found.append(dict(zip(("endpoint", "p256dh", "auth"), given, strict=True)))
    return found


def read_url(field: str, text: str) -> str:
    """An address of the web. Whether it may be called is for the policies and the guard to say."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not (sound and len(text) <= LONGEST_URL and _URL.fullmatch(text)):
        raise InvalidInput(field, f"expected https://HOST/..., at most {LONGEST_URL} characters")
    return text
