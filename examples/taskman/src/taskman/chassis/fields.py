"""Fields of requests: read, or refused in words; and pages of lists."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from .errors import InvalidInput

PAGE = 50  # items of a page that says no size
LONGEST_PAGE = 200
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")


def read_id(field: str, text: str) -> str:
    """A UUID, as it is written everywhere."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput(field, "expected a UUID") from None


def is_id(text: str) -> bool:
    """Whether a text is a UUID as it is written everywhere."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def read_text(field: str, text: str, most: int, least: int = 1) -> str:
    """A text of some length without NUL, which PostgreSQL does not keep."""
    if not least <= len(text.strip()) or len(text) > most or "\0" in text:
        raise InvalidInput(field, f"expected {least} to {most} characters")
    return text.strip()


def read_email(field: str, text: str) -> str:
    """An address, in small letters."""
    address = read_text(field, text, 255).lower()
    if not _EMAIL.fullmatch(address):
        raise InvalidInput(field, "expected an e-mail address")
    return address


def read_choice(field: str, text: str, choices: Collection[str]) -> str:
    """One of some words."""
    if text not in choices:
        raise InvalidInput(field, f"expected one of {', '.join(choices)}")
    return text


def read_time(field: str, time: Timestamp) -> datetime:
    """A time with its zone."""
    try:
        return time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(field, "expected a time from year 1 to 9999") from None


def stamp(time: datetime | None) -> Timestamp | None:
    """A time on the wire."""
    if time is None:
        return None
    made = Timestamp()
    made.FromDatetime(time)
    return made


class Page(NamedTuple):
    """How many of a list, the newest first, and before which (None: from the newest)."""

    size: int
    before: tuple[datetime, str] | None


def read_page(size: int, token: str) -> Page:
    """The page that a request asks for."""
    if not 0 <= size <= LONGEST_PAGE:
        raise InvalidInput("page_size", f"expected 0 to {LONGEST_PAGE}")
    if not token:
        return Page(size or PAGE, None)
    try:
        time, _, id = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        moment = datetime.fromisoformat(time)
        before = (moment, str(uuid.UUID(id)))
        if moment.tzinfo is None:
            raise ValueError("no zone")
    except (ValueError, binascii.Error):
        raise InvalidInput("page_token", "expected one that a page ended with") from None
    return Page(size or PAGE, before)


def page_token(created_at: datetime, id: str) -> str:
    """What the next page is asked for with, where this one ends here."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {id}".encode()).decode()
