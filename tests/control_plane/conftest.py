"""A migrated database for each test, with roles and a policy in it, and sidecars that decide by
it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from taskman_authz.policy import Role
from taskman_authz.store.postgres import Create, Database, PolicyWriter, Workshop, migrate
from tests.control_plane.asking import USER
from tests.policy.helpers import policy
from tests.sidecar.process import Process, Sidecar
from tests.store.postgres.states import query
from tools.servers import PostgreSQL

MAKE_USER = f"""DO $$ BEGIN
  CREATE ROLE {USER} LOGIN NOINHERIT;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$"""
VIEW = policy("view", roles=["dev"], actions=["tasks:view"], resources=["tasks/*"])


@pytest.fixture
async def dsn(database: str, postgresql: PostgreSQL) -> str:
    """How a service connects to a migrated database. Its user owns nothing there."""
    await migrate(database)
    await query(database, MAKE_USER)
    await query(database, f"GRANT authz_service, authz_platform TO {USER}")
    return postgresql.dsn(database.rpartition("/")[2], USER)


@pytest.fixture
async def workshop(dsn: str) -> AsyncIterator[Workshop]:
    """Where writers of the database work; developers may view tasks."""
    async with await Database.connect(dsn, size=4) as database:
        made = Workshop(database)
        await made.writer("user:root").write([Create(Role(name="dev")), Create(VIEW)])
        yield made


@pytest.fixture
def platform(workshop: Workshop) -> PolicyWriter:
    """The platform's writer."""
    return workshop.writer("user:root")


@pytest.fixture
def relay(dsn: str, amqp_url: str) -> Iterator[Callable[..., Process]]:
    """Starts processes that relay."""
    running: list[Process] = []

    def begin(*arguments: str) -> Process:
        made = Process(
            *("taskman_authz.cli", "relay", "--database", dsn),
            *("--amqp", amqp_url, "--log-format", "json", *arguments),
        )
        running.append(made)
        made.wait_for("relaying")
        return made

    yield begin
    for each in running:
        each.kill()


@pytest.fixture
def start(dsn: str) -> Iterator[Callable[..., Sidecar]]:
    """Starts sidecars that decide by the database."""
    running: list[Sidecar] = []

    def begin(*arguments: str) -> Sidecar:
        running.append(Sidecar(None, "--database", dsn, *arguments))
        return running[-1]

    yield begin
    for sidecar in running:
        sidecar.kill()
