"""What tests of the database look at: what is stored, compiled from scratch, and rows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from taskman_authz.policy import PolicySet, Role, compile_documents
from taskman_authz.store.postgres import Database, PostgresStore, Snapshot, Workshop
from tests.policy.helpers import policy

PATIENCE = 30.0  # seconds
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"

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


@contextlib.asynccontextmanager
async def held(owner_dsn: str, statement: str) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that holds what a statement locks."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute("BEGIN")
        await connection.execute(statement)
        yield connection
    finally:
        connection.terminate()


async def backend_that_waits(owner_dsn: str) -> int:
    """The process of the connection that waits for a lock, once there is one."""
    end = time.monotonic() + PATIENCE
    while True:
        rows = await query(owner_dsn, WAITING, owner_dsn.rpartition("/")[2])
        if rows:
            return rows[0]["pid"]
        assert time.monotonic() < end, "nobody waits"
        await asyncio.sleep(0.01)
