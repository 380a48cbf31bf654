"""PostgreSQL, Redis and RabbitMQ for tests: one stack a run, and in it something fresh a test.

Laws: only what a test asks for is started. A test may stop, kill or freeze what it was given: the
next one finds it serving. Where a server cannot be had the test is skipped and says what is
missing; never in CI.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tools.servers import PostgreSQL, RabbitMQ, Redis, Stack, missing

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Stack]:
    """The stack of this run. Whoever restarts a server asks it for more than `database`,
    `redis_url` and `amqp_url`."""
    lacking = missing()
    if lacking and not os.environ.get("CI"):
        pytest.skip(f"missing here: {', '.join(lacking)}; as root tools/bootstrap.sh servers")
    with Stack() as stack:
        yield stack


@pytest.fixture
def postgresql(servers: Stack) -> PostgreSQL:
    """PostgreSQL, serving."""
    return servers.postgresql


@pytest.fixture
def database(postgresql: PostgreSQL) -> Iterator[str]:
    """The DSN of a new and empty database, as the superuser."""
    name = f"test_{next(_numbers)}"
    postgresql.create_database(name)
    yield postgresql.dsn(name)
    postgresql.revive()
    postgresql.drop_database(name)


@pytest.fixture
def redis_server(servers: Stack) -> Redis:
    """Redis, serving, with nothing in it."""
    server = servers.redis
    server.empty()
    return server


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The URL of an empty Redis."""
    return redis_server.url()


@pytest.fixture
def rabbitmq(servers: Stack) -> RabbitMQ:
    """RabbitMQ, serving."""
    return servers.rabbitmq


@pytest.fixture
def amqp_url(rabbitmq: RabbitMQ) -> str:
    """The URL of a new virtual host. It ends with the stack: a broker that a test has just started
    again cannot delete queues that have no leader yet."""
    name = f"test-{next(_numbers)}"
    rabbitmq.api("PUT", f"vhosts/{name}")
    return rabbitmq.url(name)


def mark(items: list[pytest.Item]) -> None:
    """Give every test that needs a server its mark."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.servers)
