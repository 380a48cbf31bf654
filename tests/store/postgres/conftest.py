"""A migrated database for each test, and a user who owns nothing in it, as a service has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from taskman_authz.store.postgres import Database, PolicyWriter, Workshop, migrate
from tests.store.postgres.states import query
from tools.servers import PostgreSQL, Stack

NAME = "authz_db"
USER = "service"
NOTHING = "TRUNCATE policies, roles, role_policies, documents, revisions, changes, outbox"


@pytest.fixture(scope="session")
def migrated(servers: Stack) -> str:
    """The name of a migrated database. All tests of the store have this one, each empty: that takes
    a tenth of the time of a new one."""
    server = servers.postgresql
    server.create_database(NAME)
    asyncio.run(_migrate(server.dsn(NAME)))
    return NAME


async def _migrate(dsn: str) -> None:
    await migrate(dsn)
    await query(dsn, f"CREATE ROLE {USER} LOGIN NOINHERIT")
    await query(dsn, f"GRANT authz_service, authz_platform TO {USER}")


@pytest.fixture
async def policies_database(migrated: str, postgresql: PostgreSQL) -> str:
    """The name of a migrated database with nothing in it."""
    await query(postgresql.dsn(migrated), NOTHING)
    return migrated


@pytest.fixture
def dsn(policies_database: str, postgresql: PostgreSQL) -> str:
    """How a service connects to it."""
    return postgresql.dsn(policies_database, USER)


@pytest.fixture
def owner_dsn(policies_database: str, postgresql: PostgreSQL) -> str:
    """How the superuser does."""
    return postgresql.dsn(policies_database)


@pytest.fixture
async def workshop(dsn: str) -> AsyncIterator[Workshop]:
    """Where writers of the database work."""
    async with await Database.connect(dsn, size=4) as database:
        yield Workshop(database)


@pytest.fixture
def platform(workshop: Workshop) -> PolicyWriter:
    """The platform's writer."""
    return workshop.writer("user:root")


@pytest.fixture
def acme(workshop: Workshop) -> PolicyWriter:
    """The writer of one company."""
    return workshop.writer("user:ann", "acme")


@pytest.fixture
def globex(workshop: Workshop) -> PolicyWriter:
    """The writer of another one."""
    return workshop.writer("user:gus", "globex")
