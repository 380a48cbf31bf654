"""What was: revisions, their changes, and the way back to one.

Law: the state at a revision is the current one with every item that changed since as it was before
the first of these changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from .edits import Change, Verb, changes_between
from .items import Key, State, Stored, stored_image

if TYPE_CHECKING:
    from .connecting import Connection

FIRST_CHANGES = """
SELECT DISTINCT ON (kind, company_id, name) kind, company_id, name, before FROM changes
WHERE revision > $1 AND ($2::text = '' OR company_id = $2)
ORDER BY kind, company_id, name, revision"""


CHANGES_SINCE = """
SELECT kind, company_id, name, after FROM changes WHERE revision > $1
ORDER BY revision, position"""


class Revision(msgspec.Struct, frozen=True):
    """A write: when, by whom, and what became of which item, as far as the reader sees it.
    `company` is the writer's, "" the platform's."""

    number: int
    content_hash: str
    actor: str
    company: str
    note: str
    at: datetime
    items: tuple[tuple[Verb, Key], ...]


async def last_seen(connection: Connection, company: str) -> int:
    """The last revision in which something changed that a company sees; the transaction is the
    platform's."""
    found = await connection.fetchval(
        "SELECT greatest((SELECT max(revision) FROM changes WHERE company_id IS NULL),"
        " (SELECT max(revision) FROM changes WHERE company_id = $1))",
        company,
    )
    return found or 0


async def revisions(connection: Connection, before: int | None, size: int) -> list[Revision]:
    """The newest revisions of those before a number, with what the transaction sees of them."""
    rows = await connection.fetch(
        "SELECT * FROM revisions WHERE $1::bigint IS NULL OR number < $1"
        " ORDER BY number DESC LIMIT $2",
        *(before, size),
    )
    changes = await connection.fetch(
        "SELECT revision, kind, company_id, name,"
        " before IS NULL AS is_new, after IS NULL AS is_gone FROM changes"
        " WHERE revision = ANY($1) ORDER BY revision, position",
        [row["number"] for row in rows],
    )
    items: dict[int, list[tuple[Verb, Key]]] = {}
    for row in changes:
        verb: Verb = "created" if row["is_new"] else "deleted" if row["is_gone"] else "updated"
        key = Key(row["kind"], row["company_id"] or "", row["name"])
        items.setdefault(row["revision"], []).append((verb, key))
    return [
        Revision(
            *(row["number"], row["content_hash"], row["actor"], row["company_id"] or ""),
            *(row["note"], row["created_at"], tuple(items.get(row["number"], ()))),
        )
        for row in rows
    ]


async def changes_since(connection: Connection, revision: int, state: State) -> list[Change]:
    """What led from the state of a revision to the current one; the transaction is the platform's.
    Raises StoreError."""
    then: dict[Key, Stored | None] = {}
    for row in await connection.fetch(CHANGES_SINCE, revision):
        key = Key(row["kind"], row["company_id"] or "", row["name"])
        then[key] = None if row["after"] is None else stored_image(key, row["after"])
    return changes_between({key: state.get(key) for key in then}, then)


async def changes_back(
    connection: Connection, revision: int, state: State, company: str
) -> list[Change]:
    """What leads from the current state back to that of a revision, of a company's items or
    ("") of all; the transaction is the platform's. Raises StoreError."""
    now: dict[Key, Stored | None] = {}
    then: dict[Key, Stored | None] = {}
    for row in await connection.fetch(FIRST_CHANGES, revision, company):
        key = Key(row["kind"], row["company_id"] or "", row["name"])
        now[key] = state.get(key)
        then[key] = None if row["before"] is None else stored_image(key, row["before"])
    return changes_between(now, then)
