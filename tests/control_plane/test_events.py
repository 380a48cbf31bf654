"""Promises of events: a write is told, and in force soon after; nothing depends on it."""

from __future__ import annotations

import asyncio

import pytest

from taskman_authz.cli import main
from taskman_authz.messaging import Event, Link, Queue, Topology
from taskman_authz.store.postgres import Attach, Detach
from tests.control_plane.asking import PATIENCE, SOON, allowed, metric, persist, until
from tests.control_plane.broker import bindings
from tests.policy.helpers import policy
from tests.store.postgres.states import query

EDIT = policy("edit", roles=["dev"], actions=["tasks:edit"], resources=["tasks/*"])
SELDOM = ("--reload-interval", "3600")
OFTEN = ("--reload-interval", "0.2")
QUEUE = Queue("audit.iam", {"iam.events": ("iam.#",)})
TOPOLOGY = Topology(("iam.events",), (QUEUE,))
UNTOLD = "SELECT count(*) FROM outbox WHERE told_at IS NULL"


async def test_two_sidecars_hear_of_a_write_and_decide_by_it_at_once(
    platform, start, amqp_url, rabbitmq
):
    heard = ("--amqp", amqp_url, *SELDOM)
    one, two = start(*heard, "--relay", "true"), start(*heard)
    await until(lambda: bindings(rabbitmq, amqp_url, "iam.events", "iam.policy.*") == 2)
    await platform.create(EDIT)
    for each in (one, two):
        await until(lambda each=each: allowed(each, "tasks:edit"), SOON)
    for edit, expected in ((Detach("edit", "dev"), False), (Attach("edit", "dev"), True)) * 5:
        await platform.write([edit])
        for each in (one, two):
            await until(lambda each=each, e=expected: allowed(each, "tasks:edit") is e, SOON)


async def test_without_rabbitmq_a_write_is_in_force_by_looking(platform, start, amqp_url, rabbitmq):
    sidecars = [start("--amqp", amqp_url, "--relay", "true", *OFTEN), start(*OFTEN)]
    rabbitmq.stop()
    await platform.create(EDIT)
    for each in sidecars:
        await until(lambda each=each: allowed(each, "tasks:edit"), SOON)


async def test_a_relay_of_its_own_tells_events_and_counts_them(database, platform, relay, amqp_url):
    process = relay("--metrics-listen", "127.0.0.1:0")
    metrics = process.wait_for("relaying")["metrics"]
    process.wait_for("no queue takes an event", event_type="iam.policy.created")
    await until(lambda: metric(metrics, "outbox_refused_total") >= 1)
    assert metric(metrics, "outbox_waiting") >= 1  # nobody hears of them yet
    events = await consumed(amqp_url, 3, platform)
    assert [event.type for event in events[-1:]] == ["iam.policy.created"]
    await query(database, "UPDATE outbox SET not_before = '-infinity'")
    await until(lambda: metric(metrics, "outbox_waiting") == 0)
    assert metric(metrics, "outbox_told_total") >= 3
    assert process.stop() == 0


async def consumed(amqp_url: str, count: int, platform) -> list[Event]:
    """Make the queue, write a policy, and give what comes."""
    found: list[Event] = []
    await Link(amqp_url).once(TOPOLOGY.declare)
    await platform.create(EDIT)

    async def take(channel) -> None:
        queue = await channel.get_queue(QUEUE.name, ensure=False)
        async with queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                found.append(Event.decode(message.body))
                return

    await Link(amqp_url).once(take)
    return found


async def test_relays_wait_for_tables_a_database_and_a_broker(
    database, dsn, platform, relay, postgresql, rabbitmq, amqp_url
):
    await Link(amqp_url).once(TOPOLOGY.declare)
    relay()
    relay()
    for server in (postgresql, rabbitmq):
        server.stop()
        server.revive()
        await persist(lambda: platform.create(EDIT))
        await persist(lambda: platform.delete("policy", "edit"))

        async with asyncio.timeout(PATIENCE):
            while (await query(database, UNTOLD))[0][0]:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("given", [("--database", "postgresql://x@localhost/y"), ()])
def test_a_relay_without_a_database_or_a_broker_says_what_it_needs(given):
    assert main(["relay", *given]) == 2
