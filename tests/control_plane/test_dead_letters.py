"""Promises of `taskman-authz dlq`: a message that cannot be handled stands in nobody's way, and is
looked at, handled again or dropped."""

from __future__ import annotations

import asyncio
import json

import aio_pika

from taskman_authz.cli import main
from taskman_authz.messaging import Consumer, Event, Link, Queue, Topology
from taskman_authz.messaging.consumer import Retries
from tests.control_plane.asking import PATIENCE, metric, until

QUEUE = Queue("audit.iam", {"iam.events": ("iam.#",)})
TOPOLOGY = Topology(("iam.events",), (QUEUE,))


async def put_aside(amqp_url: str, handled: list[str]) -> Event:
    """Tell two events, of which the first cannot be handled, and wait for the second."""
    link = Link(amqp_url)
    await link.once(TOPOLOGY.declare)
    poison, good = Event(type="iam.policy.created"), Event(type="iam.policy.updated")

    async def tell(channel) -> None:
        exchange = await channel.get_exchange("iam.events", ensure=False)
        for event in (poison, good):
            message = aio_pika.Message(event.encode(), message_id=event.id, type=event.type)
            await exchange.publish(message, event.type, mandatory=True)

    async def handle(event: Event) -> None:
        if event.id == poison.id:
            raise ValueError("it is poison")
        handled.append(event.id)

    await link.once(tell)
    consumer = Consumer(QUEUE, handle, Link(amqp_url), TOPOLOGY, retries=Retries(2, 0.01))
    task = asyncio.create_task(consumer.run())
    try:
        await until(lambda: handled == [good.id] and consumer.put_aside == 1)
    finally:
        task.cancel()
        await asyncio.wait([task])
    return poison


async def dlq(capsys, amqp_url: str, *arguments: str):
    """What the command prints, as JSON."""
    given = ["dlq", *arguments, "--amqp", amqp_url, "--format", "json"]
    assert await asyncio.to_thread(main, given) == 0
    return json.loads(capsys.readouterr().out)


async def test_what_was_put_aside_is_listed_shown_and_handled_again(capsys, amqp_url):
    poison = await put_aside(amqp_url, [])
    assert await dlq(capsys, amqp_url, "list", QUEUE.name) == {"audit.iam": 1}
    (shown,) = await dlq(capsys, amqp_url, "show", QUEUE.name)
    assert (shown["id"], shown["attempts"]) == (poison.id, 2)
    assert shown["reason"] == "ValueError: it is poison"
    (tried,) = await dlq(capsys, amqp_url, "replay", QUEUE.name, "--dry-run")
    assert tried["id"] == poison.id
    assert await dlq(capsys, amqp_url, "replay", QUEUE.name) == {"replayed": 1}
    assert await dlq(capsys, amqp_url, "list", QUEUE.name) == {"audit.iam": 0}
    handled: asyncio.Queue[str] = asyncio.Queue()

    async def handle(event: Event) -> None:
        handled.put_nowait(event.id)

    task = asyncio.create_task(Consumer(QUEUE, handle, Link(amqp_url), TOPOLOGY).run())
    try:
        assert await asyncio.wait_for(handled.get(), PATIENCE) == poison.id
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_dropping_wants_ids_or_a_yes(capsys, amqp_url):
    poison = await put_aside(amqp_url, [])
    assert await asyncio.to_thread(main, ["dlq", "drop", QUEUE.name, "--amqp", amqp_url]) == 2
    capsys.readouterr()
    assert await dlq(capsys, amqp_url, "drop", QUEUE.name, "--id", "other") == {"dropped": 0}
    assert await dlq(capsys, amqp_url, "drop", QUEUE.name, "--id", poison.id) == {"dropped": 1}


async def test_who_relays_counts_what_was_put_aside(amqp_url, relay):
    await put_aside(amqp_url, [])
    process = relay("--metrics-listen", "127.0.0.1:0", "--dead-letters", QUEUE.name)
    metrics = process.wait_for("relaying")["metrics"]
    await until(lambda: metric(metrics, "dead_letters", queue=QUEUE.name) == 1)
