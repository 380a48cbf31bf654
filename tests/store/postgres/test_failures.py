"""Whatever becomes of the database while something is written: all of it is there, or nothing."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from taskman_authz.errors import StoreError
from taskman_authz.limits import DEFAULT
from taskman_authz.store.postgres import Create, Database, PolicyWriter, Workshop
from taskman_authz.store.postgres.writer import LOCK
from tests.policy.helpers import policy
from tests.store.postgres.states import (
    DEV,
    POLICY,
    backend_that_waits,
    content_hash,
    counts,
    held,
    query,
)
from tools.servers import PostgreSQL


@pytest.mark.parametrize("table", ["roles", "role_policies", "revisions", "changes", "outbox"])
async def test_write_whose_connection_dies_leaves_nothing(
    platform: PolicyWriter, workshop: Workshop, owner_dsn: str, table: str
):
    await platform.create(policy("first"))
    before = await counts(owner_dsn)
    async with held(owner_dsn, f"LOCK TABLE {table} IN SHARE MODE"):  # reads go on
        writing = asyncio.create_task(platform.write([Create(DEV), Create(POLICY)]))
        pid = await backend_that_waits(owner_dsn)
        await query(owner_dsn, "SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(StoreError, match="the connection to the database was lost"):
            await writing
    assert await counts(owner_dsn) == before
    written = await platform.write([Create(DEV), Create(POLICY)])
    assert (written.revision, written.content_hash) == (2, await content_hash(workshop))


async def test_write_in_a_database_that_is_killed_leaves_nothing(
    platform: PolicyWriter, workshop: Workshop, owner_dsn: str, postgresql: PostgreSQL
):
    await platform.create(policy("first"))
    before = await counts(owner_dsn)
    async with held(owner_dsn, "LOCK TABLE outbox IN SHARE MODE"):
        writing = asyncio.create_task(platform.write([Create(DEV), Create(POLICY)]))
        await backend_that_waits(owner_dsn)
        postgresql.kill()
        with pytest.raises(StoreError):
            await writing
    with pytest.raises(StoreError):
        await platform.history()
    postgresql.start()
    assert await counts(owner_dsn) == before
    assert (await platform.write([Create(DEV), Create(POLICY)])).revision == 2


async def test_database_that_says_nothing_is_not_waited_for_for_ever(
    dsn: str, postgresql: PostgreSQL
):
    limits = msgspec.structs.replace(DEFAULT, database_seconds=1)
    async with await Database.connect(dsn, size=1, limits=limits) as database:
        writer = Workshop(database).writer("user:1")
        await writer.create(policy("a"))
        postgresql.freeze()
        try:
            with pytest.raises(StoreError, match="does not answer in time"):
                await writer.create(policy("b"))
        finally:
            postgresql.thaw()
        assert (await writer.create(policy("b"))).revision == 2


async def test_turn_that_does_not_come_is_told(dsn: str, owner_dsn: str):
    limits = msgspec.structs.replace(DEFAULT, database_seconds=1)
    async with (
        await Database.connect(dsn, size=1, limits=limits) as database,
        held(owner_dsn, f"SELECT pg_advisory_xact_lock({LOCK})"),
    ):
        with pytest.raises(StoreError, match="another write is taking too long"):
            await Workshop(database).writer("user:1").create(policy("a"))


async def test_rows_that_somebody_wrote_by_hand_are_not_built_on(
    platform: PolicyWriter, workshop: Workshop, owner_dsn: str
):
    await platform.create(policy("a"))
    await query(owner_dsn, "UPDATE policies SET effect = 'deny'")
    with pytest.raises(StoreError, match="what is stored is not revision 1"):
        await Workshop(workshop.database).writer("user:1").create(policy("b"))
    adopted = await Workshop(workshop.database).writer("user:1").adopt()
    assert (adopted.revision, adopted.content_hash) == (2, await content_hash(workshop))
    assert (await counts(owner_dsn))["outbox"] == 2
    assert await platform.adopt() == adopted
    await platform.create(policy("c"))
    await query(owner_dsn, "UPDATE policies SET condition = 'x +'")
    with pytest.raises(StoreError, match="what is stored does not compile"):
        await Workshop(workshop.database).writer("user:1").create(policy("b"))
