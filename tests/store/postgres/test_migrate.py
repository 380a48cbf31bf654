"""Migrations are applied once each, in order, and a database that they do not fit is left alone."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from taskman_authz.errors import ArgumentError, StoreError
from taskman_authz.store.postgres import Database, PostgresStore, migrate, migrations_of
from taskman_authz.store.postgres.migrate import Migration, known
from tests.store.postgres.states import query

ONE = Migration(1, "one", "CREATE TABLE one (x int); CREATE TABLE another (x int);")
TWO = Migration(2, "two", "CREATE TABLE two (x int);")


async def test_what_is_applied_is_not_applied_again(database: str):
    assert await migrate(database, [ONE]) == [ONE]
    assert await migrate(database, [ONE, TWO]) == [TWO]
    assert await migrate(database, [ONE, TWO]) == []


async def test_all_of_the_package_are_applied_and_told(database: str):
    assert [each.applied_at for each in await migrations_of(database)] == [None] * len(known())
    assert await migrate(database) == known()
    assert all(each.applied_at for each in await migrations_of(database))


async def test_numbers_begin_at_one_and_have_no_gap():
    assert [each.number for each in known()] == list(range(1, len(known()) + 1))


async def test_who_comes_second_waits_and_finds_all_done(database: str):
    done = await asyncio.gather(*(migrate(database) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(known())]


async def test_migration_that_fails_leaves_nothing_of_it(database: str):
    broken = Migration(2, "broken", "CREATE TABLE half (x int); SELECT 1 / 0;")
    with pytest.raises(StoreError, match="division by zero"):
        await migrate(database, [ONE, broken])
    assert await migrate(database, [ONE, TWO]) == [TWO]
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    await connection.close()


async def test_who_shares_a_database_has_migrations_of_its_own(database: str):
    assert await migrate(database, [ONE, TWO]) == [ONE, TWO]
    another = Migration(1, "another", "CREATE TABLE more (x int);")
    assert await migrate(database, [another], "more_migrations") == [another]
    assert await migrate(database, [another], "more_migrations") == []
    assert await migrate(database, [ONE, TWO]) == []


async def test_changed_file_is_refused(database: str):
    await migrate(database, [ONE])
    other = msgspec.structs.replace(ONE, sql="CREATE TABLE one (x bigint);")
    with pytest.raises(StoreError, match="0001 one, applied at .*: its file was changed"):
        await migrate(database, [other, TWO])


async def test_database_of_a_later_version_is_refused(database: str):
    await migrate(database, [ONE, TWO])
    with pytest.raises(StoreError, match="0002 two, .*: the database is of a later version"):
        await migrate(database, [ONE])


async def test_migration_that_was_left_out_is_refused(database: str):
    await migrate(database, [TWO])
    with pytest.raises(StoreError, match="0001 one was left out"):
        await migrate(database, [ONE, TWO])


async def test_user_who_may_not_is_told_what_it_takes(database: str):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE ROLE nobody_much LOGIN")
    await connection.close()
    with pytest.raises(StoreError, match="permission denied.*let a user migrate who may"):
        await migrate(database.replace("postgres@", "nobody_much@"))


async def test_user_who_has_not_the_roles_is_told_how_to_get_them(migrated: str, postgresql):
    dsn = postgresql.dsn(migrated, "outsider")
    await query(postgresql.dsn(migrated), "CREATE ROLE outsider LOGIN")
    async with await Database.connect(dsn) as connected:
        with pytest.raises(StoreError, match="GRANT authz_service, authz_platform TO"):
            await PostgresStore(connected).load()


async def test_database_without_tables_says_what_to_run(database: str):
    async with await Database.connect(database) as connected:
        with pytest.raises(StoreError, match="taskman-authz db migrate"):
            await PostgresStore(connected).load()


async def test_password_is_in_no_message():
    for dsn in ("mysql://me:s3cret@localhost/x", "postgresql://me:s3cret@127.0.0.1:1/x"):
        with pytest.raises((StoreError, ArgumentError)) as caught:
            await Database.connect(dsn)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(ArgumentError) as refused:
        await migrate("postgresql://me:s3cret@127.0.0.1:port/x")
    assert "s3cret" not in str(refused.value)
