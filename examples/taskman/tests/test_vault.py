"""Secrets and users of databases come from Vault, and change while a service runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from taskman.chassis.errors import Denied
from taskman.chassis.service import Definition, Service
from taskman.user.app import SERVICE_DEFINITION
from taskman.user.v1 import user_pb2 as wire
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import World, call, somebody, until
from tests.house.source import ROOT
from tests.sidecar.vault import VaultServer

pytestmark = pytest.mark.asyncio
SOURCES = ROOT / "examples" / "taskman" / "src"


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[VaultServer]:
    server = VaultServer()
    monkeypatch.setenv("HOME", str(tmp_path))  # no token of whoever runs this
    monkeypatch.setenv("VAULT_ADDR", server.url)
    monkeypatch.setenv("VAULT_TOKEN", server.give())
    yield server
    server.stop()


def statement(name: str, password: str) -> str:
    """As a role of Vault's database engine has it (`creation_statements`)."""
    return (
        f"CREATE ROLE \"{name}\" WITH LOGIN PASSWORD '{password}' VALID UNTIL 'infinity';"
        f' GRANT taskman_service, taskman_platform TO "{name}";'
    )


async def test_a_service_is_a_user_that_vault_makes_and_another_one_when_that_ends(
    blank: World, vault: VaultServer
):
    vault.lease, vault.longest = 1, 2
    vault.kept["secret/taskman"] = {"service": "s" * 64}
    settings = blank.settings()
    owner = settings.postgres_dsn.get_secret_value()
    made: list[str] = []

    def make(name: str, password: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(owner)
            await connection.execute(statement(name, password))
            await connection.close()

        asyncio.run(run())  # in the thread of the server
        made.append(name)

    vault.make_user = make
    try:
        await used(blank, owner, vault)
    finally:
        connection = await asyncpg.connect(owner)
        for name in made:
            await connection.execute(f'DROP ROLE IF EXISTS "{name}"')
        await connection.close()
        await blank.close()


async def used(blank: World, owner: str, vault: VaultServer) -> None:
    given = {"postgres_role": "database/user-service", "migration_dsn": owner}
    secret = {"service_secret": "vault:secret/taskman#service"}
    settings = blank.settings(**given, **secret)
    assert settings.service_secret.get_secret_value() == "s" * 64
    settings = settings.model_copy(update={"postgres_dsn": settings.migration_dsn})
    definition: Definition = SERVICE_DEFINITION
    async with Service(definition, settings) as service:
        stub = UserServiceStub(await blank.channel(service.address))

        async def who() -> str:
            async with service.database.platform() as transaction:
                return str(await transaction.fetchval("SELECT session_user"))

        first = await who()
        assert first in vault.users

        async def is_another() -> bool:
            return await who() != first

        await until(is_another)
        assert await who() in vault.users
        with pytest.raises(Denied):  # and the database answers
            await call(stub.ListUsers, wire.ListUsersRequest(), somebody("viewer"))


async def test_a_secret_that_is_not_in_vault_is_named(vault: VaultServer):
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "TASKMAN_REDIS_URL": "redis://x"}
    environment |= {"TASKMAN_POSTGRES_DSN": "vault:secret/none#dsn", "TASKMAN_AMQP_URL": "amqp://x"}
    command = [sys.executable, "-m", "taskman", "user"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("TASKMAN_POSTGRES_DSN vault:secret/none#dsn: InvalidPath")
