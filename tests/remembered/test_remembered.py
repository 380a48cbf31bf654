"""Promises of what is remembered, in a process and in Redis: a change is never hidden, in whatever
order things happen, and whatever becomes of the server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import Limits, StoreError, UnavailableError
from taskman_authz.remembered import (
    Cache,
    Found,
    MemoryCache,
    WhileHeard,
    resource_tag,
    subject_tag,
)
from taskman_authz.remembered.redis import RedisCache
from tools.servers import Redis

KEY, TAGS = "key", ("acme|user:1", "acme|tasks/7")
Step = Callable[[], Awaitable[None]]


class World:
    """A truth that changes, what is read of it through one cache, and whether what was found after
    the cache had heard of the last change was what was before it."""

    def __init__(self, cache: Cache, key: str) -> None:
        self.cache = cache
        self.key = key
        self.truth = b"0"
        self.heard = b"0"  # what the cache was last told of

    def reader(self) -> list[Step]:
        found: list[Found] = []
        read: list[bytes] = []

        async def find() -> None:
            found.append(await self.cache.find(self.key, (self.key,)))
            if found[0].value is not None and self.truth == self.heard:
                assert found[0].value == self.truth, "stale"

        async def decide() -> None:
            read.append(self.truth)

        async def keep() -> None:
            if found[0].value is None and found[0].epochs is not None:
                await self.cache.keep(self.key, found[0].epochs, read[0], 300)

        return [find, decide, keep]

    def changes(self, count: int) -> list[Step]:
        return list(itertools.chain.from_iterable(map(self.change, range(1, count + 1))))

    def change(self, number: int) -> list[Step]:
        value = str(number).encode()

        async def write() -> None:
            self.truth = value

        async def hear() -> None:
            await self.cache.drop((self.key,))
            self.heard = value

        return [write, hear]


def orders(lengths: list[int]) -> Iterator[tuple[int, ...]]:
    """Every order in which actors of so many steps each may take them."""
    if not any(lengths):
        yield ()
        return
    for actor, left in enumerate(lengths):
        if left:
            fewer = [*lengths[:actor], left - 1, *lengths[actor + 1 :]]
            for rest in orders(fewer):
                yield (actor, *rest)


async def explore(cache: Cache, readers: int, changes: int) -> int:
    """Try every order of so many readers and changes, and a reader in the end. How many."""
    count = 0
    for order in orders([3] * readers + [2 * changes]):
        world = World(cache, f"{readers}.{changes}.{count}")
        steps = [*(world.reader() for _ in range(readers)), world.changes(changes)]
        for actor in order:
            await steps[actor].pop(0)()
        for step in world.reader():
            await step()
        count += 1
    return count


async def test_no_order_of_readings_and_changes_serves_what_was_before_a_change():
    assert await explore(MemoryCache(), 2, 1) == 560
    assert await explore(MemoryCache(), 3, 1) == 92_400
    assert await explore(MemoryCache(), 2, 3) == 18_480


async def test_no_order_serves_what_was_before_a_change_from_redis(shared: RedisCache):
    assert await explore(shared, 2, 1) == 560
    assert shared.hits > 100  # so something was served at all


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[RedisCache]:
    cache = RedisCache(redis_url, timeout=5)
    await cache.find(KEY, TAGS)  # the first question finds out which run it is
    yield cache
    await cache.close()


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[RedisCache]:
    """Another process at the same server."""
    cache = RedisCache(redis_url, timeout=5)
    await cache.find(KEY, TAGS)
    yield cache
    await cache.close()


async def kept(cache: Cache, value: bytes = b"x", seconds: float = 300) -> None:
    epochs = (await cache.find(KEY, TAGS)).epochs
    assert epochs is not None
    await cache.keep(KEY, epochs, value, seconds)


async def found(cache: Cache) -> bytes | None:
    return (await cache.find(KEY, TAGS)).value


@pytest.mark.parametrize("tag", TAGS)
async def test_what_one_process_keeps_another_finds_until_either_drops_a_tag(
    shared: RedisCache, other: RedisCache, tag: str
):
    await kept(shared)
    assert await found(other) == b"x"
    await other.drop([tag])
    assert await found(shared) is None
    await kept(other, b"y")
    assert await found(shared) == b"y"
    await shared.drop([tag])
    assert await found(other) is None


async def test_nothing_is_found_once_anything_may_have_changed(
    shared: RedisCache, other: RedisCache
):
    await kept(shared)
    await other.drop_all()
    assert await found(shared) is None
    cache = MemoryCache()
    await kept(cache)
    await cache.drop_all()
    assert await found(cache) is None


async def test_a_cache_that_may_have_missed_a_change_knows_nothing():
    behind = [0.0]
    cache = WhileHeard(MemoryCache(), lambda: behind[0], most=10)
    await kept(cache)
    for seconds, value in ((0.0, b"x"), (10.0, b"x"), (10.1, None), (0.0, b"x")):
        behind[0] = seconds
        assert await found(cache) == value
    behind[0] = 11
    assert (await cache.find(KEY, TAGS)).epochs is None


async def test_what_redis_keeps_ends_by_itself(shared: RedisCache, redis_url: str):
    await kept(shared, seconds=120)
    await shared.keep("no time", ("a",), b"x", 0)
    with redis.Redis.from_url(redis_url) as client:
        assert 100 < int(client.ttl(KEY)) <= 120  # type: ignore[arg-type]
        assert not client.exists("no time")


async def test_a_change_that_a_restarted_server_forgot_is_not_forgotten(
    shared: RedisCache, redis_server: Redis
):
    await kept(shared)
    with redis.Redis.from_url(redis_server.url()) as client:
        client.save()
    await shared.drop(TAGS)
    redis_server.kill()
    redis_server.start()
    with redis.Redis.from_url(redis_server.url()) as client:
        assert client.exists(KEY)  # the snapshot has it, with the epochs of before the change
    fresh = RedisCache(redis_server.url(), timeout=5)
    assert await found(fresh) is None
    assert await found(fresh) is None
    await fresh.close()


async def test_an_epoch_that_was_evicted_finds_nothing_of_before(
    shared: RedisCache, redis_url: str
):
    await kept(shared)
    with redis.Redis.from_url(redis_url) as client:
        for name in client.keys("authz:epoch:*"):  # type: ignore[union-attr]
            client.delete(name)
    assert await found(shared) is None
    await kept(shared)
    assert await found(shared) == b"x"


async def test_a_server_that_hangs_knows_nothing_and_is_left_alone_for_a_while(
    redis_server: Redis,
):
    now = 100.0
    said: list[str] = []
    cache = RedisCache(
        redis_server.url(), timeout=0.2, clock=lambda: now, on_problem=lambda m, **_: said.append(m)
    )
    await cache.find(KEY, TAGS)
    await kept(cache)
    redis_server.freeze()
    assert await cache.find(KEY, TAGS) == Found(None, None)
    assert (cache.failures, cache.is_up) == (1, False)
    assert await cache.find(KEY, TAGS) == Found(None, None)
    assert cache.failures == 1  # it was not asked
    redis_server.thaw()
    now += 2
    assert await found(cache) == b"x"
    assert cache.is_up
    assert said == ["Redis does not answer", "Redis answers again"]
    await cache.close()


async def test_a_change_that_could_not_be_told_is_told_before_anything_is_found(
    redis_server: Redis, other: RedisCache
):
    now = 100.0
    cache = RedisCache(redis_server.url(), timeout=0.2, clock=lambda: now)
    await cache.find(KEY, TAGS)
    await kept(cache)
    redis_server.freeze()
    with pytest.raises(UnavailableError):
        await cache.drop(TAGS)
    redis_server.thaw()
    assert await found(cache) is None
    now += 2
    assert await found(cache) is None
    assert await found(other) is None
    await cache.close()


class _Late:
    """Pipelines of a client that answer when they are let; those of `lost` never do."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.lost = False
        self.gate = asyncio.Event()

    def pipeline(self, transaction: bool) -> Any:
        pipeline = self._client.pipeline(transaction=transaction)
        execute, lost = pipeline.execute, self.lost

        async def late() -> Any:
            if lost:
                raise ConnectionError
            await self.gate.wait()
            return await execute()

        pipeline.execute = late
        return pipeline


