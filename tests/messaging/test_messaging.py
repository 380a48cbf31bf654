"""Promises of events, kept by a real broker and a real database: nothing that was written is lost,
whatever is killed; nothing has its effect twice; what cannot be handled is put aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from taskman_authz import StoreError
from taskman_authz.messaging import (
    DeadLetter,
    DeadLetters,
    Event,
    Link,
    Listener,
    Queue,
    Relay,
    Retries,
    Topology,
)
from taskman_authz.messaging.consumer import Consumer
from taskman_authz.messaging.listener import SLACK
from taskman_authz.messaging.postgres import PostgresOutbox, is_first, write
from tests.messaging.conftest import QUEUE, TOPOLOGY, until, until_on_disk
from tools.servers import PostgreSQL, RabbitMQ

QUICK = Retries(attempts=3, pause=0.001)
Handle = Callable[[Event], Awaitable[object]]


@asynccontextmanager
async def running(*works: Awaitable[object]) -> AsyncIterator[None]:
    """Works that go on until the block ends; none may end by itself."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        yield
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def put(pool: asyncpg.Pool, count: int, type: str = "iam.policy.created") -> list[str]:
    """Write events, each in a transaction. Their ids."""
    events = [Event(type=type, data={"number": number}) for number in range(count)]
    for event in events:
        async with pool.acquire() as connection, connection.transaction():
            await write(connection, "iam.events", event)
    return [event.id for event in events]


def once(pool: asyncpg.Pool) -> Handle:
    """A handler with one effect an event, in the transaction that marks it."""

    async def handle(event: Event) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if await is_first(connection, "test", event):
                await connection.execute("INSERT INTO effects VALUES ($1)", event.id)

    return handle


async def effects(pool: asyncpg.Pool) -> list[str]:
    return [row["id"] for row in await pool.fetch("SELECT id FROM effects")]


async def aside(link: Link) -> list[DeadLetter]:
    found: list[DeadLetter] = []

    async def look(channel: AbstractChannel) -> None:
        found.extend(await DeadLetters(channel, QUEUE.name).show())

    await link.once(look)
    return found


async def published(link: Link, body: bytes, id: str = "x", exchange: str = "iam.events") -> None:
    async def publish(channel: AbstractChannel) -> None:
        to = await channel.get_exchange(exchange)
        await to.publish(aio_pika.Message(body, message_id=id), "iam.policy.created")

    await link.once(publish)


async def test_what_is_written_arrives_in_its_order(pool: asyncpg.Pool, link: Link):
    met: list[str] = []

    async def handle(event: Event) -> None:
        met.append(event.id)

    relay = Relay(PostgresOutbox(pool), link)
    consumer = Consumer(QUEUE, handle, link, TOPOLOGY, prefetch=1)
    async with running(relay.run(), consumer.run()):
        ids = await put(pool, 200)
        await until(lambda: len(met) >= len(ids))
    assert met == ids
    assert (relay.told, consumer.handled) == (200, 200)
    assert await PostgresOutbox(pool).waiting() == 0


async def test_what_is_rolled_back_is_not_told(pool: asyncpg.Pool, link: Link):
    met: list[str] = []

    async def handle(event: Event) -> None:
        met.append(event.id)

    with pytest.raises(ZeroDivisionError):
        async with pool.acquire() as connection, connection.transaction():
            await write(connection, "iam.events", Event(type="iam.policy.created"))
            raise ZeroDivisionError
    async with running(
        Relay(PostgresOutbox(pool), link).run(), Consumer(QUEUE, handle, link, TOPOLOGY).run()
    ):
        ids = await put(pool, 1)
        await until(lambda: met)
    assert met == ids


async def test_every_event_has_one_effect_though_the_broker_is_killed_under_way(
    pool: asyncpg.Pool, link: Link, rabbitmq: RabbitMQ, amqp_url: str
):
    relay = Relay(PostgresOutbox(pool), link, interval=0.05)
    consumer = Consumer(QUEUE, once(pool), link, TOPOLOGY, retries=QUICK)
    async with running(relay.run(), consumer.run()):
        writing = asyncio.create_task(put(pool, 1_000))
        await until(lambda: consumer.handled >= 100)
        await until_on_disk(rabbitmq, amqp_url, QUEUE)
        await asyncio.to_thread(rabbitmq.kill)
        await asyncio.to_thread(rabbitmq.start)
        ids = await writing
        outbox = PostgresOutbox(pool)
        while await outbox.waiting() or len(await effects(pool)) < len(ids):
            await asyncio.sleep(0.05)
    assert sorted(await effects(pool)) == sorted(ids)


