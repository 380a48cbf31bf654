"""Deciding with what others know, remembered or not, is deciding with what they know now."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskman_authz_sidecar.decisions import Decisions
from taskman_authz_sidecar.door import Call
from taskman_authz_sidecar.gathering import Gathering, Remembering
from taskman_authz_sidecar.http.questions import Search
from taskman_authz_sidecar.http.searching import Searcher

from taskman_authz import PDP, Limits, UnavailableError, authorize, make_request
from taskman_authz.attributes import CachedSource, Gatherer, Wanted
from taskman_authz.bindings import Bindings, HeldRole, SubjectRoles
from taskman_authz.decision import INVALID, Decision
from taskman_authz.decision_cache import DecisionCache
from taskman_authz.pdp import Shadow, needs
from taskman_authz.policy import PolicySet
from taskman_authz.remembered import MemoryCache, resource_tag, subject_tag
from taskman_authz.request import CheckRequest
from taskman_authz.wire import read_decisions, write_batch
from tests.policy.helpers import compiled, document, policy

NAMES = ("ann", "bob")
OWN = policy("own", roles=["developer"], condition="resource.owner == subject.login")
LOCKED = policy("locked", effect="deny", condition="resource.locked")
NAMED = policy("named", roles=["viewer"], condition="subject.login == context.name")
ALL = policy("all", roles=["developer"])
MAY_BE_LOCKED = policy("may-be", effect="deny", condition="resource.?locked.orValue(false)")
SETS = [
    compiled(document(OWN, LOCKED)),
    compiled(document(OWN, LOCKED, NAMED)),
    compiled(document(ALL, MAY_BE_LOCKED)),
]
COMPANIES = ("acme", "other")


class World:
    """What is true, and a decision point that asks for it and remembers."""

    def __init__(self) -> None:
        self.facts: dict[tuple[str, str, str], dict[str, Any]] = {}
        for company in COMPANIES:
            for id in ("1", "2"):
                self.facts[company, "user", id] = {"login": NAMES[0]}
                self.facts[company, "tasks", id] = {"owner": NAMES[0], "locked": False}
        self.bindings = Bindings()
        self.version = 0
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.waiting = 0
        self.attributes, self.decisions = MemoryCache(), MemoryCache()
        self.pdp = PDP(SETS[0])
        source = CachedSource(self, self.attributes, lambda _one: 600)
        gatherer = Gatherer({("subject", "user"): source, ("resource", "tasks"): source}, 60)
        remembering = Remembering(DecisionCache(self.decisions), self.held)
        self.gathering = Gathering(gatherer, remembering)

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        if self.is_away:
            raise UnavailableError("away")
        answer = [dict(self.facts[company_id or "", one.type, one.id]) for one in wanted]
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        return answer

    def held(self, request: CheckRequest) -> Any:
        subject = f"{request.subject_type}:{request.subject_id}"
        return self.bindings.held(request.company_id, subject, request.now)

    def request(self, company: str, user: str, task: str, name: str) -> CheckRequest:
        asked = make_request(f"user:{user}", "tasks:edit", f"tasks/{task}", {"name": name}, company)
        roles = list(self.held(asked).roles)
        return msgspec.structs.replace(asked, roles=None, subject={"roles": roles})

    async def decide(self, request: CheckRequest) -> Decision:
        _, decision = await self.gathering.decide(self.pdp, request, self.pdp.policies, None)
        return decision

    def truth(self, request: CheckRequest) -> Decision:
        company = request.company_id or ""
        user = self.facts[company, "user", request.subject_id] | {"roles": list(request.roles)}
        task = self.facts[company, "tasks", request.resource_id]
        whole = msgspec.structs.replace(request, roles=None, subject=user, resource=task)
        return authorize(self.pdp.policies, whole)

    async def change(self, company: str, kind: str, id: str, name: str, locked: bool) -> None:
        fact = {"login": name} if kind == "user" else {"owner": name, "locked": locked}
        self.facts[company, kind, id] = fact
        tag = (subject_tag if kind == "user" else resource_tag)(company, kind, id)
        await self.drop([tag])

    async def give(self, company: str, id: str, roles: Sequence[str]) -> None:
        self.version += 1
        held = tuple(map(HeldRole, roles))
        self.bindings.apply(SubjectRoles(company, f"user:{id}", self.version, held))
        await self.drop([subject_tag(company, "user", id)])

    async def drop(self, tags: list[str]) -> None:
        await self.attributes.drop(tags)
        await self.decisions.drop(tags)


companies, ids, names = st.sampled_from(COMPANIES), st.sampled_from("12"), st.sampled_from(NAMES)
roles = st.lists(st.sampled_from(["developer", "viewer"]), unique=True)
questions = st.tuples(companies, ids, ids, names)
changes = st.tuples(companies, st.sampled_from(["user", "tasks"]), ids, names, st.booleans())
events = st.one_of(
    st.tuples(st.just("change"), changes),
    st.tuples(st.just("change while asked"), st.tuples(questions, changes)),
    st.tuples(st.just("give"), st.tuples(companies, ids, roles)),
    st.tuples(st.just("install"), st.sampled_from(SETS)),
    st.tuples(st.just("away"), st.booleans()),
)


async def happen(world: World, what: str, with_: Any) -> None:
    if what == "change":
        await world.change(*with_)
    elif what == "change while asked":
        question, change = with_
        await world.attributes.drop_all()
        await world.decisions.drop_all()
        world.gate, world.waiting = asyncio.Event(), 0
        asking = asyncio.create_task(world.decide(world.request(*question)))
        for _ in range(20):  # it has come to the source, or was answered without
            await asyncio.sleep(0)
        await world.change(*change)
        world.gate.set()
        await asking  # either answer is right: it was asked before, and answered after
        world.gate = None
    elif what == "give":
        await world.give(*with_)
    elif what == "install":
        world.pdp.install(with_)
    else:
        world.is_away = with_


async def is_true(world: World) -> None:
    """Ask everything."""
    for question in itertools.product(COMPANIES, "12", "12", NAMES):
        request = world.request(*question)
        decision, truth = await world.decide(request), world.truth(request)
        assert decision == truth or (world.is_away and not decision.allowed)


@given(st.sampled_from(SETS), st.lists(events, max_size=10))
def test_what_is_decided_is_what_is_true_now_whatever_happened_before(policies, happened):
    async def live() -> None:
        world = World()
        world.pdp.install(policies)
        for company in COMPANIES:
            await world.give(company, "1", ["developer", "viewer"])
        await is_true(world)
        for what, with_ in happened:
            await happen(world, what, with_)
            await is_true(world)

    asyncio.run(live())


async def test_a_candidate_beside_is_given_what_it_needs_too():
    world = World()
    differences: list[bool] = []
    candidate = PDP(compiled(document(policy("all", condition="resource.owner == 'ann'"))))
    world.pdp = PDP(compiled(document(policy("named", condition="subject.login == 'ann'"))))
    world.pdp.shadow = Shadow(
        candidate, lambda _asked, _live, found: differences.append(bool(found))
    )
    gatherer = Gatherer({("subject", "user"): world, ("resource", "tasks"): world}, 60)
    world.gathering = Gathering(gatherer)
    request = world.request("acme", "1", "1", "ann")
    assert (await world.decide(request)).allowed
    assert differences == []
    world.facts["acme", "tasks", "1"]["owner"] = "bob"
    assert (await world.decide(request)).allowed
    assert differences == [False]


async def test_a_decision_is_remembered_no_longer_than_its_roles_are_held():
    world = World()
    now = make_request("user:1", "tasks:edit", "tasks/1").now
    kept: list[float] = []

    async def keep(_key: str, _epochs: Any, _value: bytes, seconds: float) -> None:
        kept.append(seconds)

    world.decisions.keep = keep
    ends = datetime.fromtimestamp(now / 1e9 + 10, UTC)
    world.bindings.apply(
        SubjectRoles("acme", "user:1", 1, (HeldRole("developer", ends), HeldRole("viewer")))
    )
    await world.decide(world.request("acme", "1", "1", "ann"))
    assert len(kept) == 1 and 0 < kept[0] <= 10


@pytest.mark.parametrize("set", SETS)
def test_the_questions_here_need_something(set):
    assert needs(set, World().request("acme", "1", "1", "ann"))


def test_a_search_finds_nothing_that_an_evaluation_would_not_allow():
    """Whether a task is locked its owner knows, who is asked for an evaluation and not here."""
    request = make_request({"type": "user", "id": "1", "roles": ["developer"]}, "any", "tasks/1")
    search = Search(msgspec.structs.replace(request, company_id="acme"), None, "", False)

    def found(policies: PolicySet, gathering: Gathering | None) -> list[str]:
        decisions = Decisions(PDP(policies), gathering=gathering)
        return Searcher(decisions, None).find("action", search)[0]

    edit = policy("edit", actions=["tasks:edit"])
    nobody = Gathering(Gatherer({}))
    for deny, others, actions in [
        (None, World().gathering, ["tasks:edit"]),
        (MAY_BE_LOCKED, World().gathering, []),
        (MAY_BE_LOCKED, nobody, ["tasks:edit"]),
        (MAY_BE_LOCKED, None, ["tasks:edit"]),
    ]:
        rules = [edit] if deny is None else [edit, deny]
        assert found(compiled(document(*rules)), others) == actions


def test_a_batch_ends_when_its_time_is_over_and_what_is_left_is_denied():
    developer = {"type": "user", "id": "1", "roles": ["developer"]}
    request = make_request(developer, "tasks:view", "tasks/1", company_id="acme")
    pdp = PDP(compiled(document(ALL)))
    hurried = Decisions(pdp, Limits(batch_milliseconds=0))
    assert all(Decisions(pdp).decide_each([request] * 40))
    late = list(hurried.decide_each([request] * 40))
    assert [(each.allowed, each.reasons[0].code) for each in late] == [(False, INVALID)] * 40
    assert "batch_milliseconds" in late[0].reasons[0].message
    message, _ = write_batch([request] * 40)
    for decisions, answer in [(hurried, [False] * 40), (Decisions(pdp), [True] * 40)]:
        call, end = Call("grpc", "BatchCheck"), decisions.end_of_batch()
        found = decisions.answer_batch_message(message, call, end)
        assert found is not None
        assert [each.allowed for each in read_decisions(found)] == answer