async def test_a_change_while_an_earlier_one_is_told_is_told_by_itself(
    shared: RedisCache, other: RedisCache
):
    client = shared._redis
    late = _Late(client)
    shared._redis = late  # type: ignore[assignment]
    first = asyncio.create_task(shared.drop(TAGS))
    await asyncio.sleep(0)
    late.lost = True
    with pytest.raises(UnavailableError):
        await shared.drop(TAGS)
    late.gate.set()
    with pytest.raises(UnavailableError):
        await first  # it cannot say that all is told
    shared._redis = client
    await kept(other)
    await shared.find(KEY, TAGS)  # tells what is left
    assert await found(other) is None


@given(*[st.tuples(*[st.text("a|/:,1", max_size=3)] * 3)] * 2)
def test_two_who_are_not_the_same_have_two_tags(one, two):
    assert (subject_tag(*one) == subject_tag(*two)) is (one == two)
    assert (resource_tag(*one) == resource_tag(*two)) is (one == two)
    assert subject_tag(*one) != resource_tag(*two)


async def test_a_server_that_is_not_there_knows_nothing(redis_server: Redis):
    redis_server.stop()
    cache = RedisCache(redis_server.url())
    assert await cache.find(KEY, TAGS) == Found(None, None)
    await cache.keep(KEY, ("a", "b"), b"x", 300)
    await cache.close()


def test_what_is_no_url_is_refused():
    with pytest.raises(StoreError, match="no URL"):
        RedisCache("somewhere")


async def test_a_cache_that_forgets_who_changed_still_serves_nothing_from_before():
    cache = MemoryCache(Limits(remembered=3))
    await kept(cache)
    assert await found(cache) == b"x"
    await cache.drop(TAGS)
    for number in range(10):
        await cache.drop([f"other {number}"])
        assert await found(cache) is None


async def test_no_more_is_remembered_than_the_limit():
    cache = MemoryCache(Limits(remembered=5))
    for number in range(20):
        epochs = (await cache.find(str(number), ())).epochs
        assert epochs is not None
        await cache.keep(str(number), epochs, b"x", 300)
    known = [await cache.find(str(number), ()) for number in range(20)]
    assert sum(each.value is not None for each in known) == 5
