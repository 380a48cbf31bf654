"""What a write tells others, as rows of the outbox: they are written with what they tell of, and
told by a relay of `taskman_authz.messaging`, whose events and table these are. (Its pool takes the
role `authz_platform`.)

Laws: the routing key is the event's full name (`iam.policy.created`). An event is about one company
or about all of them, and names at most `Limits.event_names` items, so that it stays a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from .database import Head
from .edits import Change

if TYPE_CHECKING:
    from .connecting import Connection

EXCHANGE = "iam.events"
CHANNEL = "outbox"  # notified when something is written


class Told(msgspec.Struct, frozen=True):
    """What was written: the revision that it made, ids of policies or names of roles, and the UUIDs
    of their rows. A changed document changes the policies that use its names: that is an
    `iam.policy.updated` which names `documents` instead."""

    revision: int
    content_hash: str
    ids: list[str]
    uuids: list[str]
    documents: list[str]


class Event(msgspec.Struct, frozen=True):
    """That policies or roles of a company (None: of every one) were created, updated or deleted.
    It may be told twice: `id` stays the same."""

    type: str
    id: str
    occurred_at: datetime
    company_id: str | None
    actor: str
    data: Told


def events_of(
    head: Head, changes: Sequence[Change], actor: str, at: datetime, most: int
) -> Iterator[Event]:
    """The events of a write that made the revision `head`."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((_type(change), change.key.company), []).append(change)
    step = max(1, most)
    for (type, company), some in groups.items():
        for start in range(0, len(some), step):
            told = _told(head, some[start : start + step])
            yield Event(type, str(uuid4()), at, company or None, actor, told)


def adopted(head: Head, actor: str, at: datetime) -> Event:
    """The event of a revision of rows that somebody changed past the writer."""
    return Event("iam.policy.updated", str(uuid4()), at, None, actor, Told(*head, [], [], []))


def _told(head: Head, changes: Sequence[Change]) -> Told:
    named = [each for each in changes if each.key.kind != "document"]
    uuids = [stored.uuid for each in named if (stored := each.after or each.before)]
    documents = [each.key.name for each in changes if each.key.kind == "document"]
    return Told(*head, [each.key.name for each in named], uuids, documents)


async def write_events(connection: Connection, events: Sequence[Event]) -> None:
    """Put events into the outbox."""
    await connection.executemany(
        "INSERT INTO outbox (id, exchange, routing_key, body, company_id)"
        " VALUES ($1, $2, $3, $4, $5)",
        [
            (event.id, EXCHANGE, event.type, msgspec.json.encode(event), event.company_id)
            for event in events
        ],
    )
    await connection.execute(f"NOTIFY {CHANNEL}")  # heard when the transaction is committed


def _type(change: Change) -> str:
    if change.key.kind == "document":
        return "iam.policy.updated"
    return f"iam.{change.key.kind}.{change.verb}"
