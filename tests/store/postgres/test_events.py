"""Every write is told, once it is committed and not otherwise: to RabbitMQ, by a relay."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec

from taskman_authz.limits import DEFAULT
from taskman_authz.messaging import Event, Link, Listener, Relay, Topology
from taskman_authz.messaging.postgres import PostgresOutbox
from taskman_authz.store.postgres import Create, Database, PolicyWriter, StoredDocument, Workshop
from tests.policy.helpers import policy
from tests.store.postgres.states import DEV, query

PATIENCE = 30.0  # seconds


async def told(owner_dsn: str) -> list[Event]:
    """The events of the outbox, as messaging reads them."""
    rows = await query(owner_dsn, "SELECT * FROM outbox ORDER BY sequence")
    events = [Event.decode(row["body"]) for row in rows]
    assert [(e.type, e.id, e.company_id) for e in events] == [
        (row["routing_key"], str(row["id"]), row["company_id"]) for row in rows
    ]
    assert all(event.encode() == row["body"] for event, row in zip(events, rows, strict=True))
    assert {row["exchange"] for row in rows} <= {"iam.events"}
    return events


async def test_event_is_written_for_every_write(
    platform: PolicyWriter, acme: PolicyWriter, owner_dsn: str
):
    await platform.write([Create(DEV), Create(policy("a")), Create(policy("b"))])
    await acme.create(policy("c"))
    await acme.attach("c", "dev")
    last = await acme.delete("policy", "c")
    await platform.create(StoredDocument(name="names.yaml", constants={"one": 1}))
    events = await told(owner_dsn)
    assert [(e.type, e.company_id, e.data["revision"], e.data["ids"]) for e in events] == [
        ("iam.role.created", None, 1, ["dev"]),
        ("iam.policy.created", None, 1, ["a", "b"]),
        ("iam.policy.created", "acme", 2, ["c"]),
        ("iam.policy.updated", "acme", 3, ["c"]),
        ("iam.policy.deleted", "acme", 4, ["c"]),
        ("iam.policy.updated", None, 5, []),
    ]
    assert events[-1].data["documents"] == ["names.yaml"]
    assert events[-2].data["content_hash"] == last.content_hash
    assert {event.actor for event in events} == {"user:root", "user:ann"}
    assert len({event.data["uuids"][0] for event in events[2:5]}) == 1


async def test_event_stays_a_message_however_much_is_written(dsn: str, owner_dsn: str):
    limits = msgspec.structs.replace(DEFAULT, event_names=2)
    async with await Database.connect(dsn, limits=limits) as database:
        writer = Workshop(database).writer("user:1")
        await writer.write([Create(policy(f"p{number}")) for number in range(5)])
    assert [len(event.data["ids"]) for event in await told(owner_dsn)] == [2, 2, 1]


async def test_what_is_written_is_heard_over_rabbitmq(
    acme: PolicyWriter, dsn: str, owner_dsn: str, amqp_url: str
):
    heard: asyncio.Queue[Event] = asyncio.Queue()
    ready = asyncio.Event()

    async def listening() -> None:
        ready.set()

    await Link(amqp_url).once(Topology(("iam.events",)).declare)
    pool = await asyncpg.create_pool(dsn, server_settings={"role": "authz_platform"})
    relay = Relay(PostgresOutbox(pool), Link(amqp_url))
    patterns = {"iam.events": ("iam.policy.*",)}
    listener = Listener(patterns, heard.put, Link(amqp_url), listening)
    tasks = [asyncio.create_task(each.run()) for each in (listener, relay)]
    try:
        async with asyncio.timeout(PATIENCE):
            await ready.wait()
            written = await acme.create(policy("a"))
            event = await heard.get()
        assert (event.type, event.company_id) == ("iam.policy.created", "acme")
        assert event.data["content_hash"] == written.content_hash
        assert [event] == await told(owner_dsn)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pool.terminate()
