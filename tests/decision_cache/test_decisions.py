"""Promises of remembered decisions: how long they are, and what tells two questions apart."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CheckRequest, Decision, Entity, Reason, make_request
from taskman_authz.decision_cache import DecisionCache, question
from taskman_authz.remembered import MemoryCache

ALLOWED = Decision(True, (Reason("allowed_by_policy", "p", "yes"),), "r1")
DENIED = Decision(False, (Reason("no_policy_applies", "", "no"),), "r1")
REQUEST = make_request("user:1", "tasks:edit", "tasks/7", company_id="acme")


def asked(request: CheckRequest = REQUEST, revision: str = "r1", epoch: str = "") -> Any:
    found = question(request, revision, epoch)
    assert found is not None
    return found


ASKED = asked()


def test_a_decision_is_found_as_it_was_until_its_subject_or_resource_changes():
    async def steps() -> None:
        cache = MemoryCache()
        decisions = DecisionCache(cache)
        for decision in (ALLOWED, DENIED):
            for tag in ASKED.tags:
                known = await decisions.find(ASKED)
                await decisions.keep(ASKED, known.epochs, decision)
                assert (await decisions.find(ASKED)).decision == decision
                await cache.drop([tag])
                assert (await decisions.find(ASKED)).decision is None

    asyncio.run(steps())


def test_a_decision_is_remembered_no_longer_than_what_it_stands_on():
    async def steps() -> None:
        now = 0.0
        decisions = DecisionCache(MemoryCache(clock=lambda: now), seconds=300)
        epochs = (await decisions.find(ASKED)).epochs
        for seconds, ends in ((10.0, 10.0), (1_000.0, 300.0), (None, 300.0)):
            now = 0.0
            await decisions.keep(ASKED, epochs, ALLOWED, seconds)
            now = ends - 0.1
            assert (await decisions.find(ASKED)).decision == ALLOWED
            now = ends
            assert (await decisions.find(ASKED)).decision is None
        now = 1_000.0
        await decisions.keep(ASKED, epochs, ALLOWED, 0)
        await decisions.keep(ASKED, None, ALLOWED)
        assert (await decisions.find(ASKED)).decision is None

    asyncio.run(steps())


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
