"""What a write tells others, as rows of the outbox: they are written with what they tell of, and
sent by whoever relays them.

Laws: the routing key is the event's full name (`iam.policy.created`). An event is about one company
or about all of them, and names at most `Limits.event_names` items, so that it stays a message. An
event may be sent twice: `event_id` tells.
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


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """That policies or roles of a company ("": of every one) were created, updated or deleted.

    `ids` are ids of policies and names of roles, `uuids` their rows'. A changed document changes
    the policies that use its names: it is an `iam.policy.updated` that has `documents` instead.
    """

    event_id: str
    type: str
    occurred_at: datetime
    company_id: str
    actor: str
    revision: int
    content_hash: str
    ids: tuple[str, ...] = ()
    uuids: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


def events_of(
    head: Head, changes: Sequence[Change], actor: str, at: datetime, most: int
) -> Iterator[Event]:
    """The events of a write that made the revision `head`."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((_type(change), change.key.company), []).append(change)
    for (type, company), some in groups.items():
        for start in range(0, len(some), max(1, most)):
            part = some[start : start + max(1, most)]
            named = [each for each in part if each.key.kind != "document"]
            yield Event(
                *(str(uuid4()), type, at, company, actor, head.number, head.content_hash),
                ids=tuple(each.key.name for each in named),
                uuids=tuple(stored.uuid for each in named if (stored := each.after or each.before)),
                documents=tuple(each.key.name for each in part if each.key.kind == "document"),
            )


async def write_events(connection: Connection, events: Sequence[Event]) -> None:
    """Put events into the outbox."""
    await connection.executemany(
        "INSERT INTO outbox (id, exchange, routing_key, payload, headers, company_id)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (
                *(event.event_id, EXCHANGE, event.type, msgspec.json.encode(event).decode()),
                *(msgspec.json.encode({"revision": event.revision}).decode(),),
                event.company_id or None,
            )
            for event in events
        ],
    )


def _type(change: Change) -> str:
    if change.key.kind == "document":
        return "iam.policy.updated"
    return f"iam.{change.key.kind}.{change.verb}"