async def test_every_event_has_one_effect_though_the_database_is_killed_under_way(
    pool: asyncpg.Pool, link: Link, postgresql: PostgreSQL
):
    relay = Relay(PostgresOutbox(pool), link, interval=0.05)
    consumer = Consumer(QUEUE, once(pool), link, TOPOLOGY, retries=Retries(50, 0.05, 0.5))
    async with running(relay.run(), consumer.run()):
        ids = await put(pool, 300)
        await until(lambda: consumer.handled >= 50)
        await asyncio.to_thread(postgresql.kill)
        await asyncio.to_thread(postgresql.start)
        while await PostgresOutbox(pool).waiting() or len(await effects(pool)) < len(ids):
            await asyncio.sleep(0.05)
    assert sorted(await effects(pool)) == sorted(ids)
    assert consumer.put_aside == 0


async def test_two_relays_on_one_outbox_lose_nothing(pool: asyncpg.Pool, link: Link):
    consumer = Consumer(QUEUE, once(pool), link, TOPOLOGY)
    relays = [Relay(PostgresOutbox(pool), link) for _ in range(2)]
    async with running(consumer.run(), *(relay.run() for relay in relays)):
        ids = await put(pool, 300)
        await until(lambda: consumer.handled >= len(ids))
    assert sorted(await effects(pool)) == sorted(ids)


async def test_an_event_that_no_queue_takes_waits_and_holds_nobody_up(
    pool: asyncpg.Pool, link: Link
):
    said: list[str] = []

    def tell(message: str, **_: object) -> None:
        said.append(message)

    relay = Relay(PostgresOutbox(pool), link, on_problem=tell)
    consumer = Consumer(QUEUE, once(pool), link, TOPOLOGY)
    async with running(relay.run(), consumer.run()):
        await put(pool, 150, type="nobody.wants.this")
        ids = await put(pool, 10)
        await until(lambda: consumer.handled >= len(ids))
        assert sorted(await effects(pool)) == sorted(ids)
        while await PostgresOutbox(pool).waiting() > 150:  # handled, and not yet marked as told
            await asyncio.sleep(0.01)
    assert await PostgresOutbox(pool).waiting() == 150
    assert "no queue takes an event" in said


async def test_what_fails_in_the_end_is_put_aside_with_its_reason_and_the_queue_goes_on(
    pool: asyncpg.Pool, link: Link
):
    tried: list[str] = []
    poison = Event(type="iam.policy.created", data={"poison": True})

    async def handle(event: Event) -> None:
        tried.append(event.id)
        if event.data.get("poison"):
            raise ValueError("cannot be handled")

    consumer = Consumer(QUEUE, handle, link, TOPOLOGY, retries=QUICK)
    async with running(consumer.run(), Relay(PostgresOutbox(pool), link).run()):
        async with pool.acquire() as connection:
            await write(connection, "iam.events", poison)
        ids = await put(pool, 20)
        await until(lambda: consumer.handled >= len(ids) and consumer.put_aside)
    assert tried.count(poison.id) == QUICK.attempts
    (letter,) = await aside(link)
    assert (letter.id, letter.queue, letter.attempts) == (poison.id, QUEUE.name, 3)
    assert letter.reason == "ValueError: cannot be handled"
    assert letter.routing_key == "iam.policy.created"


async def test_what_is_no_event_is_put_aside_without_being_tried(link: Link):
    async def handle(event: Event) -> None:
        raise AssertionError

    consumer = Consumer(QUEUE, handle, link, TOPOLOGY)
    async with running(consumer.run()):
        for body in (b"{", b"\xff", b'{"type": 5}', b"[]"):
            await published(link, body)
        await until(lambda: consumer.put_aside == 4)
    assert {letter.attempts for letter in await aside(link)} == {1}


async def test_what_was_put_aside_is_handled_once_its_handler_is_mended(
    pool: asyncpg.Pool, link: Link
):
    is_mended = False

    async def handle(event: Event) -> None:
        if not is_mended:
            raise ValueError("not yet")
        await once(pool)(event)

    consumer = Consumer(QUEUE, handle, link, TOPOLOGY, retries=QUICK)
    done: list[int] = []

    async def replay(channel: AbstractChannel) -> None:
        letters = DeadLetters(channel, QUEUE.dead_letters)
        (first, *_) = await letters.show()
        done.append(await letters.replay([first.id]))
        done.append(await letters.replay())
        done.append(await letters.count())

    async with running(consumer.run(), Relay(PostgresOutbox(pool), link).run()):
        ids = await put(pool, 5)
        await until(lambda: consumer.put_aside == len(ids))
        is_mended = True
        await link.once(replay)
        await until(lambda: consumer.handled == len(ids))
    assert done == [1, 4, 0]
    assert sorted(await effects(pool)) == sorted(ids)


