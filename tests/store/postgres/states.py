"""What tests of the database look at: what is stored, compiled from scratch, and rows."""

from __future__ import annotations

from typing import Any

import asyncpg

from taskman_authz.policy import PolicySet, Role, compile_documents
from taskman_authz.store.postgres import Database, PostgresStore, Snapshot, Workshop
from tests.policy.helpers import policy

POLICY = policy("edits", roles=["dev"], actions=["tasks:edit"], resources=["tasks/*"])
DEV = Role(name="dev")


async def from_scratch(database: Database) -> tuple[Snapshot, PolicySet]:
    """What a decision point loads and compiles, which must be what the revision says."""
    snapshot = await PostgresStore(database).load()
    policies = compile_documents(snapshot.documents)
    assert policies.revision == snapshot.content_hash
    return snapshot, policies


async def content_hash(workshop: Workshop) -> str:
    """The hash of what is stored, compiled from scratch."""
    return (await from_scratch(workshop.database))[1].revision


async def query(dsn: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
    """What a query gives, on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(sql, *arguments)
    finally:
        await connection.close()


async def counts(owner_dsn: str) -> dict[str, int]:
    """How many rows each table has."""
    tables = ("policies", "roles", "role_policies", "documents", "revisions", "changes", "outbox")
    columns = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    return dict((await query(owner_dsn, f"SELECT {columns}"))[0])
