"""Each server and each service is killed once while people work: no task is lost, no event is lost
or has its effect twice, nobody may what the policies forbid, and nothing else has to be started
again."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from examples.taskman.stage.__main__ import company_on
from examples.taskman.stage.company import Company, Person, bearer
from examples.taskman.stage.services import SERVICES, Running, running
from tools.servers import missing

pytestmark = pytest.mark.servers

AWAY = 2.0  # seconds that a server is away
PATIENCE = 60.0  # seconds until all is well again
WORKERS = 4
SERVERS = ("redis", "rabbitmq", "postgresql")
PROCESSES = ("authorization-service", *(each.name for each in SERVICES))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    if missing() and not os.environ.get("CI"):
        pytest.skip(f"missing here: {', '.join(missing())}")
    monkeypatch.setenv("TASKMAN_BREAKER_TIMEOUT", "2")
    for name in ("ADDRESS", "USER", "ROUTE"):
        monkeypatch.setenv(f"TASKMAN_RATE_OF_{name}", "1000000")
    with running(0, lambda _: None) as found:
        yield found


class Work:
    """What people do all the while, and what came of it. `created` and `assigned` are the tasks of
    which somebody was told that it is done."""

    def __init__(self, web: httpx.AsyncClient, people: dict[str, Person], project: str) -> None:
        self._web = web
        self._people = people
        self._project = project
        self.created: list[str] = []
        self.assigned: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []  # what was allowed and is forbidden
        self.rounds = 0  # in which all that may be done was done

    async def go_on(self) -> None:
        while True:
            self.rounds += await self._round()

    async def _round(self) -> bool:
        dan, sam = self._people["dan"], self._people["sam"]
        body = {"title": f"T{len(self.created)}", "project_id": self._project}
        made = await self._ask(dan, "POST", "/tasks", body)
        if made is None:
            return False
        task = made["task"]["id"]
        self.created.append(task)
        path = f"/tasks/{task}"
        given = await self._ask(dan, "PUT", f"{path}/assignee", {"assignee_id": sam.id})
        if given is not None:
            self.assigned.append(task)
        seen = await self._ask(sam, "GET", path)
        for name, verb, sent in (
            ("eve", "PATCH", {"title": "Mine"}), ("eve", "DELETE", None),
            ("stranger", "GET", None), ("stranger", "PATCH", {"title": "Mine"}),
        ):  # fmt: skip
            if await self._ask(self._people[name], verb, path, sent) is not None:
                self.wrong.append(f"{name}: {verb} {path}")
        return given is not None and seen is not None

    async def _ask(self, who: Person, verb: str, path: str, body: Any = None) -> Any:
        """What is answered; None where it is no success."""
        try:
            answer = await self._web.request(verb, path, json=body, headers=bearer(who))
        except httpx.TransportError:  # the gateway is away
            await asyncio.sleep(0.05)
            return None
        self.statuses[answer.status_code] += 1
        if answer.status_code == 503:
            await asyncio.sleep(0.05)
        return answer.json() if answer.is_success else None


async def wait_until(holds: Callable[[], Coroutine[Any, Any, bool]], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not await holds():
        assert time.monotonic() < until, what
        await asyncio.sleep(0.1)


async def well_again(work: Work, after: str) -> None:
    """Everybody gets on."""
    before = work.rounds

    async def is_well() -> bool:
        return work.rounds >= before + 2 * WORKERS

    await wait_until(is_well, f"after {after}: {dict(work.statuses)}")


async def chaos(stage: Running, work: Work) -> None:
    await well_again(work, "the start")
    for name in SERVERS:
        server = getattr(stage.servers, name)
        server.kill()
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(server.revive)
        await well_again(work, name)
    for name in PROCESSES:
        stage.processes[name].kill()
        await well_again(work, name)


async def counted(dsn: str, query: str, ids: list[str]) -> Counter[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return Counter(row["id"] for row in await connection.fetch(query, ids))
    finally:
        await connection.close()


async def has_each_once(dsn: str, query: str, ids: list[str], what: str) -> None:
    found: Counter[str] = Counter()

    async def is_there() -> bool:
        nonlocal found
        found = await counted(dsn, query, ids)
        return len(found) == len(ids)

    await wait_until(is_there, f"{what}: some are missing")
    assert set(found.values()) <= {1}, f"{what}: {found.most_common(3)}"


async def day(stage: Running) -> Work:
    async with company_on(stage) as (web, company), company_on(stage) as (_, other):
        people, project = await staff(web, company)
        people["stranger"] = await other.first_admin("stranger@example.com")
        work = Work(web, people, project)
        workers = [asyncio.create_task(work.go_on()) for _ in range(WORKERS)]
        try:
            await chaos(stage, work)
        finally:
            for each in workers:
                each.cancel()
            await asyncio.wait(workers)
        for task in work.created:
            answer = await web.get(f"/tasks/{task}", headers=bearer(people["dan"]))
            assert answer.status_code == 200, (task, answer.text)
    return work


async def staff(web: httpx.AsyncClient, company: Company) -> tuple[dict[str, Person], str]:
    admin = await company.first_admin("admin@example.com")
    people = {
        name: await company.hire(admin, name, role, "engineering")
        for name, role in (
            ("mia", "project-manager"), ("dan", "developer"), ("sam", "developer"),
            ("eve", "viewer"),
        )
    }  # fmt: skip
    body = {"name": "Apollo", "members": [people["dan"].id, people["sam"].id]}
    answer = await web.post("/projects", json=body, headers=bearer(people["mia"]))
    answer.raise_for_status()
    return people, answer.json()["project"]["id"]


def put_aside(stage: Running) -> dict[str, int]:
    """The events that could not be handled, by queue."""
    queues = stage.servers.rabbitmq.api("GET", "queues/taskman")
    return {
        each["name"]: each["messages"]
        for each in queues
        if each["name"].endswith(".dlq") and each.get("messages")
    }


def test_no_task_and_no_event_is_lost_whatever_is_killed(stage: Running):
    work = asyncio.run(day(stage))
    assert work.wrong == []
    assert work.statuses[403] and work.statuses[404]  # it was tried
    created = (
        "SELECT target_id AS id FROM audit_events"
        " WHERE event_type = 'task.created' AND target_id = ANY($1)"
    )
    asyncio.run(has_each_once(stage.dsns["audit"], created, work.created, "entries of the trail"))
    told = (
        "SELECT substring(body FROM '/tasks/([0-9a-f-]{36})') AS id FROM notification_logs"
        " WHERE subject LIKE 'Yours now%' AND status = 'sent'"
        " AND substring(body FROM '/tasks/([0-9a-f-]{36})') = ANY($1)"
    )
    asyncio.run(has_each_once(stage.dsns["notification"], told, work.assigned, "mails"))
    assert put_aside(stage) == {}
    starts = {name: each.starts for name, each in stage.processes.items()}
    assert starts == {name: 2 if name in PROCESSES else 1 for name in starts}
