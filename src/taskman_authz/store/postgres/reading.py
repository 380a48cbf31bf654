"""Rows → items, and whole states of them.

Law: one transaction reads all of a state, so that it is the one of one revision.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from .items import Key, State, Stored, stored

if TYPE_CHECKING:
    from asyncpg import Record

    from .connecting import Connection

POLICIES = """
SELECT p.*, ARRAY(
  SELECT r.name FROM role_policies a JOIN roles r ON r.id = a.role_id WHERE a.policy_id = p.id
) AS roles
FROM policies p"""
ROLES = "SELECT r.* FROM roles r"
DOCUMENTS = "SELECT d.* FROM documents d"
# All attachments at once: a look-up for each of a hundred thousand policies takes longer.
ALL_POLICIES = """
SELECT p.*, coalesce(a.roles, '{}') AS roles
FROM policies p LEFT JOIN (
  SELECT a.policy_id, array_agg(r.name) AS roles
  FROM role_policies a JOIN roles r ON r.id = a.role_id GROUP BY a.policy_id
) a ON a.policy_id = p.id"""


async def state_of(connection: Connection) -> State:
    """Everything that the transaction sees. Raises StoreError for rows that are no items."""
    policies = await connection.fetch(ALL_POLICIES)
    roles = await connection.fetch(ROLES)
    documents = await connection.fetch(DOCUMENTS)

    def items() -> State:
        found = (map(policy_of, policies), map(role_of, roles), map(document_of, documents))
        return dict(chain(*found))

    return await asyncio.to_thread(items)


def policy_of(row: Record) -> tuple[Key, Stored]:
    """The policy of a row that has its `roles` too."""
    key = Key("policy", row["company_id"] or "", row["slug"])
    data = {
        "id": row["slug"],
        "effect": row["effect"],
        "actions": row["actions"],
        "resources": row["resources"],
        "overridable": row["overridable"],
        "imports": row["imports"],
        "lint_ignore": row["lint_ignore"],
        "roles": [*row["roles"], *row["derived_roles"], *(["*"] if row["everyone"] else [])],
    }
    # An empty text is none, which a document would leave out.
    data |= {name: row[name] for name in ("name", "description", "condition") if row[name]}
    return key, stored(key, str(row["id"]), data)


def role_of(row: Record) -> tuple[Key, Stored]:
    """The role of a row."""
    key = Key("role", row["company_id"] or "", row["name"])
    data = {name: row[name] for name in ("name", "description", "lint_ignore")}
    return key, stored(key, str(row["id"]), data)


def document_of(row: Record) -> tuple[Key, Stored]:
    """The document of a row."""
    key = Key("document", row["company_id"] or "", row["name"])
    data = {"name": row["name"], **msgspec.json.decode(row["content"])}
    return key, stored(key, str(row["id"]), data)
