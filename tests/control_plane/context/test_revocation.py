"""A revoked permission is not served: not by a cache of one process or of all, not while events are
late, and with RabbitMQ gone no longer than was agreed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from taskman_authz.messaging import Event
from tests.control_plane.context.conftest import check, codes, publish, roles_event, sources, until
from tests.sidecar.process import SERVING, Sidecar

pytestmark = pytest.mark.process
USER = "user:1"
TRUST = 2.0  # seconds, the least that can be set


class Answer(NamedTuple):
    asked: float  # `time.monotonic`
    allowed: bool
    by: int


@contextmanager
def asked_all_the_while(sidecars: list[Sidecar], a_second: float) -> Iterator[list[Answer]]:
    """What sidecars answer while so many checks a second are made, to each its share."""
    answers: list[Answer] = []
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.wait(len(sidecars) / a_second):
            began = time.monotonic()
            answers.append(Answer(began, check(sidecars[number], subject=USER).allowed, number))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(sidecars))]
    for thread in threads:
        thread.start()
    yield answers
    over.set()
    for thread in threads:
        thread.join()


@pytest.fixture(params=["memory", "redis"])
def pair(request, policies, owner, start, amqp_url, redis_url) -> list[Sidecar]:
    """Two sidecars that remember attributes and decisions, in memory or in Redis."""
    flags = [
        *(policies, *sources(owner), "--roles-source", owner.address, "--amqp", amqp_url),
        *("--attribute-cache", request.param, "--decision-cache", request.param),
        *("--redis", redis_url, "--cache-trust", str(TRUST)),
    ]
    sidecars = [start(*flags), start(*flags)]
    for sidecar in sidecars:
        sidecar.wait_for_health("", SERVING)
        sidecar.wait_for_health("taskman_authz.events", SERVING)
    return sidecars


def remembered(sidecars: list[Sidecar], owner: Any) -> None:
    """Ask until nobody asks the owner any more."""

    def all_remember() -> bool:
        before = len(owner.asked)
        return all(check(each, subject=USER).allowed for each in sidecars) and (
            len(owner.asked) == before
        )

    until(all_remember, "nothing is remembered")


def arrived(sidecars: list[Sidecar], changed: Callable[[Sidecar], bool]) -> None:
    for sidecar in sidecars:
        until(lambda one=sidecar: changed(one), "the event did not arrive")


def test_once_the_event_has_arrived_a_revoked_role_allows_nothing(pair, owner, amqp_url):
    remembered(pair, owner)
    with asked_all_the_while(pair, 200) as answers:
        until(lambda: len(answers) > 50, "nothing is answered")
        publish(amqp_url, "iam.events", roles_event(2))
        # No condition and no cache has a say on this one: it shows the role itself.
        arrived(pair, lambda one: not check(one, "tasks:view", subject=USER))
        arrival, before = time.monotonic(), len(answers)
        until(lambda: len(answers) > before + 100, "nothing is answered")
    assert any(each.allowed for each in answers)
    assert [each for each in answers if each.asked > arrival and each.allowed] == []


def test_attributes_that_changed_are_asked_for_again_on_every_sidecar(pair, owner, amqp_url):
    remembered(pair, owner)
    owner.entities["acme", "tasks", "7"]["locked"] = True
    assert all(check(each, subject=USER).allowed for each in pair)  # nobody was told yet
    event = Event(type="task.updated", company_id="acme", data={"id": "7"})
    publish(amqp_url, "task.events", event)
    arrived(pair, lambda one: codes(check(one, subject=USER)) == ["denied_by_policy"])
    owner.entities["acme", "tasks", "7"]["locked"] = False
    publish(amqp_url, "task.events", Event(type="task.unlocked", data={"id": "7"}))  # of any
    arrived(pair, lambda one: check(one, subject=USER).allowed)
    owner.entities["acme", "user", "1"]["login"] = "annie"
    event = Event(type="user.updated", company_id="acme", data={"id": 1})
    publish(amqp_url, "user.events", event)
    arrived(pair, lambda one: codes(check(one, subject=USER)) == ["condition_not_met"])


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_without_rabbitmq_nothing_is_served_that_is_older_than_the_bound(
    fault, pair, owner, rabbitmq, amqp_url
):
    remembered(pair, owner)
    with asked_all_the_while(pair, 100) as answers:
        until(lambda: len(answers) > 20, "nothing is answered")
        rabbitmq.freeze() if fault == "frozen" else rabbitmq.kill()
        owner.entities["acme", "tasks", "7"]["locked"] = True  # of which nobody will be told
        revoked = time.monotonic()
        until(
            lambda: {each.by for each in answers if not each.allowed} == {0, 1},
            "what is not known any more is still served",
        )
        before = len(answers)
        until(lambda: len(answers) > before + 20, "nothing is answered")
    late = [each.asked - revoked for each in answers if each.allowed and each.asked > revoked]
    assert max(late, default=0) <= TRUST


def test_what_was_missed_while_rabbitmq_was_away_is_not_served_afterwards(
    pair, owner, rabbitmq, amqp_url
):
    remembered(pair, owner)
    snapshots = owner.snapshots
    rabbitmq.kill()
    for sidecar in pair:
        sidecar.wait_for("events wait")
    owner.roles = [("acme", "user:1", 2, ())]
    owner.entities["acme", "tasks", "7"]["owner"] = "bob"
    rabbitmq.start()
    until(lambda: owner.snapshots >= snapshots + 2, "nobody asks for the roles again")
    arrived(pair, lambda one: not check(one, subject=USER))
    for sidecar in pair:
        assert not check(sidecar, "tasks:view", subject=USER)
