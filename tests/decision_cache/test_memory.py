"""Promises of remembered decisions: what has changed is never hidden, in whatever order things
happen; and what tells two questions apart."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CheckRequest, Decision, Entity, Limits, Reason, make_request
from taskman_authz.decision_cache import DecisionCache, Found, MemoryDecisionCache, question

ALLOWED = Decision(True, (Reason("allowed_by_policy", "p", "yes"),), "r1")
DENIED = Decision(False, (Reason("no_policy_applies", "", "no"),), "r1")
REQUEST = make_request("user:1", "tasks:edit", "tasks/7", company_id="acme")


def asked(request: CheckRequest = REQUEST, revision: str = "r1", epoch: str = "") -> Any:
    found = question(request, revision, epoch)
    assert found is not None
    return found


ASKED = asked()


def run(steps: Awaitable[Any]) -> Any:
    return asyncio.run(steps)  # type: ignore[arg-type]


class World:
    """A permission that is given and taken, checks of it through one cache, and whether a check
    that began after the cache heard of the last change answered by what was before it."""

    def __init__(self, cache: DecisionCache) -> None:
        self.cache = cache
        self.truth = True
        self.heard = True  # what the cache was last told of

    def checker(self) -> list[Callable[[], Awaitable[None]]]:
        begun: list[tuple[Found, bool]] = []
        read: list[bool] = []

        async def find() -> None:
            found = await self.cache.find(ASKED)
            if found.decision is not None and self.truth == self.heard:
                assert found.decision.allowed == self.truth, "stale"
            begun.append((found, self.truth))

        async def decide() -> None:
            read.append(self.truth)

        async def keep() -> None:
            (found, _) = begun[0]
            if found.decision is None and found.epochs is not None:
                decision = ALLOWED if read[0] else DENIED
                await self.cache.keep(ASKED, found.epochs, decision, 300)

        return [find, decide, keep]

    def change(self, allowed: bool) -> list[Callable[[], Awaitable[None]]]:
        async def write() -> None:
            self.truth = allowed

        async def hear() -> None:
            await self.cache.drop([ASKED.tags[0]])
            self.heard = allowed

        return [write, hear]

    async def check_in_the_end(self) -> None:
        for step in self.checker():
            await step()


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


def explored(actors: int, changes: tuple[bool, ...]) -> int:
    """Try every order of so many checks and one row of changes. How many there are."""

    async def tried() -> int:
        count = 0
        for order in orders([3] * actors + [2 * len(changes)]):
            world = World(MemoryDecisionCache())
            steps = [world.checker() for _ in range(actors)]
            steps.append(list(itertools.chain.from_iterable(map(world.change, changes))))
            for actor in order:
                await steps[actor].pop(0)()
            await world.check_in_the_end()
            count += 1
        return count

    found = run(tried())
    assert isinstance(found, int)
    return found


def test_no_order_of_checks_and_a_revocation_serves_what_was_before_it():
    assert explored(2, (False,)) == 560
    assert explored(3, (False,)) == 92_400


def test_no_order_of_checks_and_several_changes_serves_what_was_before_them():
    assert explored(2, (False, True, False)) == 18_480


def test_a_cache_that_forgets_who_changed_still_serves_nothing_from_before():
    async def steps() -> None:
        cache = MemoryDecisionCache(limits=Limits(decision_memory=3))
        epochs = (await cache.find(ASKED)).epochs
        assert epochs
        await cache.keep(ASKED, epochs, ALLOWED, 300)
        assert (await cache.find(ASKED)).decision == ALLOWED
        await cache.drop(ASKED.tags)
        for number in range(10):
            await cache.drop([f"other {number}"])
            assert (await cache.find(ASKED)).decision is None

    run(steps())


def test_what_is_remembered_ends_with_the_shorter_of_both_times():
    async def steps() -> None:
        now = 0.0
        cache = MemoryDecisionCache(300, clock=lambda: now)
        epochs = (await cache.find(ASKED)).epochs
        assert epochs
        for seconds, ends in ((10.0, 10.0), (1_000.0, 300.0)):
            now = 0.0
            await cache.keep(ASKED, epochs, ALLOWED, seconds)
            now = ends - 0.1
            assert (await cache.find(ASKED)).decision == ALLOWED
            now = ends
            assert (await cache.find(ASKED)).decision is None
        await cache.keep(ASKED, epochs, ALLOWED, 0)
        assert (await cache.find(ASKED)).decision is None

    run(steps())


def test_no_more_is_remembered_than_its_limit():
    async def steps() -> int:
        cache = MemoryDecisionCache(limits=Limits(decision_memory=5))
        keys = [asked(make_request(f"user:{n}", "tasks:edit", "tasks/7")) for n in range(20)]
        for each in keys:
            epochs = (await cache.find(each)).epochs
            assert epochs
            await cache.keep(each, epochs, ALLOWED, 300)
        found = [await cache.find(each) for each in keys]
        return sum(each.decision is not None for each in found)

    assert run(steps()) == 5


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def same(one: Any, other: Any) -> bool:
    """Whether nothing tells two values apart, types and signs of zero included."""
    return bool(
        msgspec.msgpack.encode(one, order="sorted") == msgspec.msgpack.encode(other, order="sorted")
    )


@given(VALUES, VALUES)
def test_questions_are_the_same_where_all_that_is_read_is_the_same(one, other):
    def of(value: Any) -> Any:
        task = Entity("tasks", "7", {"x": value})
        return asked(make_request("user:1", "tasks:edit", task)).key

    assert (of(one) == of(other)) == same(one, other)


@pytest.mark.parametrize(
    "other",
    [
        make_request("user:2", "tasks:edit", "tasks/7", company_id="acme"),
        make_request("robot:1", "tasks:edit", "tasks/7", company_id="acme"),
        make_request("user:1", "tasks:view", "tasks/7", company_id="acme"),
        make_request("user:1", "tasks:edit", "tasks/8", company_id="acme"),
        make_request("user:1", "tasks:edit", "tasks/7", company_id="other"),
        make_request("user:1", "tasks:edit", "tasks/7"),
        make_request("user:1", "tasks:edit", "tasks/7", {"ip": "::1"}, company_id="acme"),
        make_request({"type": "user", "id": "1", "roles": ["a"]}, "tasks:edit", "tasks/7"),
        make_request("user:1", {"name": "tasks:edit", "soft": True}, "tasks/7", company_id="acme"),
    ],
)
def test_every_part_of_a_question_tells_it_apart(other):
    assert asked(other).key != ASKED.key


def test_the_revision_and_the_epoch_of_the_roles_tell_questions_apart():
    assert len({ASKED.key, asked(revision="r2").key, asked(epoch="5").key}) == 3


def test_a_company_whose_name_looks_like_another_question_is_told_apart():
    one = make_request("user:1", "tasks:edit", "tasks/7", company_id="a:user")
    other = make_request("user:user:1", "tasks:edit", "tasks/7", company_id="a")
    assert asked(one).key != asked(other).key


def test_a_key_begins_with_the_names_that_people_look_for():
    assert ASKED.key.startswith("authz:permission:acme:user:1:tasks:edit:tasks/7:")
    long = make_request("user:" + "x" * 1000, "tasks:edit", "tasks/7")
    assert len(asked(long).key) < 600


def test_the_time_of_a_question_does_not_tell_it_apart():
    assert asked(msgspec.structs.replace(REQUEST, now=5)).key == ASKED.key


def test_what_holds_objects_of_a_program_is_not_remembered():
    class Task:
        type, id = "tasks", "7"

    assert question(make_request("user:1", "tasks:edit", Task()), "r1") is None
