"""Trails in PostgreSQL.

Law: an entry and the end of its trail are one transaction, and one writer at a time is at an end.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from taskman_authz.messaging import Event

from ..chassis.database import Database, Transaction
from ..chassis.fields import Page
from .chain import START, Check, Entry, entry_of, follows

_NAMES = Entry.__struct_fields__
_SELECT = f"SELECT {', '.join(_NAMES)} FROM audit_events"
_INSERT = (
    f"INSERT INTO audit_events ({', '.join(_NAMES)}, recorded_at) VALUES"
    f" ({', '.join(f'${number}' for number in range(1, len(_NAMES) + 2))})"
)
# The end of a trail, locked, and when what comes next is written down: never before what is there,
# whatever the clock does.
_END = """
INSERT INTO audit_trails (company_id, sequence, hash, recorded_at)
VALUES ($1, 0, $2, clock_timestamp())
ON CONFLICT (company_id) DO UPDATE
  SET recorded_at = greatest(audit_trails.recorded_at, clock_timestamp())
RETURNING sequence, hash, recorded_at
"""
BATCH = 500  # entries that are read at a time


class Wanted(NamedTuple):
    """Which entries; empty texts and None stand for all."""

    event_type: str = ""
    actor_id: str | None = None
    target_type: str = ""
    target_id: str = ""
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Trails:
    """The trails of all companies, one company at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hear(self, transaction: Transaction, event: Event) -> None:
        """Write an event down."""
        await append(transaction, entry_of(event))

    async def add(self, entry: Entry) -> Entry:
        """Write an entry down, in its company."""
        async with self._database.company(entry.company_id) as transaction:
            return await append(transaction, entry)

    async def page(self, company_id: str, wanted: Wanted, page: Page) -> list[Entry]:
        """A page, the newest first, and one more where there are more."""
        time, id = page.before or (None, None)
        is_family = wanted.event_type.endswith(".")
        async with self._database.company(company_id) as transaction:
            rows = await transaction.fetch(
                f"{_SELECT} WHERE company_id = $1"
                " AND ($2 = '' OR event_type = $2 OR ($3 AND starts_with(event_type, $2)))"
                " AND ($4::uuid IS NULL OR actor_id = $4)"
                " AND ($5 = '' OR target_type = $5) AND ($6 = '' OR target_id = $6)"
                " AND ($7 = '' OR result = $7)"
                " AND ($8::timestamptz IS NULL OR timestamp >= $8)"
                " AND ($9::timestamptz IS NULL OR timestamp < $9)"
                " AND ($10::timestamptz IS NULL OR (timestamp, id) < ($10, $11::uuid))"
                " ORDER BY timestamp DESC, id DESC LIMIT $12",
                *(company_id, wanted.event_type, is_family, wanted.actor_id, wanted.target_type),
                *(wanted.target_id, wanted.result, wanted.since, wanted.until, time, id),
                page.size + 1,
            )
        return [entry_from(row) for row in rows]

    async def counts(
        self, company_id: str, since: datetime, until: datetime
    ) -> list[tuple[str, str, int, int]]:
        """Type, result, how many, and by how many people."""
        async with self._database.company(company_id) as transaction:
            rows = await transaction.fetch(
                "SELECT event_type, result, count(*), count(DISTINCT actor_id) FROM audit_events"
                " WHERE company_id = $1 AND timestamp >= $2 AND timestamp < $3"
                " GROUP BY event_type, result ORDER BY event_type, result",
                *(company_id, since, until),
            )
        return [tuple(row) for row in rows]

    async def broken_at(self, company_id: str) -> int:
        """As `Check.broken_at`, of what is kept of a company."""
        async with self._database.company(company_id) as transaction:
            end = await transaction.fetchrow(
                "SELECT sequence, hash FROM audit_trails WHERE company_id = $1", company_id
            )
            if end is None:
                return 0
            check = Check()
            cursor = transaction.cursor(
                f"{_SELECT} WHERE company_id = $1 AND sequence <= $2 ORDER BY sequence",
                *(company_id, end["sequence"]),
                prefetch=BATCH,
            )
            async for row in cursor:
                if check.is_broken_by(entry_from(row)):
                    break
        return check.broken_at(end["sequence"], end["hash"])

    async def keep(self, oldest: datetime) -> int:
        """Make the partitions that are needed, and drop what is older. How many were dropped."""
        async with self._database.platform() as transaction:
            return int(await transaction.fetchval("SELECT keep_partitions($1)", oldest))


async def append(transaction: Transaction, entry: Entry) -> Entry:
    """Put an entry behind the end of its trail."""
    end = await transaction.fetchrow(_END, entry.company_id, START)
    # As the database will give it back: the digest is of that. (It keeps no NUL.)
    given = json.dumps(entry.metadata, default=str).replace("\\u0000", "")
    kept = await transaction.fetchval("SELECT $1::jsonb::text", given)
    time = entry.timestamp.astimezone(UTC)
    read = msgspec.structs.replace(entry, timestamp=time, metadata=json.loads(kept))
    placed = follows(read, end["sequence"], end["hash"])
    values = [getattr(placed, name) for name in _NAMES]
    values[_NAMES.index("metadata")] = json.dumps(placed.metadata)
    await transaction.execute(_INSERT, *values, end["recorded_at"])
    await transaction.execute(
        "UPDATE audit_trails SET (sequence, hash) = ($2, $3) WHERE company_id = $1",
        *(placed.company_id, placed.sequence, placed.hash),
    )
    return placed


def entry_from(row: Any) -> Entry:
    """A row of the table."""
    found = dict(row)
    for name in ("id", "company_id", "actor_id"):
        found[name] = str(found[name]) if found[name] is not None else None
    found["metadata"] = json.loads(found["metadata"])
    return Entry(**found)
