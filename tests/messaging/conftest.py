"""An outbox in a database of the test's own, and a topology in a virtual host of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from taskman_authz.messaging import Link, Queue, Topology
from taskman_authz.messaging.postgres import TABLES
from tools.servers import RabbitMQ

PATIENCE = 60.0  # seconds until a test gives up waiting
QUEUE = Queue("audit.iam", {"iam.events": ("iam.#",)})
TOPOLOGY = Topology(("iam.events", "task.events"), (QUEUE,))


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to a database with an outbox, an inbox, and a table of effects."""
    async with asyncpg.create_pool(database, min_size=1, max_size=8) as made:
        await made.execute(TABLES)
        await made.execute("CREATE TABLE effects (id text)")
        yield made


@pytest.fixture
async def link(amqp_url: str) -> Link:
    """A link to a broker that has the topology."""
    made = Link(amqp_url)
    await made.once(TOPOLOGY.declare)
    return made


async def until(holds: Callable[[], object], otherwise: str = "it did not come") -> None:
    """Let others work until something holds."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(otherwise) from None


async def until_on_disk(rabbitmq: RabbitMQ, amqp_url: str, queue: Queue) -> None:
    """Wait until the broker has written down that there is a quorum queue with the one beside it,
    which it does some time after it has confirmed them; killed before, it starts without them."""
    name = f"{amqp_url.rpartition('/')[2]}_{queue.name}"

    def are_there() -> bool:
        (file,) = rabbitmq.folder.glob("mnesia/*/quorum/*/names.dets")
        written = file.read_bytes()
        aside = written.count(f"{name}.dlq".encode())
        return aside > 0 and written.count(name.encode()) > aside

    await until(are_there, "the broker did not write its queues down")
