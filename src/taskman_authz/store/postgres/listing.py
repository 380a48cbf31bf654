"""Single items and pages of them, as the transaction sees them.

Law: a page goes on where the one before ended (by name, then UUID), whatever was written meanwhile;
nothing is counted and nothing is skipped by number.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from ...decision import Effect
from ...errors import ArgumentError, require
from .items import Item, Key, Kind, Stored
from .reading import DOCUMENTS, POLICIES, ROLES, document_of, policy_of, role_of

if TYPE_CHECKING:
    from asyncpg import Record

    from .connecting import Connection


class Entry(msgspec.Struct, frozen=True):
    """An item with its company ("" is every one), the UUID of its row, and its times."""

    company: str
    uuid: str
    item: Item
    created_at: datetime
    updated_at: datetime


class Page(msgspec.Struct, frozen=True):
    """Some entries, and what to ask the next page with; "" on the last one."""

    entries: tuple[Entry, ...]
    next: str = ""


class Filter(msgspec.Struct, frozen=True):
    """What a page is of; what is not said does not matter. `company`: "" is of every company.
    `text` is a part of the id or name. The others ask of policies: `role` is one that it is
    attached to, `action` a part of one of its actions."""

    company: str | None = None
    text: str = ""
    effect: Effect | None = None
    role: str = ""
    action: str = ""


ALL = Filter()


class _Table(msgspec.Struct, frozen=True):
    """How a kind is read: the query, the letter of its table there, the column of its name."""

    query: str
    letter: str
    name: str
    read: Callable[[Record], tuple[Key, Stored]]

    @property
    def column(self) -> str:
        return f"{self.letter}.{self.name}"


_TABLES: dict[Kind, _Table] = {
    "policy": _Table(POLICIES, "p", "slug", policy_of),
    "role": _Table(ROLES, "r", "name", role_of),
    "document": _Table(DOCUMENTS, "d", "name", document_of),
}


def _table(kind: Kind) -> _Table:
    if kind not in _TABLES:
        raise ArgumentError("kind", "`policy`, `role` or `document`", "something else")
    return _TABLES[kind]


async def find(connection: Connection, key: Key) -> Entry | None:
    """The item of a key."""
    table = _table(key.kind)
    row = await connection.fetchrow(
        f"{table.query} WHERE {table.column} = $1 AND {table.letter}.company_id"
        " IS NOT DISTINCT FROM $2",
        *(key.name, key.company or None),
    )
    return None if row is None else _entry(table, row)


async def page(connection: Connection, kind: Kind, filter: Filter, after: str, size: int) -> Page:
    """Up to `size` entries behind `after`. Raises ArgumentError for what no page gave as that."""
    if type(size) is not int or size < 1:
        raise ArgumentError("size", "a whole number from 1", "something else")
    require("filter", filter, Filter, "a Filter")
    table = _table(kind)
    given: list[Any] = []
    conditions = list(_conditions(table, kind, filter, given))
    if after:
        name, uuid = _read_cursor(after)
        given += (name, uuid)
        conditions.append(
            f"({table.column}, {table.letter}.id) > (${len(given) - 1}, ${len(given)})"
        )
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    given.append(size + 1)
    order = f" ORDER BY {table.column}, {table.letter}.id LIMIT ${len(given)}"
    rows = await connection.fetch(f"{table.query}{where}{order}", *given)
    more = len(rows) > size
    next = _cursor(rows[size - 1][table.name], rows[size - 1]["id"]) if more else ""
    return Page(tuple(_entry(table, row) for row in rows[:size]), next)


def _conditions(table: _Table, kind: Kind, filter: Filter, given: list[Any]) -> list[str]:
    """What holds of the rows that are wanted; `given` gets its parameters."""

    def place(value: Any) -> str:
        given.append(value)
        return f"${len(given)}::text"

    found = []
    if filter.company is not None:
        wanted = place(filter.company or None)
        found.append(f"{table.letter}.company_id IS NOT DISTINCT FROM {wanted}")
    if filter.text:
        found.append(f"position({place(filter.text)} in {table.column}) > 0")
    if kind == "policy":
        if filter.effect is not None:
            found.append(f"p.effect = {place(filter.effect)}")
        if filter.action:
            part = place(filter.action)
            found.append(
                f"EXISTS (SELECT FROM unnest(p.actions) a WHERE position({part} in a) > 0)"
            )
        if filter.role:
            found.append(_has_role(place(filter.role), filter.role))
    return found


def _has_role(place: str, role: str) -> str:
    if role == "*":
        return f"(p.everyone AND {place} = '*')"
    return (
        f"({place} = ANY(p.derived_roles) OR EXISTS (SELECT FROM role_policies a"
        f" JOIN roles r ON r.id = a.role_id WHERE a.policy_id = p.id AND r.name = {place}))"
    )


def _entry(table: _Table, row: Record) -> Entry:
    key, (uuid, item) = table.read(row)
    return Entry(key.company, uuid, item, row["created_at"], row["updated_at"])


def _cursor(name: str, uuid: UUID) -> str:
    return base64.urlsafe_b64encode(uuid.bytes + name.encode()).decode()


def _read_cursor(text: str) -> tuple[str, UUID]:
    try:
        data = base64.b64decode(text.encode(), b"-_", validate=True)
        name = data[16:].decode()
        if "\0" in name:
            raise ValueError
        return name, UUID(bytes=data[:16])
    except (ValueError, AttributeError) as error:
        raise ArgumentError("after", "the `next` of a page", "another text") from error
