"""Promises of the gateway: one door, and nobody passes it unseen."""

from __future__ import annotations

import asyncio
import http.client
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from taskman.audit.app import SERVICE_DEFINITION as AUDIT
from taskman.authentication.app import SERVICE_DEFINITION as AUTHENTICATION
from taskman.chassis.service import Service
from taskman.gateway import asking
from taskman.gateway.app import SERVICE_DEFINITION
from taskman.gateway.openapi import document
from taskman.gateway.routes import ROUTES, Route, checked
from taskman.iam_admin.app import SERVICE_DEFINITION as IAM
from taskman.notification.app import SERVICE_DEFINITION as NOTIFICATION
from taskman.task.app import SERVICE_DEFINITION as TASK
from taskman.user.app import SERVICE_DEFINITION as USER

from examples.taskman.tests.conftest import (
    PATIENCE,
    SECRET,
    Who,
    World,
    known,
    service_metadata,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "correct horse battery staple"


class Door(NamedTuple):
    gateway: Service
    users: Service
    tasks: Service
    world: World
    peers: Mapping[str, str]
    web: httpx.AsyncClient

    async def ask(
        self, verb: str, path: str, who: Who | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers |= dict(who.metadata)
        if body is not None:
            more["json"] = body
        return await self.web.request(verb, path, headers=headers, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(blank: World) -> AsyncIterator[Door]:
    users = await blank.start(USER)
    tasks = await blank.start(TASK, peers={"user-service": users.address})
    authentication = await blank.start(
        AUTHENTICATION, peers={"user-service": users.address}, key_secret=SECRET, bcrypt_cost=4
    )
    audit = await blank.start(AUDIT, peers={"user-service": users.address})
    decides = await blank.decision_point(SECRET)
    asked = {"user-service": users.address, "authorization-service": decides.address}
    iam = await blank.start(IAM, peers=asked, authz_token=SECRET)
    asked = {"user-service": users.address, "task-service": tasks.address}
    tells = await blank.start(NOTIFICATION, peers=asked, webhook_key=SECRET)
    peers = {
        "notification-service": tells.address,
        "iam-admin-service": iam.address,
        "audit-service": audit.address,
        "user-service": users.address,
        "task-service": tasks.address,
        "authentication-service": authentication.address,
    }
    generous = {"rate_of_address": 100_000, "rate_of_user": 100_000, "rate_of_route": 100_000}
    gateway = await blank.start(SERVICE_DEFINITION, peers=peers, **generous)
    async with httpx.AsyncClient(
        base_url=f"http://{gateway.http_address}", timeout=PATIENCE
    ) as web:
        yield Door(gateway, users, tasks, blank, peers, web)
    await blank.close()


class Team(NamedTuple):
    manager: Who
    developer: Who
    viewer: Who
    project: str
    task: str


async def team(door: Door) -> Team:
    """A company with a project that its manager owns and a task that its developer made."""
    manager = await known(door.users, "project-manager")
    developer = await known(door.users, "developer", company_id=manager.company_id)
    viewer = await known(door.users, "viewer", company_id=manager.company_id)
    answer = await door.ask("POST", "/projects", manager, {"name": "P", "members": [developer.id]})
    assert answer.status_code == 200, answer.text
    project = answer.json()["project"]["id"]
    answer = await door.ask("POST", "/tasks", developer, {"title": "T", "project_id": project})
    assert answer.status_code == 200, answer.text
    return Team(manager, developer, viewer, project, answer.json()["task"]["id"])


def is_problem(answer: httpx.Response, status: int, detail: str = "") -> bool:
    """Whether an answer is this problem, as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status and told["request_id"] == answer.headers["x-request-id"]
    assert detail in told["detail"], told
    return True


# -- every route ---------------------------------------------------------------------------------


async def test_what_may_be_done_is_done_by_the_service_behind(door):
    world = await team(door)
    task = f"/tasks/{world.task}"
    answer = await door.ask("PATCH", task, world.developer, {"title": "Other", "priority": "high"})
    assert (answer.json()["task"]["title"], answer.json()["task"]["priority"]) == ("Other", "high")
    answer = await door.ask("POST", f"{task}/comments", world.developer, {"comment": "Hm."})
    assert answer.status_code == 200
    answer = await door.ask("GET", task, world.viewer)
    assert answer.json()["task"]["id"] == world.task
    given = {"assignee_id": world.developer.id}
    answer = await door.ask("PUT", f"{task}/assignee", world.developer, given)
    assert answer.json()["task"]["assignee_id"] == world.developer.id
    answer = await door.ask("DELETE", f"{task}/assignee", world.developer)
    assert answer.json()["task"]["assignee_id"] == ""
    answer = await door.ask("GET", "/tasks", world.viewer, params={"project_id": world.project})
    assert [each["id"] for each in answer.json()["tasks"]] == [world.task]
    answer = await door.ask("GET", f"/projects/{world.project}", world.developer)
    assert answer.json()["project"]["owner_id"] == world.manager.id
    answer = await door.ask(
        "PATCH", f"/projects/{world.project}", world.manager, {"description": "D"}
    )
    assert answer.json()["project"]["description"] == "D"
    answer = await door.ask("DELETE", task, world.developer)
    assert answer.status_code == 200
    answer = await door.ask("DELETE", f"/projects/{world.project}", world.manager)
    assert answer.status_code == 200


async def test_users_are_added_found_changed_and_removed(door):
    admin = await known(door.users, "admin")
    new = {"email": f"{uuid.uuid4()}@example.com", "username": f"u{uuid.uuid4().hex[:8]}"}
    user = (await door.ask("POST", "/users", admin, new)).json()["user"]
    path = f"/users/{user['id']}"
    assert (await door.ask("GET", path, admin)).json()["user"]["email"] == new["email"]
    listed = (await door.ask("GET", "/users", admin, params={"is_active": "true"})).json()["users"]
    assert user["id"] in [each["id"] for each in listed]
    found = await door.ask("GET", "/users/search", admin, params={"query": new["username"]})
    assert [each["id"] for each in found.json()["users"]] == [user["id"]]
    changes = {"first_name": "Ann", "is_active": False, "preferences": {"theme": "dark"}}
    changed = (await door.ask("PATCH", path, admin, changes)).json()["user"]
    assert changed["first_name"] == "Ann" and changed["preferences"]["theme"] == "dark"
    assert changed["is_active"] is False
    assert (await door.ask("DELETE", path, admin)).status_code == 200
    assert is_problem(await door.ask("GET", path, admin), 404, "no such user")


async def test_a_session_begins_goes_on_and_ends(door):
    user = await known(door.users, "developer")
    email = f"{user.id}@example.com"
    asked = await door.ask("POST", "/auth/login", body={"email": email, "password": PASSWORD})
    assert is_problem(asked, 401)
    nonsense = {"email": email, "password": "x", "ip_address": "10.0.0.1"}
    assert is_problem(await door.ask("POST", "/auth/login", body=nonsense), 400, "expected one of")
    assert (await door.ask("POST", "/auth/password", body={"email": email})).status_code == 200
    refused = await door.ask("POST", "/auth/refresh", body={"refresh_token": "x.y"})
    assert is_problem(refused, 401, "refresh token")
    assert is_problem(await door.ask("POST", "/auth/logout", user), 403, "belongs to no session")
    code = {"code": "123456"}
    answer = await door.ask("POST", "/auth/factor/confirmation", user, code)
    assert is_problem(answer, 404, "no such session")
    own = f"/users/{user.id}/factor"
    assert is_problem(await door.ask("DELETE", own, user), 404, "no second factor")
    of_another = f"/users/{uuid.uuid4()}/factor"
    assert is_problem(await door.ask("DELETE", of_another, user), 403)
    admin = await known(door.users, "admin", company_id=user.company_id)
    assert is_problem(await door.ask("DELETE", of_another, admin), 404, "no second factor")


async def test_roles_are_given_and_taken_by_who_may(door):
    admin = await known(door.users, "admin")
    user = await known(door.users, company_id=admin.company_id)
    path = f"/users/{user.id}/roles/developer"
    ends = {"expires_at": "2999-01-01T00:00:00Z"}
    answer = await door.ask("PUT", path, admin, ends)
    assert [(each["name"], each["expires_at"][:4]) for each in answer.json()["roles"]] == [
        ("developer", "2999")
    ]
    assert is_problem(await door.ask("PUT", path, user, {}), 403)
    assert is_problem(await door.ask("PUT", f"/users/{admin.id}/roles/auditor", admin, {}), 403)
    assert (await door.ask("DELETE", path, admin)).json()["roles"] == []
    assert is_problem(await door.ask("DELETE", path, admin), 404, "do not hold")


async def test_policies_are_changed_in_confirmed_sessions_only(door):
    admin = await known(door.users, "admin")
    policy = {"id": "p", "effect": "allow", "roles": ["viewer"], "actions": ["tasks:comment"]}
    assert is_problem(await door.ask("POST", "/policies", admin, policy), 403)
    confirmed = admin._replace(mfa=True)
    answer = await door.ask("POST", "/policies", confirmed, policy)
    assert is_problem(answer, 400, "resources")  # it has none
    policy["resources"] = ["tasks/*"]
    written = (await door.ask("POST", "/policies", confirmed, policy)).json()["written"]
    assert int(written["revision"]) > 0
    entries = (await door.ask("GET", "/policies", admin, params={"text": "p"})).json()["entries"]
    assert "p" in [each["policy"]["id"] for each in entries]
    for verb, path in [("PUT", "/policies/p/roles/auditor"), ("DELETE", "/policies/p")]:
        assert is_problem(await door.ask(verb, path, admin), 403)
        assert (await door.ask(verb, path, confirmed)).status_code == 200
    assert is_problem(await door.ask("GET", "/roles", await known(door.users, "developer")), 403)


async def test_people_are_told_things_by_who_may(door):
    company, others = await team(door), await team(door)
    admin = await known(door.users, "admin", company_id=company.viewer.company_id)
    text = {"text": {"subject": "Hello", "body": "How are you?"}}
    to = {"user_id": company.developer.id, **text}
    answer = await door.ask("POST", "/notifications/email", admin, to)
    assert answer.json()["notification"]["status"] == "pending"
    in_project = {**to, "project_id": company.project}
    assert (await door.ask("POST", "/notifications/email", company.manager, in_project)).is_success
    assert is_problem(await door.ask("POST", "/notifications/email", company.manager, to), 403)
    of_others = {**to, "user_id": others.developer.id}
    assert is_problem(await door.ask("POST", "/notifications/email", admin, of_others), 404)
    assert is_problem(await door.ask("POST", "/notifications/push", admin, to), 409, "set up")
    hook = {"url": "https://example.com/", "event_type": "task.completed", "data": {"task": 7}}
    answer = await door.ask("POST", "/notifications/webhook", admin, hook)
    assert answer.json()["secret"].startswith("whsec_")
    plain = {**hook, "url": "http://example.com/"}
    assert is_problem(await door.ask("POST", "/notifications/webhook", admin, plain), 403)
    own = {"user_id": company.developer.id}
    for who in (company.developer, admin):
        sent = await door.ask("GET", "/notifications", who, params=own)
        assert [each["subject"] for each in sent.json()["notifications"]] == ["Hello", "Hello"]
    assert is_problem(await door.ask("GET", "/notifications", company.manager, params=own), 403)


async def test_what_happened_is_told_to_who_may_know(door):
    world = await team(door)
    auditor = await known(door.users, "auditor", company_id=world.viewer.company_id)

    async def found() -> list[str]:
        answer = await door.ask("GET", "/audit/events", auditor, params={"event_type": "task."})
        return [each["event_type"] for each in answer.json()["events"]]

    async def is_there() -> bool:
        return await found() == ["task.created"]

    await until(is_there)
    mine = await door.ask("GET", f"/audit/users/{world.developer.id}", world.developer)
    assert [each["target_id"] for each in mine.json()["events"]] == [world.task]
    assert is_problem(await door.ask("GET", "/audit/events", world.developer), 403)
    times = {"from": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z", "format": "csv"}
    report = (await door.ask("GET", "/audit/report", auditor, params=times)).json()
    assert report["is_whole"] and report["media_type"] == "text/csv"


async def test_a_denial_has_the_reasons_of_the_policies(door):
    world = await team(door)
    answer = await door.ask("PATCH", f"/tasks/{world.task}", world.viewer, {"title": "Mine"})
    assert is_problem(answer, 403)
    assert answer.json()["detail"] and world.viewer.id not in answer.text
    assert is_problem(await door.ask("POST", "/projects", world.viewer, {"name": "P"}), 403)


async def test_what_is_another_companys_is_not_there(door):
    world, other = await team(door), await team(door)
    for verb, path, body in [
        ("GET", f"/tasks/{world.task}", None),
        ("PATCH", f"/tasks/{world.task}", {"title": "Mine"}),
        ("DELETE", f"/tasks/{world.task}", None),
        ("GET", f"/projects/{world.project}", None),
        ("GET", f"/users/{world.viewer.id}", None),
        ("POST", "/tasks", {"title": "T", "project_id": world.project}),
    ]:
        assert is_problem(
            await door.ask(verb, path, other.developer, body), 404, "there is no such"
        )
    assert (await door.ask("GET", "/tasks", other.viewer)).json()["tasks"][0]["id"] == other.task


async def test_who_has_no_good_token_gets_nowhere(door):
    world = await team(door)
    path = f"/tasks/{world.task}"
    for headers in (
        {},
        {"authorization": "Bearer x"},
        {"authorization": "Basic YTpi"},
        {"authorization": dict(world.viewer.metadata)["authorization"] + "x"},
    ):
        answer = await door.ask("GET", path, headers=headers)
        assert is_problem(answer, 401) and answer.headers["www-authenticate"] == "Bearer"
    service = dict(service_metadata("task-service", world.viewer.company_id))
    assert is_problem(await door.ask("GET", path, headers=service), 403, "for users")
    stranger = Who(str(uuid.uuid4()), world.viewer.company_id, ("admin",))
    assert is_problem(await door.ask("GET", path, stranger), 403)  # whom nobody knows


@pytest.mark.parametrize(
    ("verb", "path", "more", "status"),
    [
        ("GET", "/tasks/nothing", {}, 400),
        ("GET", "/tasks?unknown=1", {}, 400),
        ("GET", "/users?is_active=maybe", {}, 400),
        ("GET", "/users?page_size=many", {}, 400),
        ("GET", "/nowhere", {}, 404),
        ("PUT", "/tasks", {}, 405),
        ("POST", "/tasks", {"json": {"title": 1}}, 400),
        ("POST", "/tasks", {"json": {"title": "T", "owner": "me"}}, 400),
        ("POST", "/tasks", {"json": ["T"]}, 400),
        ("POST", "/tasks", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ("POST", "/tasks", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", "/tasks", {"content": b'{"title":"a","title":"b"}',
                            "headers": {"content-type": "application/json"}}, 400),
        ("POST", "/tasks", {"json": {"title": "x" * 300_000}}, 413),
        ("GET", "/tasks/%2e%2e%2fusers", {}, 400),
        ("GET", "/tasks/%252e", {}, 400),
        ("GET", "/tasks?status=%00", {}, 400),
        ("GET", "/tasks?status=%27%20or%201=1", {}, 400),
        ("GET", "/tasks?status=<script>", {}, 400),
        ("GET", "/tasks?page_token=${jndi:ldap://x}", {}, 400),
        ("GET", "/tasks/" + "x" * 600, {}, 414),
        ("GET", "/tasks?status=" + "x" * 3_000, {}, 414),
        ("GET", "/users/search?query=x", {}, 400),
    ],
)  # fmt: skip
async def test_what_is_no_request_is_refused_in_words(door, verb, path, more, status):
    who = await known(door.users, "admin")
    headers = {**more.pop("headers", {}), **dict(who.metadata)}
    # As it stands: a client would put the path in order.
    host, _, port = door.gateway.http_address.rpartition(":")
    url = httpx.URL(scheme="http", host=host, port=int(port), raw_path=path.encode())
    async with httpx.AsyncClient(timeout=PATIENCE) as web:
        answer = await web.send(web.build_request(verb, url, headers=headers, **more))
    assert is_problem(answer, status)


async def test_a_path_that_climbs_is_refused_as_it_stands(door):
    def ask(path: str) -> int:
        connection = http.client.HTTPConnection(door.gateway.http_address, timeout=PATIENCE)
        connection.request("GET", path)
        return connection.getresponse().status

    for path in ("/tasks/../users", "/tasks/./1", "//tasks", "/tasks/..;/users/..", "/tasks\\1"):
        assert await asyncio.to_thread(ask, path) in (400, 404), path
    assert await asyncio.to_thread(ask, "/tasks/../users") == 400


async def test_a_value_that_is_no_field_s_is_named(door):
    who = await known(door.users, "admin")
    answer = await door.ask("POST", "/tasks", who, {"title": "T", "priority": "soon"})
    assert is_problem(answer, 400)
    assert answer.json()["errors"][0]["field"] == "priority"
    answer = await door.ask("POST", "/tasks", who, {"title": "T", "due_date": "tomorrow"})
    assert is_problem(answer, 400) and answer.json()["errors"][0]["field"] == "due_date"
    assert "tomorrow" not in answer.text


# -- limits, kept answers, circuits ---------------------------------------------------------------


async def second(door: Door, **more: Any) -> tuple[Service, httpx.AsyncClient]:
    gateway = await door.world.start(SERVICE_DEFINITION, **{"peers": door.peers, **more})
    await gateway.redis.flushdb()  # a test has few of them, and others may have counted there
    return gateway, httpx.AsyncClient(base_url=f"http://{gateway.http_address}", timeout=PATIENCE)


async def test_who_asks_too_often_is_told_when_to_come_back(door):
    who = await known(door.users, "viewer")
    other = await known(door.users, "viewer")
    _, web = await second(door, rate_of_route=3)
    async with web:
        answers = [await web.get("/tasks", headers=dict(who.metadata)) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        left = [each.headers["ratelimit-remaining"] for each in answers]
        assert left == ["2", "1", "0", "0"] and answers[0].headers["ratelimit-limit"] == "3"
        assert is_problem(answers[3], 429) and 0 < int(answers[3].headers["retry-after"]) <= 60
        # Others, and other routes, have their own.
        assert (await web.get("/tasks", headers=dict(other.metadata))).status_code == 200
        path = f"/users/{who.id}"
        assert (await web.get(path, headers=dict(who.metadata))).status_code == 200


async def test_an_address_has_a_limit_whoever_asks_and_is_not_the_callers_to_say(door):
    _, web = await second(door, rate_of_address=2)
    async with web:
        answers = [
            await web.post("/auth/login", json={}, headers={"x-forwarded-for": f"10.0.0.{number}"})
            for number in range(3)
        ]
    assert [each.status_code for each in answers] == [400, 400, 429]
    _, web = await second(door, rate_of_address=2, proxies=1)
    async with web:  # behind a proxy of ours it is what that says
        answers = [
            await web.post(
                "/auth/login", json={}, headers={"x-forwarded-for": f"1.1.1.1, 10.0.0.{n}"}
            )
            for n in range(3)
        ]
    assert [each.status_code for each in answers] == [400, 400, 400]


async def test_an_answer_is_given_again_to_the_same_user_only_until_something_changes(door):
    world = await team(door)
    path = f"/tasks/{world.task}"

    async def asked(who: Who) -> str | None:
        answer = await door.ask("GET", path, who)
        assert answer.json()["task"]["id"] == world.task
        return answer.headers.get("x-cache")

    assert [await asked(world.viewer), await asked(world.viewer)] == [None, "hit"]
    fresh = await door.ask("GET", path, world.viewer, headers={"Cache-Control": "no-cache"})
    assert "x-cache" not in fresh.headers
    assert await asked(world.developer) is None  # comments are not for everybody
    promoted = world.viewer._replace(roles=("developer",))
    assert await asked(promoted) is None
    await door.ask("PATCH", path, world.developer, {"title": "New"})
    answer = await door.ask("GET", path, world.viewer)
    assert (answer.json()["task"]["title"], answer.headers.get("x-cache")) == ("New", None)
    # What is kept is not for who may not see it any more.
    gone = world.viewer._replace(roles=())
    assert is_problem(await door.ask("GET", path, gone), 403)


async def test_a_service_that_is_away_is_a_problem_and_not_asked_for_a_while(door):
    users = dict(door.peers)
    gateway, web = await second(door, peers={**users, "task-service": "127.0.0.1:1"})
    who = await known(door.users, "viewer")
    async with web:
        for _ in range(7):
            answer = await web.get("/tasks", headers=dict(who.metadata))
            assert is_problem(answer, 503) and "retry-after" in answer.headers
        told = (await web.get("/metrics")).text
    assert (
        'taskman_requests_total{method="GET /tasks",service="api-gateway",status="503"} 7' in told
    )
    assert gateway.settings.peers["task-service"] == "127.0.0.1:1"


async def test_without_redis_everybody_is_answered_and_nobody_is_counted(door):
    who = await known(door.users, "viewer")
    away = {"redis_url": "redis://127.0.0.1:1/0", "rate_of_route": 1, "peers": door.peers}
    gateway = await door.world.start(SERVICE_DEFINITION, **away)
    base = f"http://{gateway.http_address}"
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as web:
        for _ in range(3):
            answer = await web.get(f"/users/{who.id}", headers=dict(who.metadata))
            assert answer.status_code == 200 and "ratelimit-limit" not in answer.headers
        assert (await web.get("/health/ready")).status_code == 503
        told = (await web.get("/metrics")).text
    assert "taskman_uncounted_requests_total 6.0" in told


async def test_ids_of_requests_are_taken_where_they_are_good_and_else_made(door):
    answer = await door.ask("GET", "/nowhere", headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    answer = await door.ask("GET", "/nowhere", headers={"x-request-id": "not good"})
    assert uuid.UUID(answer.headers["x-request-id"])


async def test_pages_of_named_origins_may_call_it_and_no_others(door):
    _, web = await second(door, cors_origins=["https://app.example.com"])
    ask = {
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    async with web:
        good = await web.options("/tasks", headers={**ask, "origin": "https://app.example.com"})
        bad = await web.options("/tasks", headers={**ask, "origin": "https://evil.example.com"})
    assert good.headers["access-control-allow-origin"] == "https://app.example.com"
    assert bad.status_code == 400 and "access-control-allow-origin" not in bad.headers
    answer = await door.ask("GET", "/tasks", headers={"origin": "https://app.example.com"})
    assert "access-control-allow-origin" not in answer.headers


# -- the table ------------------------------------------------------------------------------------


async def test_a_route_that_asks_nothing_and_does_not_say_why_is_none():
    view = asking.one("tasks:view", "tasks", "task_id")
    for wrong, why in [
        (Route("GET", "/x", "task", "GetTask", "X"), "expected what is asked"),
        (Route("GET", "/x", "task", "GetTask", "X", view, public="both"), "expected what is asked"),
        (Route("GET", "/x/{y}", "task", "GetTask", "X", view), "no field `y`"),
        (Route("POST", "/x", "task", "GetTask", "X", view, keeps=1), "only answers of GET"),
    ]:
        with pytest.raises(ValueError, match=why):
            checked([wrong])
    twice = Route("GET", "/tasks/{task_id}", "task", "GetTask", "X", view)
    with pytest.raises(ValueError, match="there is GET"):
        checked([twice, twice])


async def test_every_method_for_users_has_a_route():
    from taskman.audit.v1 import audit_pb2
    from taskman.authentication.v1 import authentication_pb2
    from taskman.iam_admin.v1 import iam_admin_pb2
    from taskman.task.v1 import task_pb2
    from taskman.user.v1 import user_pb2

    inside = {"VerifyToken", "LogEvent"}  # the gateway verifies tokens itself; services log
    for module in (audit_pb2, authentication_pb2, iam_admin_pb2, task_pb2, user_pb2):
        (service,) = module.DESCRIPTOR.services_by_name.values()
        routed = {route.rpc for route in ROUTES}
        assert {method.name for method in service.methods} - inside <= routed


async def test_its_description_is_that_of_the_table(door):
    told = (await door.ask("GET", "/openapi.json")).json()
    assert told == json.loads(json.dumps(document(ROUTES)))
    listed = {(verb.upper(), path) for path, verbs in told["paths"].items() for verb in verbs}
    assert listed == {(route.verb, route.path) for route in ROUTES}
    public = {path for path, verbs in told["paths"].items() for each in verbs.values()
              if each["security"] == []}  # fmt: skip
    assert public == {"/auth/login", "/auth/refresh", "/auth/password"}
    ids = [each["operationId"] for verbs in told["paths"].values() for each in verbs.values()]
    assert len(ids) == len(set(ids))


async def test_many_at_a_time_are_each_answered_as_themselves(door):
    teams = await asyncio.gather(*(team(door) for _ in range(4)))
    answers = await asyncio.gather(
        *(
            door.ask("GET", f"/tasks/{asked.task}", who.viewer)
            for _ in range(5)
            for asked in teams
            for who in teams
        )
    )
    expected = [200 if asked is who else 404 for _ in range(5) for asked in teams for who in teams]
    assert [each.status_code for each in answers] == expected
