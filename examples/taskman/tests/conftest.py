"""Services that run in this process on real servers, callers with tokens, and events as they come.

A module's services share a database and a virtual host; each test has companies of its own, so that
what one does another does not see, which is a promise of the services too.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import aio_pika
import grpc
import jwt
import pytest
from taskman.chassis.errors import error_of
from taskman.chassis.service import Definition, Service
from taskman.chassis.settings import Settings

from taskman_authz.cli import main
from taskman_authz.messaging import Event
from tests.servers import fixtures
from tests.servers.fixtures import servers  # noqa: F401  fixtures are found by their names here
from tests.sidecar.process import Sidecar
from tools.servers import Stack

PATIENCE = 30.0  # seconds until a test gives up waiting
SECRET = secrets.token_hex(32)
JWT_SECRET = secrets.token_hex(32)
POLICIES = "policies/taskman"
_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    fixtures.mark(items)


class Who(NamedTuple):
    """A user who calls."""

    id: str
    company_id: str
    roles: tuple[str, ...]
    mfa: bool = False  # a second factor was asked for

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "sub": self.id,
            "company_id": self.company_id,
            "roles": list(self.roles),
        }
        claims |= {"amr": ["pwd", "mfa"] if self.mfa else ["pwd"]}
        claims |= {"aud": "taskman", "jti": str(uuid.uuid4()), "iat": now, "exp": now + 600}
        return (("authorization", f"Bearer {jwt.encode(claims, JWT_SECRET, 'HS256')}"),)

    def colleague(self, *roles: str) -> Who:
        return Who(str(uuid.uuid4()), self.company_id, roles)


def somebody(*roles: str) -> Who:
    """A user of a new company."""
    return Who(str(uuid.uuid4()), str(uuid.uuid4()), roles)


def service_metadata(name: str, company_id: str = "") -> tuple[tuple[str, str], ...]:
    from taskman.chassis.caller import Tokens
    from taskman.chassis.keys import Secret

    token = Tokens(name, SECRET, Secret(JWT_SECRET)).own(company_id)
    return (("authorization", f"Bearer {token}"),)


async def call(method: Any, request: Any, who: Who | Any = ()) -> Any:
    """What a method answers; what it raises is the class that the service raised."""
    metadata = who.metadata if isinstance(who, Who) else who
    try:
        return await method(request, metadata=metadata, timeout=PATIENCE)
    except grpc.aio.AioRpcError as error:
        raise error_of(error) from error


class Heard:
    """The events of some exchanges, as they come."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._came = asyncio.Condition()

    async def take(self, message: Any) -> None:
        async with message.process():
            assert message.routing_key == Event.decode(message.body).type
            async with self._came:
                self.events.append(Event.decode(message.body))
                self._came.notify_all()

    async def one(self, type: str, holds: Callable[[Event], object] = lambda _: True) -> Event:
        """The first event of a type of which something holds, once it is there."""

        def found() -> list[Event]:
            return [each for each in self.events if each.type == type and holds(each)]

        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(found)
        return found()[0]


class World:
    """What services of a module run on: a database each, one virtual host, one Redis."""

    def __init__(self, stack: Stack) -> None:
        self._servers = stack
        self._host = f"taskman-{next(_numbers)}"
        self._databases: list[str] = []
        self._stack = AsyncExitStack()
        stack.redis.empty()
        stack.rabbitmq.api("PUT", f"vhosts/{self._host}")

    @property
    def amqp_url(self) -> str:
        return self._servers.rabbitmq.url(self._host)

    def settings(self, kind: type[Settings] = Settings, **more: Any) -> Any:
        """Settings of a service with a database of its own."""
        name = f"taskman_{next(_numbers)}"
        self._servers.postgresql.create_database(name)
        self._databases.append(name)
        given: dict[str, Any] = {
            "postgres_dsn": self._servers.postgresql.dsn(name),
            "redis_url": self._servers.redis.url(next(_numbers) % 16),
            "amqp_url": self.amqp_url,
            "authz": f"embedded:{POLICIES}",
            "service_secret": SECRET,
            "jwt_algorithm": "HS256",
            "jwt_secret": JWT_SECRET,
            "log_level": "error",
            "stop_grace": 1,
        }
        return kind(**given | more)

    async def start(self, definition: Definition, **more: Any) -> Service:
        """A service that runs until the module ends."""
        settings = self.settings(definition.settings, **more)
        return await self._stack.enter_async_context(
            (definition.kind or Service)(definition, settings)
        )

    async def decision_point(self, token: str) -> Sidecar:
        """One that is administered by who shows a token, by the task manager's policies."""
        dsn = self.settings().postgres_dsn.get_secret_value()
        for command in (["db", "migrate"], ["db", "import", POLICIES]):
            assert await asyncio.to_thread(main, [*command, "--dsn", dsn]) == 0, command
        made = await asyncio.to_thread(
            Sidecar, None, "--database", dsn, "--administration", "true",
            "--administration-callers", "token:iam", "--tokens", f"iam {token}",
            "--reload-interval", "0.2", "--amqp", self.amqp_url, "--relay", "true",
        )  # fmt: skip
        self._stack.callback(made.kill)
        return made

    async def channel(self, address: str) -> grpc.aio.Channel:
        return await self._stack.enter_async_context(grpc.aio.insecure_channel(address))

    async def hear(self, *exchanges: str) -> Heard:
        """Events of exchanges from now on. Before a service starts, so that none is missed."""
        heard = Heard()
        connection = await aio_pika.connect(self.amqp_url)
        self._stack.push_async_callback(connection.close)
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        for name in exchanges:
            exchange = await channel.declare_exchange(name, "topic", durable=True)
            await queue.bind(exchange, "#")
        await queue.consume(heard.take)
        return heard

    async def tell(self, exchange: str, event: Event, times: int = 1) -> None:
        """An event, so often, as some service tells it."""
        async with await aio_pika.connect(self.amqp_url) as connection:
            to = await (await connection.channel()).get_exchange(exchange)
            for _ in range(times):
                message = aio_pika.Message(event.encode(), message_id=event.id)
                await to.publish(message, event.type, mandatory=True)

    async def close(self) -> None:
        await self._stack.aclose()
        self._servers.postgresql.revive()
        for name in self._databases:
            self._servers.postgresql.drop_database(name)


@pytest.fixture(scope="module")
def blank(servers: Stack) -> Iterator[World]:  # noqa: F811  the fixture
    """A world without services, for `world` to close in its own loop."""
    yield World(servers)


async def known(
    service: Service, *roles: str, company_id: str = "", department: str = "engineering"
) -> Who:
    """A user whom the user service `service` has, as a company's first one comes: by its database,
    as no admin is there yet to add them. Their address is `{id}@example.com`."""
    who = Who(str(uuid.uuid4()), company_id or str(uuid.uuid4()), roles)
    async with service.database.company(who.company_id) as transaction:
        await transaction.execute(
            "INSERT INTO users (id, email, username, company_id, department)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(who.id, f"{who.id}@example.com", who.id, who.company_id, department),
        )
        await transaction.execute(
            "INSERT INTO user_preferences (user_id, company_id) VALUES ($1, $2)",
            *(who.id, who.company_id),
        )
    return who


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something that is awaited holds."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.02)


Worlds = AsyncIterator[World]