async def test_looking_at_what_was_put_aside_leaves_it_in_its_order(link: Link):
    async def handle(event: Event) -> None:
        raise ValueError

    consumer = Consumer(QUEUE, handle, link, TOPOLOGY, retries=Retries(1), prefetch=1)
    async with running(consumer.run()):
        for number in range(5):
            await published(link, Event(type="iam.policy.created").encode(), str(number))
        await until(lambda: consumer.put_aside == 5)
    for _ in range(2):
        assert [letter.id for letter in await aside(link)] == list("01234")
    dropped: list[int] = []

    async def drop(channel: AbstractChannel) -> None:
        dropped.append(await DeadLetters(channel, QUEUE.name).drop(["1", "3"]))

    await link.once(drop)
    assert dropped == [2]
    assert [letter.id for letter in await aside(link)] == list("024")


async def test_a_queue_that_is_another_one_is_named_and_left_as_it_is(link: Link):
    async def other(channel: AbstractChannel) -> None:
        await channel.declare_queue("mine", durable=False)

    await link.once(other)
    with pytest.raises(StoreError, match="`mine` is another one"):
        await link.once(Topology((), (Queue("mine", {}),)).declare)


async def test_there_is_no_queue_of_a_name_that_is_none(link: Link):
    async def look(channel: AbstractChannel) -> None:
        await DeadLetters(channel, "none").count()

    with pytest.raises(StoreError, match="no queue `none.dlq`"):
        await link.once(look)


async def test_every_listener_hears_every_event_in_its_order(pool: asyncpg.Pool, link: Link):
    heard: list[list[str]] = [[], []]

    def listening(number: int) -> Listener:
        async def hear(event: Event) -> None:
            heard[number].append(event.id)

        return Listener({"iam.events": ["iam.policy.*"]}, hear, link, nothing)

    listeners = [listening(0), listening(1)]
    async with running(*(each.run() for each in listeners)):
        await until(lambda: not any(each.behind() for each in listeners))
        async with running(Relay(PostgresOutbox(pool), link).run()):
            ids = await put(pool, 50)
            await until(lambda: all(len(each) == len(ids) for each in heard))
    assert heard == [ids, ids]


async def nothing() -> None:
    pass


async def test_a_listener_is_told_of_every_gap_and_says_how_long_it_is(
    link: Link, rabbitmq: RabbitMQ, amqp_url: str
):
    gaps: list[float] = []
    listener: Listener

    async def gap() -> None:
        gaps.append(listener.behind())

    listener = Listener({"iam.events": ["#"]}, nothing_of, link, gap)
    assert listener.behind() > 0
    async with running(listener.run()):
        await until(lambda: listener.behind() == 0)
        await until_on_disk(rabbitmq, amqp_url, QUEUE)
        await asyncio.to_thread(rabbitmq.kill)
        await until(lambda: listener.behind() > 0)
        await asyncio.to_thread(rabbitmq.start)
        await until(lambda: listener.behind() == 0)
    assert len(gaps) == 2 and all(gaps)


async def test_a_listener_to_a_frozen_broker_knows_that_it_may_miss_events(
    link: Link, rabbitmq: RabbitMQ
):
    gaps: list[float] = []

    async def gap() -> None:
        gaps.append(listener.behind())

    listener = Listener({"iam.events": ["#"]}, nothing_of, link, gap)
    async with running(listener.run()):
        await until(lambda: listener.behind() == 0)
        rabbitmq.freeze()
        await until(lambda: listener.behind() > SLACK)  # though its connection stays
        rabbitmq.thaw()
        await until(lambda: listener.behind() == 0)
    # What others told meanwhile waits with them: things are taken in as they are before it is used.
    assert len(gaps) == 2 and all(gaps)


async def test_a_listener_is_behind_while_an_event_keeps_it_busy(link: Link):
    busy, done = asyncio.Event(), asyncio.Event()

    async def hear(_event: Event) -> None:
        busy.set()
        await done.wait()

    listener = Listener({"iam.events": ["#"]}, hear, link, nothing)
    async with running(listener.run()):
        await until(lambda: listener.behind() == 0)
        await published(link, Event(type="a").encode())
        await busy.wait()
        await until(lambda: listener.behind() > SLACK)
        done.set()
        await until(lambda: listener.behind() == 0)


async def nothing_of(_event: Event) -> None:
    pass


async def test_an_event_that_a_listener_fails_over_counts_as_missed(link: Link):
    heard: list[str] = []
    gaps: list[int] = []

    async def hear(event: Event) -> None:
        heard.append(event.type)
        if len(heard) == 1:
            raise ValueError

    async def gap() -> None:
        gaps.append(len(heard))

    listener = Listener({"iam.events": ["#"]}, hear, link, gap)
    async with running(listener.run()):
        await until(lambda: listener.behind() == 0)
        for body in (Event(type="a").encode(), b"no event", Event(type="b").encode()):
            await published(link, body)
        await until(lambda: len(heard) == 2)
    assert gaps == [0, 1]
    assert (listener.failed, listener.heard) == (2, 1)
