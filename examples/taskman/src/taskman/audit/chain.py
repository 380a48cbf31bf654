"""What a trail is: entries, each with the digest of itself and of the one before. Pure.

Laws: the digest covers all that is told of an entry. Whoever changes, removes or puts in between an
entry that is not the oldest breaks every digest after it; the end is kept apart, so that what is
cut off there is missed too.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from taskman_authz.messaging import Event

from ..chassis.fields import is_id

START = "0" * 64  # what the first entry follows
NO_COMPANY = "00000000-0000-0000-0000-000000000000"
SECRETS = frozenset({"token", "password", "refresh_token", "access_token", "secret"})
LEFT_OUT = "***"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, in its place."""

    id: str
    event_type: str
    company_id: str
    action: str
    result: str
    timestamp: datetime
    actor_id: str | None = None
    actor_email: str = ""
    target_type: str = ""
    target_id: str = ""
    ip_address: str = ""
    user_agent: str = ""
    metadata: dict[str, Any] = {}
    sequence: int = 0
    previous_hash: str = START
    hash: str = ""


def follows(entry: Entry, sequence: int, previous_hash: str) -> Entry:
    """An entry behind another one."""
    placed = msgspec.structs.replace(entry, sequence=sequence + 1, previous_hash=previous_hash)
    return msgspec.structs.replace(placed, hash=digest(placed))


def digest(entry: Entry) -> str:
    """The SHA-256 of all that an entry says, its place and the digest before it included."""
    said = msgspec.structs.asdict(entry)
    del said["hash"]
    said["timestamp"] = entry.timestamp.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Check:
    """Goes along what is left of a trail, entry by entry."""

    def __init__(self) -> None:
        self._former: Entry | None = None
        self._broken_at = 0

    def is_broken_by(self, entry: Entry) -> bool:
        """Whether the next entry is not what was written down."""
        former, self._former = self._former, entry
        is_whole = digest(entry) == entry.hash
        if former is not None:
            is_whole &= entry.sequence == former.sequence + 1
            is_whole &= entry.previous_hash == former.hash
        if not is_whole:
            self._broken_at = entry.sequence
        return not is_whole

    def broken_at(self, sequence: int, hash: str) -> int:
        """The place of the first entry that is not what was written down, in a trail that ends so;
        0: all are."""
        last = self._former
        if self._broken_at or last is None or (last.sequence, last.hash) == (sequence, hash):
            return self._broken_at
        return last.sequence + 1


def entry_of(event: Event) -> Entry:
    """An event, as it is written down: what it was done to is told by the name of its type."""
    family, _, action = event.type.rpartition(".")
    kind, _, id = event.actor.partition(":")
    target, target_id = _target(family, event.data)
    told = {name: str(event.data.get(name) or "") for name in ("email", "ip_address", "user_agent")}
    # Who signs in, or fails to, is told beside who did it: nobody, yet.
    signs_in = not event.actor and family.startswith("auth")
    actor = id if kind == "user" else event.data.get("user_id") if signs_in else None
    return Entry(
        id=event.id,
        event_type=event.type[:100],
        company_id=event.company_id or NO_COMPANY,
        action=action[:100],
        result="failure" if action == "failed" else "success",
        timestamp=event.occurred_at,
        actor_id=str(actor) if actor and is_id(str(actor)) else None,
        actor_email=told["email"][:255] if family.startswith("auth") else "",
        target_type=target,
        target_id=target_id,
        ip_address=told["ip_address"][:50],
        user_agent=told["user_agent"][:1_000],
        metadata=without_secrets(event.data),
    )


def _target(family: str, data: dict[str, Any]) -> tuple[str, str]:
    name = family.rpartition(".")[2]
    found = data.get(f"{name}_id") or data.get("id") or data.get("name") or data.get("subject")
    if name in ("auth", "login", "token", "password"):
        name, found = "session", data.get("session_id")
    return name[:100], str(found or "")[:255]


def without_secrets(data: Any) -> Any:
    """What was told, without what opens doors, however deep it lies."""
    if isinstance(data, dict):
        return {
            key: LEFT_OUT if key in SECRETS else without_secrets(value)
            for key, value in data.items()
        }
    return [without_secrets(each) for each in data] if isinstance(data, list) else data
