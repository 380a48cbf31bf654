"""Promises while servers are killed: an event has its effect once, and no write is half there."""

from __future__ import annotations

import asyncio

import asyncpg

from taskman_authz.messaging import Consumer, Event, Link, Queue, Topology
from taskman_authz.messaging.postgres import is_first
from taskman_authz.store.postgres import Database, PostgresStore, Put
from tests.control_plane.asking import PATIENCE, allowed, persist
from tests.messaging.conftest import until_on_disk
from tests.policy.helpers import policy
from tests.store.postgres.states import query

QUEUE = Queue("audit.iam", {"iam.events": ("iam.#",)})
TOPOLOGY = Topology(("iam.events",), (QUEUE,))
WRITES = 1_000
INBOX = """CREATE TABLE inbox (consumer text, id text, PRIMARY KEY (consumer, id));
CREATE TABLE effects (id text)"""


async def test_events_of_writes_have_their_effect_once_though_servers_are_killed(
    database, dsn, platform, start, relay, amqp_url, rabbitmq, postgresql
):
    await Link(amqp_url).once(TOPOLOGY.declare)
    await until_on_disk(rabbitmq, amqp_url, QUEUE)
    await query(database, INBOX.partition(";")[0])
    await query(database, INBOX.partition(";")[2])
    sidecar = start("--amqp", amqp_url, "--relay", "true", "--reload-interval", "0.2")
    relay()

    async def handle(event: Event) -> None:
        connection = await asyncpg.connect(database)
        try:
            async with connection.transaction():
                if await is_first(connection, "audit", event):
                    await connection.execute("INSERT INTO effects VALUES ($1)", event.id)
        finally:
            await connection.close()

    task = asyncio.create_task(Consumer(QUEUE, handle, Link(amqp_url), TOPOLOGY).run())
    try:
        for number in range(WRITES):
            if number == WRITES // 3:
                await asyncio.to_thread(rabbitmq.kill)
            if number == WRITES // 2:
                await asyncio.to_thread(rabbitmq.revive)
            if number == 2 * WRITES // 3:
                await asyncio.to_thread(postgresql.kill)
                assert allowed(sidecar, "tasks:view")
                await asyncio.to_thread(postgresql.revive)
            one = policy(f"p{number}", roles=["dev"], actions=["tasks:edit"], resources=["tasks/*"])
            await persist(lambda one=one: platform.write([Put(one)]))
        async with asyncio.timeout(2 * PATIENCE):
            while True:
                told = await query(database, "SELECT id::text FROM outbox ORDER BY 1")
                effects = await query(database, "SELECT id FROM effects ORDER BY 1")
                if [row[0] for row in told] == [row[0] for row in effects]:
                    break
                await asyncio.sleep(0.1)
    finally:
        task.cancel()
        await asyncio.wait([task])
    numbers = [row[0] for row in await query(database, "SELECT number FROM revisions ORDER BY 1")]
    assert numbers == [*range(1, WRITES + 2)]
    async with await Database.connect(dsn, size=1) as connected:
        whole = await PostgresStore(connected).compiled()  # which compares the hash
    assert whole.number == WRITES + 1 and len(whole.policies) == WRITES + 1
