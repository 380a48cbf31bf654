"""Attributes of others: asked for once, together, for what is needed only; and what is not given in
time closes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from taskman_authz import UnavailableError, authorize, make_request
from taskman_authz.attributes import CachedSource, Gathered, Gatherer, GuardedSource, Wanted
from taskman_authz.breaker import Breaker, BreakerSettings
from taskman_authz.pdp import needs
from taskman_authz.remembered import MemoryCache, resource_tag, subject_tag
from tests.policy.helpers import compiled, document, policy

POLICIES = compiled(
    document(
        policy("own", actions=["tasks:edit"], condition="resource.owner == subject.login"),
        policy("deny", effect="deny", actions=["tasks:edit"], condition="resource.locked"),
    )
)
REQUEST = make_request("user:1", "tasks:edit", "tasks/7", company_id="acme")


class Known:
    """A source that knows some entities, and what it was asked."""

    def __init__(self, **entities: dict[str, Any]) -> None:
        self.entities = entities
        self.asked: list[list[Wanted]] = []
        self.error: Exception | None = None
        self.hangs = False

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        assert company_id == "acme"
        self.asked.append(list(wanted))
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return [self.entities.get(f"{one.type}{one.id}") for one in wanted]


def known() -> Known:
    return Known(user1={"login": "ann"}, tasks7={"owner": "ann", "locked": False, "id": "8"})


async def gathered(gatherer: Gatherer, request: Any = REQUEST) -> Any:
    wanted = needs(POLICIES, request)
    return await gatherer.gather(request, gatherer.asks(request, wanted.subject, wanted.resource))


def owner_of(answer: Sequence[Mapping[str, Any] | None]) -> Any:
    (task,) = answer
    assert task is not None
    return task["owner"]


def minutes(_one: Wanted) -> float:
    return 600


async def test_what_is_needed_and_not_given_is_asked_for_in_one_call_a_source():
    both = known()
    found = await gathered(Gatherer({("subject", "user"): both, ("resource", "tasks"): both}))
    assert both.asked == [
        [
            Wanted("subject", "user", "1", frozenset({"login"})),
            Wanted("resource", "tasks", "7", frozenset({"owner", "locked"})),
        ]
    ]
    assert found.is_whole
    assert authorize(POLICIES, found.request).allowed
    assert found.request.resource_id == "7"


async def test_what_the_request_says_counts_and_is_not_asked_for():
    tasks = known()
    task = {"type": "tasks", "id": "7", "owner": "bob"}
    request = make_request("user:1", "tasks:edit", task, company_id="acme")
    found = await gathered(Gatherer({("resource", "tasks"): tasks}), request)
    assert tasks.asked == [[Wanted("resource", "tasks", "7", frozenset({"locked"}))]]
    assert found.request.resource["owner"] == "bob"
    assert found.request.resource["locked"] is False


async def test_nobody_is_asked_for_what_no_condition_reads_or_no_source_knows():
    tasks = known()
    request = make_request("user:1", "tasks:view", "tasks/7", company_id="acme")
    for gatherer in (Gatherer({("resource", "tasks"): tasks}), Gatherer({})):
        found = await gathered(gatherer, request)
        assert found == Gathered(request)
    assert tasks.asked == []


@pytest.mark.parametrize("fault", ["error", "hangs"])
async def test_what_a_source_does_not_give_in_time_closes(fault):
    users, tasks = known(), known()
    if fault == "error":
        tasks.error = UnavailableError("away")
    else:
        tasks.hangs = True
    gatherer = Gatherer({("subject", "user"): users, ("resource", "tasks"): tasks}, deadline=0.05)
    found = await gathered(gatherer)
    assert (found.unanswered, found.is_whole) == ({"resource"}, False)
    assert found.request.subject == {"login": "ann"}
    decision = authorize(POLICIES, found.request)
    assert [reason.code for reason in decision.reasons] == ["denied_by_error"]


@pytest.mark.parametrize("fault", ["error", "hangs"])
async def test_a_source_that_keeps_failing_is_left_alone(fault):
    tasks = known()
    if fault == "error":
        tasks.error = UnavailableError("away")
    else:
        tasks.hangs = True
    breaker = Breaker("tasks", BreakerSettings(ready_to_trip=lambda c: c.failures >= 2))
    told: list[str] = []
    guarded = GuardedSource(tasks, 0.02, breaker, lambda outcome, *_: told.append(outcome))
    gatherer = Gatherer({("resource", "tasks"): guarded}, deadline=5)
    for _ in range(4):
        assert not (await gathered(gatherer)).is_whole
    assert len(tasks.asked) == 2
    assert told == ["failed", "failed", "refused", "refused"]


async def test_a_caller_who_gives_up_says_nothing_of_the_source():
    tasks = known()
    tasks.hangs = True
    breaker = Breaker("tasks", BreakerSettings(ready_to_trip=lambda _counts: True))
    told: list[str] = []
    guarded = GuardedSource(tasks, 60, breaker, lambda outcome, *_: told.append(outcome))
    gatherer = Gatherer({("resource", "tasks"): guarded}, deadline=60)
    wanted = gatherer.asks(REQUEST, frozenset(), frozenset({"owner"}))
    assert not (await gatherer.gather(REQUEST, wanted, seconds=0.01)).is_whole
    assert (told, str(breaker.state)) == (["abandoned"], "closed")


async def test_what_is_remembered_is_given_while_the_source_is_left_alone():
    tasks = known()
    breaker = Breaker("tasks", BreakerSettings(ready_to_trip=lambda _counts: True))
    source = CachedSource(GuardedSource(tasks, 60, breaker), MemoryCache(), minutes)
    one = [Wanted("resource", "tasks", "7", frozenset({"owner"}))]
    await source.fetch("acme", one)
    tasks.error = UnavailableError("away")
    with pytest.raises(UnavailableError):
        await source.fetch("acme", [one[0]._replace(id="8")])
    assert str(breaker.state) == "open"
    assert await source.fetch("acme", one) == [{"owner": "ann"}]


async def test_an_entity_that_does_not_exist_has_no_attributes():
    nothing = Known()
    found = await gathered(Gatherer({("resource", "tasks"): nothing}))
    assert found == Gathered(REQUEST, is_whole=False)  # it may be there in a moment


async def test_what_a_source_said_is_remembered_until_it_changes():
    tasks, cache = known(), MemoryCache()
    gatherer = Gatherer({("resource", "tasks"): CachedSource(tasks, cache, minutes)})
    for _ in range(3):
        assert (await gathered(gatherer)).request.resource["owner"] == "ann"
    assert len(tasks.asked) == 1
    tasks.entities["tasks7"] = {"owner": "bob", "locked": False}
    await cache.drop([resource_tag("acme", "tasks", "7")])
    assert (await gathered(gatherer)).request.resource["owner"] == "bob"
    assert len(tasks.asked) == 2


async def test_who_asks_for_the_same_at_the_same_time_waits_for_one_answer():
    tasks, cache = known(), MemoryCache()
    goes_on = asyncio.Event()

    class Slow:
        async def fetch(self, company_id: str | None, wanted: Sequence[Wanted]) -> Any:
            found = await tasks.fetch(company_id, wanted)
            await goes_on.wait()
            return found

    source = CachedSource(Slow(), cache, minutes)
    one = [Wanted("resource", "tasks", "7", frozenset({"owner"}))]
    first, *others = (asyncio.create_task(source.fetch("acme", one)) for _ in range(5))
    while not tasks.asked:
        await asyncio.sleep(0)
    first.cancel()  # who gives up takes the answer from nobody
    tasks.entities["tasks7"] = {"owner": "bob", "locked": False}
    await cache.drop([resource_tag("acme", "tasks", "7")])
    late = asyncio.create_task(source.fetch("acme", one))  # it was told of a change
    while len(tasks.asked) < 2:
        await asyncio.sleep(0)
    goes_on.set()
    assert {owner_of(await each) for each in others} == {"ann"}
    assert owner_of(await late) == owner_of(await source.fetch("acme", one)) == "bob"
    assert len(tasks.asked) == 2


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_later():
    tasks = known()
    tasks.error = UnavailableError("away")
    source = CachedSource(tasks, MemoryCache(), minutes)
    one = [Wanted("resource", "tasks", "7", frozenset({"owner"}))]
    asking = (source.fetch("acme", one) for _ in range(3))
    failed = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in failed] == [UnavailableError] * 3
    assert len(tasks.asked) == 1
    tasks.error = None
    assert owner_of(await source.fetch("acme", one)) == "ann"


async def test_what_was_not_asked_for_is_neither_decided_by_nor_remembered():
    users, cache = Known(user1={"login": "ann", "salary": 7}), MemoryCache()
    source = CachedSource(users, cache, minutes)
    found = await gathered(Gatherer({("subject", "user"): source}))
    assert found.request.subject == {"login": "ann"}
    tag = subject_tag("acme", "user", "1")
    key = f"authz:attributes:subject:{tag}"
    value = (await cache.find(key, (tag,))).value
    assert value is not None and b"login" in value and b"salary" not in value


async def test_an_answer_about_others_than_were_asked_about_is_none():
    class Confused:
        async def fetch(self, company_id: str | None, wanted: Sequence[Wanted]) -> Any:
            return [{"owner": "ann"}] * (len(wanted) + 1)

    for source in (Confused(), CachedSource(Confused(), MemoryCache(), minutes)):
        found = await gathered(Gatherer({("resource", "tasks"): source}))
        assert (found.unanswered, found.request) == ({"resource"}, REQUEST)


async def test_a_name_that_was_not_asked_for_before_is_asked_for_with_the_others():
    tasks = known()
    source = CachedSource(tasks, MemoryCache(), minutes)
    for names in ({"owner"}, {"locked"}, {"owner", "locked"}, {"owner"}):
        await source.fetch("acme", [Wanted("resource", "tasks", "7", frozenset(names))])
    assert [asked[0].names for asked in tasks.asked] == [{"owner"}, {"owner", "locked"}]


async def test_what_one_company_was_told_no_other_is():
    class Told:
        async def fetch(self, company_id: str | None, wanted: Sequence[Wanted]) -> Any:
            return [{"owner": company_id} for _ in wanted]

    source = CachedSource(Told(), MemoryCache(), minutes)
    one = [Wanted("resource", "tasks", "7", frozenset({"owner"}))]
    for company in ("acme", "other", None, "acme"):
        assert await source.fetch(company, one) == [{"owner": company}]


async def test_what_does_not_exist_is_asked_for_again():
    tasks = Known()
    source = CachedSource(tasks, MemoryCache(), minutes)
    one = [Wanted("resource", "tasks", "7", frozenset({"owner"}))]
    assert await source.fetch("acme", one) == [None]
    tasks.entities["tasks7"] = {"owner": "ann"}
    assert await source.fetch("acme", one) == [{"owner": "ann"}]
