"""What a user is, and what may become of one. Pure: no clock, no database."""

from __future__ import annotations

import json
import re
import uuid
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from taskman_authz.messaging import Event

from ..chassis.errors import InvalidInput
from ..chassis.fields import read_choice, read_email, read_text
from . import events

KEPT_BYTES = 16 * 1024  # of the JSON that a client keeps
THEMES = ("light", "dark", "system")
_USERNAME = re.compile(r"[a-zA-Z0-9._-]{3,100}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user with their preferences."""

    id: str
    email: str
    username: str
    company_id: str
    first_name: str = ""
    last_name: str = ""
    avatar_url: str = ""
    department: str = ""
    location: str = ""
    is_active: bool = True
    created_at: datetime | None = None  # the database's to say
    updated_at: datetime | None = None
    language: str = "en"
    timezone: str = "UTC"
    theme: str = "light"
    preferences: dict[str, Any] = {}


PREFERENCES = ("language", "timezone", "theme", "preferences")
PROFILE = ("first_name", "last_name", "avatar_url", "department", "location")


def _short(field: str, value: Any) -> str:
    return read_text(field, value, 100, 0)


def _username(field: str, value: Any) -> str:
    if not _USERNAME.fullmatch(value):
        raise InvalidInput(field, "expected 3 to 100 letters, digits, `.`, `_` or `-`")
    return str(value)


def _avatar(field: str, value: Any) -> str:
    if value and not value.startswith("https://"):
        raise InvalidInput(field, "expected an https URL")
    return read_text(field, value, 2000, 0)


def _language(field: str, value: Any) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise InvalidInput(field, "expected a language: `en`, `de-CH`")
    return str(value)


def _timezone(field: str, value: Any) -> str:
    if value not in zoneinfo.available_timezones():
        raise InvalidInput(field, "expected a time zone: `UTC`, `Europe/Berlin`")
    return str(value)


def _kept(field: str, value: Struct) -> dict[str, Any]:
    found = MessageToDict(value)
    if len(json.dumps(found)) > KEPT_BYTES:
        raise InvalidInput(field, f"expected at most {KEPT_BYTES} bytes of JSON")
    return found


# How each field that may be changed is read.
READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "email": read_email,
    "username": _username,
    "avatar_url": _avatar,
    **dict.fromkeys(("first_name", "last_name", "department", "location"), _short),
    "is_active": lambda _field, value: bool(value),
    "language": _language,
    "timezone": _timezone,
    "theme": lambda field, value: read_choice(field, value, THEMES),
    "preferences": _kept,
}


def create(request: Any, company_id: str, actor: str) -> tuple[User, list[Event]]:
    """A new user, and what is said of them. Raises InvalidInput."""
    fields = ("email", "username", *PROFILE)
    read = {name: READERS[name](name, getattr(request, name)) for name in fields}
    user = User(id=str(uuid.uuid4()), company_id=company_id, **read)
    return user, [events.about("user.created", user, actor)]


def changed_fields(names: Sequence[str]) -> list[str]:
    """The fields that a mask names. Raises InvalidInput."""
    if not names:
        raise InvalidInput("update_mask", "expected the names of fields")
    for name in names:
        read_choice("update_mask", name, list(READERS))
    return sorted(set(names))


def update(user: User, given: Any, fields: Sequence[str], actor: str) -> tuple[User, list[Event]]:
    """A user after a change of some fields, and what is said of it. Raises InvalidInput."""
    read = {}
    for name in fields:
        source = given.preferences if name in PREFERENCES else given
        read[name] = READERS[name](f"user.{name}", getattr(source, name))
    after = msgspec.structs.replace(user, **read)
    different = [name for name in fields if getattr(after, name) != getattr(user, name)]
    said = []
    if "is_active" in different:
        type = "user.activated" if after.is_active else "user.deactivated"
        said.append(events.about(type, after, actor))
    others = [name for name in different if name != "is_active"]
    if others:
        said.append(events.about("user.updated", after, actor, fields=others))
    return after, said
