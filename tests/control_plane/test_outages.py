"""Each server is away for a while, one after the other, while checks go on: every answer is right,
health and metrics tell, and nothing has to be started again.

OUTAGE_SECONDS=30 has each be away for so long.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from taskman_authz.messaging import Event
from taskman_authz.store.postgres import Create, Detach, Put
from tests.control_plane.asking import PATIENCE, persist, until
from tests.control_plane.context import conftest as context
from tests.control_plane.context.conftest import TASK, check, publish, sources
from tests.policy.helpers import policy
from tests.sidecar.process import NOT_SERVING, SERVING, Sidecar
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import METRICS, metrics_of

pytestmark = pytest.mark.process

AWAY = float(os.environ.get("OUTAGE_SECONDS", "4"))
CALLERS = 4
PAUSE = 0.02  # seconds between two questions of one
TRUST = 2.0  # of `--cache-trust`
# Seconds within which a change must count: what is trusted, a look at the database, and a machine
# that does other things besides.
BOUND = TRUST + 3.0
OWN = policy(
    "own",
    roles=["developer"],
    actions=["tasks:edit"],
    resources=["tasks/*"],
    condition="resource.owner == subject.login",
)
VIEW = policy("look", roles=["developer"], actions=["tasks:view"], resources=["tasks/*"])
USER = "user:1"  # of acme, a developer: her roles and her login are told by others
QUESTIONS = [
    (action, task, company)
    for action, task, company in itertools.product(
        ("tasks:edit", "tasks:view"), ("tasks/7", "tasks/8"), ("acme", "other")
    )
]


owner = context.owner  # a fixture


class World:
    """What is true, from when on. `owners` has who owns which task, `views` is whether a policy
    lets developers view tasks."""

    def __init__(self) -> None:
        self.owners = {"7": "ann", "8": "bob"}
        self.views = True
        self.states = [(0.0, self._now())]

    def _now(self) -> dict[Any, bool]:
        mine = {id: owner == "ann" for id, owner in self.owners.items()}
        return {
            (action, task, company): company == "acme"
            and (self.views if action == "tasks:view" else mine[task[-1]])
            for action, task, company in QUESTIONS
        }

    def changed(self) -> None:
        """From now on it may be so, and soon it must."""
        self.states.append((time.monotonic(), self._now()))

    def may_be(self, question: Any, began: float, ended: float) -> set[bool]:
        """The right answers to a question of that time."""
        starts = [start for start, _ in self.states[1:]] + [float("inf")]
        return {
            truth[question]
            for (start, truth), end in zip(self.states, starts, strict=True)
            if start <= ended and end >= began - BOUND
        }


class Answer(NamedTuple):
    question: Any
    allowed: bool
    began: float
    ended: float


@contextmanager
def asked_all_the_while(sidecar: Sidecar) -> Iterator[list[Answer]]:
    """What is answered while checks go on."""
    answers: list[Answer] = []
    over = threading.Event()

    def ask(first: int) -> None:
        for question in itertools.islice(itertools.cycle(QUESTIONS), first, None):
            action, task, company = question
            began = time.monotonic()
            allowed = check(sidecar, action, task, USER, company).allowed
            answers.append(Answer(question, allowed, began, time.monotonic()))
            if over.wait(PAUSE):
                return

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
async def sidecar(platform, owner, start, amqp_url, redis_url) -> Sidecar:
    """One that is told of policies, roles, attributes and changes by servers."""
    owner.entities["acme", "tasks", "8"] = {**TASK, "owner": "bob"}
    await platform.write([Put({"name": "developer"}), Create(OWN), Create(VIEW)])
    made: Sidecar = start(
        *(*sources(owner), "--roles-source", owner.address, "--amqp", amqp_url),
        *("--redis", redis_url, "--attribute-cache", "redis", "--decision-cache", "redis"),
        *("--cache-trust", str(TRUST), "--reload-interval", "0.2", *METRICS),
    )
    for service in ("", "taskman_authz.events", "taskman_authz.policies"):
        made.wait_for_health(service, SERVING)
    return made


@pytest.mark.parametrize("fault", ["killed", "frozen"])
@pytest.mark.parametrize("which", ["postgresql", "redis", "rabbitmq"])
async def test_every_answer_is_right_while_a_server_is_away(
    which, fault, request, sidecar, platform, owner, amqp_url
):
    server = request.getfixturevalue("redis_server" if which == "redis" else which)
    world = World()
    with asked_all_the_while(sidecar) as answers:
        await until(lambda: len(answers) > 50)
        await asyncio.to_thread(server.freeze if fault == "frozen" else server.kill)
        gone = time.monotonic()
        await tells(sidecar, which, away=True)
        # The world goes on: tasks change hands, and policies where they can be written.
        world.owners = {"7": "bob", "8": "ann"}
        world.views = which == "postgresql"
        world.changed()
        for id, name in world.owners.items():
            owner.entities["acme", "tasks", id]["owner"] = name
        if which != "postgresql":
            await platform.write([Detach("look", "developer")])
        if which != "rabbitmq":
            await asyncio.to_thread(tell_of_tasks, amqp_url)
        await until(lambda: time.monotonic() > gone + AWAY, AWAY + PATIENCE)
        assert sidecar.process.poll() is None
        await asyncio.to_thread(server.revive)
        await tells(sidecar, which, away=False)
        if which == "rabbitmq":  # until now it waited with who tells it
            await asyncio.to_thread(tell_of_tasks, amqp_url)
        # And what is written from now on counts.
        world.views = not world.views
        world.changed()
        roles = ["developer"] if world.views else []
        await persist(lambda: platform.write([Put({**VIEW, "roles": roles})]))
        before = time.monotonic()
        await until(lambda: answers[-1].began > before + BOUND + 1)
    wrong = [
        (each.question, each.allowed, round(each.began - gone, 3))
        for each in answers
        if each.allowed not in world.may_be(each.question, each.began, each.ended)
    ]
    assert wrong == []
    meanwhile = [each for each in answers if gone < each.began < gone + AWAY]
    assert len(meanwhile) > AWAY * 10, "checks stood still"
    assert max(each.ended - each.began for each in meanwhile) < 5


def tell_of_tasks(amqp_url: str) -> None:
    """Both have changed hands."""
    events = [Event(type="task.updated", company_id="acme", data={"id": id}) for id in "78"]
    publish(amqp_url, "task.events", *events)


async def tells(sidecar: Sidecar, which: str, away: bool) -> None:
    """Wait until health and metrics say that a server is away, or that it is back."""

    def metric(name: str) -> float:
        return value(look(metrics_of(sidecar)), f"taskman_authz_{name}")

    health = NOT_SERVING if away else SERVING
    if which == "postgresql":
        await until(lambda: sidecar.health("taskman_authz.policies") == health)
        await until(lambda: (metric("policy_staleness_seconds") > 1) is away)
    elif which == "redis":
        await until(lambda: metric("redis_up") == (0 if away else 1))
    else:
        await until(lambda: sidecar.health("taskman_authz.events") == health)
        await until(lambda: (metric("events_behind_seconds") > 0) is away)
