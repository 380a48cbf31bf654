"""Promises of the chassis, kept by the user service as one of its guests."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from taskman.chassis.cache import Cache
from taskman.chassis.client import Peer
from taskman.chassis.errors import (
    Denied,
    Internal,
    InvalidInput,
    TooLate,
    Unauthenticated,
    Unavailable,
)
from taskman.chassis.events import once
from taskman.chassis.keys import PublicKeys
from taskman.chassis.log import logger
from taskman.chassis.service import Definition, House, Service, Wiring, run
from taskman.task.app import SERVICE_DEFINITION as TASK
from taskman.task.v1 import task_pb2
from taskman.task.v1.task_pb2_grpc import TaskServiceStub
from taskman.user.app import SERVICE_DEFINITION
from taskman.user.v1 import user_pb2 as wire
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import World, call, service_metadata, somebody, until
from taskman_authz import UnavailableError
from taskman_authz.messaging import Event, Queue
from tests.house.source import ROOT
from tests.sidecar.telemetry.collector import GrpcCollector
from tools.servers import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHASSIS = ROOT / "examples" / "taskman" / "src" / "taskman" / "chassis"
QUEUE = Queue("test.events", {"user.events": ("user.#",)})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(blank: World) -> AsyncIterator[World]:
    yield blank
    await blank.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(world: World) -> Service:
    return await world.start(SERVICE_DEFINITION)


async def stub_of(world: World, service: Service) -> Any:
    return UserServiceStub(await world.channel(service.address))


def user_request() -> wire.CreateUserRequest:
    name = uuid.uuid4().hex
    return wire.CreateUserRequest(email=f"{name}@example.com", username=name)


async def insert(transaction: Any, company: str) -> None:
    name = uuid.uuid4().hex
    await transaction.execute(
        "INSERT INTO users (id, email, username, company_id) VALUES ($1, $2, $2, $3)",
        *(uuid.uuid4(), name, company),
    )


async def test_the_chassis_is_small_and_knows_no_noun():
    texts = [path.read_text(encoding="utf-8") for path in CHASSIS.glob("*.py")]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    assert len(lines) <= 1400
    nouns = re.compile(r"\b(projects?|comments?|passwords?|notifications?|roles?_id|logins?)\b")
    assert [line for line in lines if nouns.search(line)] == []


async def test_transaction_of_a_company_sees_and_writes_its_rows_only(service: Service):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    async with service.database.company(one) as transaction:
        await insert(transaction, one)
    count = "SELECT count(*) FROM users WHERE company_id = ANY($1::uuid[])"
    async with service.database.company(other) as transaction:
        assert await transaction.fetchval(count, [one, other]) == 0
        changed = await transaction.execute("UPDATE users SET location = 'here'")
        assert changed == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with service.database.company(other) as transaction:
            await insert(transaction, one)
    async with service.database.platform() as transaction:
        assert await transaction.fetchval(count, [one, other]) == 1


async def test_nobody_takes_a_transaction_beside_the_one_they_have(service: Service):
    company = str(uuid.uuid4())
    async with service.database.company(company):
        with pytest.raises(RuntimeError, match="beside one that is held"):
            async with service.database.platform():
                raise AssertionError("it was given")
    async with service.database.company(company) as transaction:
        assert await transaction.fetchval("SELECT 1") == 1


async def test_company_does_not_outlive_its_transaction(service: Service):
    async with service.database.company(str(uuid.uuid4())):
        pass
    async with service.database.pool.acquire() as connection:
        assert not await connection.fetchval("SELECT current_company()")
        role = await connection.fetchval("SELECT current_user")
        assert role not in ("taskman_service", "taskman_platform")


async def test_events_of_a_company_are_not_read_by_another(service: Service):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with service.database.company(str(uuid.uuid4())) as transaction:
            await transaction.fetch("SELECT body FROM outbox")


async def test_event_has_its_effect_once_and_none_where_it_fails(service: Service):
    company = str(uuid.uuid4())
    event = Event(type="user.updated", company_id=company)
    fails = True

    async def effect(transaction: Any, _event: Event) -> None:
        await insert(transaction, company)
        if fails:
            raise ValueError

    handle = once(service.database, QUEUE, effect).handle
    with pytest.raises(ValueError):
        await handle(event)
    fails = False
    for _ in range(3):
        await handle(event)
    async with service.database.company(company) as transaction:
        assert await transaction.fetchval("SELECT count(*) FROM users") == 1


async def test_older_version_does_not_replace_a_newer_one(service: Service):
    cache = Cache(service.redis, "test")
    for version, value in ((2, b"new"), (1, b"old")):
        await cache.put("thing", "1", "acme", value, version, 60)
    assert await cache.get("thing", "1", "acme") == b"new"
    assert await cache.get("thing", "1", "other") is None
    assert 0 < await service.redis.ttl("test:thing:1:acme") <= 60


async def test_health_reflection_and_metrics_are_served(world: World, service: Service):
    channel = await world.channel(service.address)
    health = health_pb2_grpc.HealthStub(channel)
    asked = health_pb2.HealthCheckRequest(service="taskman.user.v1.UserService")
    assert (await health.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING
    for path in ("/health/live", "/health/ready"):
        assert (await fetched(service, path))[0] == 200
    with pytest.raises(Unauthenticated):
        await call(UserServiceStub(channel).ListUsers, wire.ListUsersRequest())
    _, text = await fetched(service, "/metrics")
    for name in (
        'taskman_requests_total{method="ListUsers",service="user-service",status="UNAUTHENTICATED"}',
        'taskman_errors_total{error_type="Unauthenticated",method="ListUsers",service="user-serv',
        'taskman_request_duration_seconds_bucket{le="0.001",method="ListUsers"',
        'taskman_cpu_usage_percent{service="user-service"}',
        'taskman_memory_usage_bytes{service="user-service"}',
        'taskman_error_rate{service="user-service"}',
    ):
        assert name in text


async def fetched(service: Service, path: str) -> tuple[int, str]:
    def fetch() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{service.http_address}{path}", timeout=10) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(fetch)


async def test_line_of_a_call_has_the_documents_fields(world: World):
    service = Service(SERVICE_DEFINITION, world.settings(log_level="info"))
    lines = io.StringIO()
    service.log = logger("user-service", "info", lines)
    async with service:
        trace = "0af7651916cd43dd8448eb211c80319c"
        who = somebody("viewer")
        metadata = (
            *who.metadata,
            ("x-request-id", "req-789"),
            ("traceparent", f"00-{trace}-b7ad6b7169203331-01"),
        )
        with pytest.raises(Denied):
            stub = await stub_of(world, service)
            await call(stub.ListUsers, wire.ListUsersRequest(), metadata)
    [line] = [
        said for each in lines.getvalue().splitlines() if "method" in (said := json.loads(each))
    ]
    assert line["timestamp"] and line["span_id"] and line["duration_ms"] > 0
    assert {key: line[key] for key in ("level", "service", "trace_id", "request_id")} == {
        "level": "info",
        "service": "user-service",
        "trace_id": trace,
        "request_id": "req-789",
    }
    assert (line["user_id"], line["company_id"]) == (who.id, who.company_id)
    assert line["message"] == "Call answered" and line["status"] == "PERMISSION_DENIED"


async def test_what_nobody_foresaw_tells_nothing(world: World, service: Service):
    stub = await stub_of(world, service)
    async with service.database.pool.acquire() as connection:
        await connection.execute("ALTER TABLE user_preferences RENAME TO secret_table")
        try:
            with pytest.raises(Internal) as caught:
                asked = wire.GetUserRequest(email="a@example.com")
                await call(stub.GetUser, asked, service_metadata("authentication-service"))
        finally:
            await connection.execute("ALTER TABLE secret_table RENAME TO user_preferences")
    assert caught.value.message == "internal error"


async def test_call_ends_at_its_deadline(world: World):
    service = await world.start(SERVICE_DEFINITION, call_timeout=0.3)
    stub = await stub_of(world, service)
    async with service.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE users")
        asked = wire.GetUserRequest(email="a@example.com")
        with pytest.raises(TooLate):
            await call(stub.GetUser, asked, service_metadata("authentication-service"))


async def test_no_decision_is_no(world: World):
    service = await world.start(SERVICE_DEFINITION, authz="sidecar:127.0.0.1:9")
    stub = await stub_of(world, service)
    with pytest.raises(Unavailable, match="no decision"):
        asked = wire.GetUserRequest(user_id=str(uuid.uuid4()))
        async with service.database.company(company := str(uuid.uuid4())) as transaction:
            await transaction.execute(
                "INSERT INTO users (id, email, username, company_id) VALUES ($1, $2, $2, $3)",
                *(asked.user_id, asked.user_id, company),
            )
            await transaction.execute(
                "INSERT INTO user_preferences (user_id, company_id) VALUES ($1, $2)",
                *(asked.user_id, company),
            )
        await call(stub.GetUser, asked, service_metadata("task-service", company))


@asynccontextmanager
async def sidecar() -> AsyncIterator[str]:
    """A real sidecar with the policies, and its address."""
    command = [Path(sys.executable).parent / "taskman-authz", "serve"]
    command += ["--policies", "policies/taskman", "--listen", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            address = ""
            while not address:
                line = (await process.stdout.readline()).decode()
                assert line, "the sidecar ended"
                words = line.replace('"', " ").replace(",", " ").split()
                address = next((each for each in words if each.startswith("127.0.0.1:")), "")
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_sidecar_decides_as_the_embedded_decision_point(world: World):
    async with sidecar() as address:
        service = await world.start(SERVICE_DEFINITION, authz=f"sidecar:{address}")
        stub = await stub_of(world, service)
        metadata = service_metadata("audit-service", str(uuid.uuid4()))
        with pytest.raises(Denied):
            await call(stub.ListUsers, wire.ListUsersRequest(), metadata)
        async with service.database.company(company := str(uuid.uuid4())) as transaction:
            await insert(transaction, company)
            id = str(await transaction.fetchval("SELECT id FROM users"))
            await transaction.execute(
                "INSERT INTO user_preferences (user_id, company_id) VALUES ($1, $2)", id, company
            )
        asked = wire.GetUserRequest(user_id=id)
        answer = await call(stub.GetUser, asked, service_metadata("task-service", company))
        assert answer.user.id == id


async def test_sick_service_is_not_asked_until_it_has_had_time(world: World, service: Service):
    settings = world.settings(peers={"other": "127.0.0.1:9"}, call_timeout=1)
    peer = Peer("other", settings, service.tokens, service.traces)
    stub: Any = UserServiceStub(peer.channel)
    for _ in range(6):
        with pytest.raises(Unavailable):
            await peer.ask(stub.ListUsers, wire.ListUsersRequest())
    assert peer.breaker.state.value == "open"
    with pytest.raises(Unavailable):
        await peer.ask(stub.ListUsers, wire.ListUsersRequest())
    await peer.close()


async def test_error_of_another_service_is_the_class_that_it_raised(world: World, service: Service):
    settings = world.settings(peers={"user-service": service.address})
    peer = Peer("user-service", settings, service.tokens, service.traces)
    stub: Any = UserServiceStub(peer.channel)
    with pytest.raises(InvalidInput) as caught:
        await peer.ask(stub.ListUsers, wire.ListUsersRequest(page_size=-1), str(uuid.uuid4()))
    assert caught.value.field == "page_size"
    await peer.close()


async def test_made_up_key_ids_cause_no_storm():
    asked = 0

    async def answer(reader: Any, writer: Any) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"keys": []}')
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    keys = PublicKeys(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await keys.find(f"made-up-{number}")
    assert asked == 1
    server.close()


async def test_redis_that_is_down_costs_speed_only(world: World, service: Service, servers: Stack):
    servers.redis.stop()
    try:
        status, text = await fetched(service, "/health/ready")
        assert (status, json.loads(text)["for"]) == (503, ["redis"])
        stub = await stub_of(world, service)
        with pytest.raises(Denied):
            await call(stub.ListUsers, wire.ListUsersRequest(), somebody("viewer"))
    finally:
        servers.redis.start()


async def test_database_that_was_killed_is_found_again(
    world: World, service: Service, servers: Stack
):
    stub = await stub_of(world, service)
    asked = wire.GetUserRequest(email="nobody@example.com")
    metadata = service_metadata("authentication-service")
    servers.postgresql.kill()
    with pytest.raises(Unavailable):
        await call(stub.GetUser, asked, metadata)
    servers.postgresql.revive()

    async def serves() -> bool:
        try:
            await call(stub.GetUser, asked, metadata)
        except Unavailable:
            return False
        except Exception as error:
            return type(error).__name__ == "NotFound"
        return True

    await until(serves)


def environment(world: World) -> dict[str, str]:
    given = world.settings().model_dump(mode="python")
    secret = ("postgres_dsn", "redis_url", "amqp_url", "service_secret", "jwt_secret")
    said = {f"TASKMAN_{name.upper()}": given[name].get_secret_value() for name in secret}
    said |= {"TASKMAN_JWT_ALGORITHM": "HS256", "TASKMAN_AUTHZ": given["authz"]}
    return dict(os.environ) | said | {"PYTHONPATH": str(CHASSIS.parents[1])}


async def test_process_serves_and_stops_in_order_when_told_to(world: World):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "taskman", "user"),
        cwd=ROOT,
        env=environment(world),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        said = json.loads(await process.stdout.readline())
        assert said["message"] == "Serving"
        stub = UserServiceStub(await world.channel(said["grpc"]))
        with pytest.raises(Denied):
            await call(stub.ListUsers, wire.ListUsersRequest(), somebody("viewer"))
        process.send_signal(signal.SIGTERM)
        lines = (await process.stdout.read()).decode().splitlines()
        assert await process.wait() == 0
    assert json.loads(lines[-1])["message"] == "Stopped"


async def test_a_call_is_one_trace_whoever_answers_it(world: World):
    with GrpcCollector() as spans:
        users = await world.start(SERVICE_DEFINITION, otlp_endpoint=spans.endpoint)
        peers = {"user-service": users.address}
        tasks = await world.start(TASK, otlp_endpoint=spans.endpoint, peers=peers)
        stub = TaskServiceStub(await world.channel(tasks.address))
        trace, above = uuid.uuid4().hex, uuid.uuid4().hex[:16]
        metadata = (*somebody("admin").metadata, ("traceparent", f"00-{trace}-{above}-01"))
        with pytest.raises(Denied):  # who does not exist
            await call(stub.ListTasks, task_pb2.ListTasksRequest(), metadata)
        for each in (users, tasks):
            await asyncio.to_thread(each.traces.close)
        found = {span.name: span for span in spans.found}
    assert {span.trace_id.hex() for span in spans.found} == {trace}
    listed, asked, told = (
        found[name] for name in ("ListTasks", "user-service GetAttributes", "GetAttributes")
    )
    assert listed.parent_span_id.hex() == above
    assert (asked.parent_span_id, told.parent_span_id) == (listed.span_id, asked.span_id)
    assert [each.value.string_value for each in listed.attributes] == ["Denied"]
    assert {each["service.name"] for each in spans.resources} == {"user-service", "task-service"}


async def test_an_event_waits_for_who_is_away_and_is_then_handled(world: World, service: Service):
    tries: list[Event] = []

    async def effect(_transaction: Any, event: Event) -> None:
        tries.append(event)
        if len(tries) < 3:
            raise Unavailable("they do not answer")

    told = Event(type="user.created", company_id=str(uuid.uuid4()))
    await once(service.database, QUEUE, effect).handle(told)
    assert tries == [told] * 3


async def test_service_whose_job_fails_ends(world: World):
    async def job() -> None:
        raise ValueError("a job's")

    def wire(house: House) -> Wiring:
        return Wiring((), jobs=(job,))

    definition = Definition("test-service", "taskman.user", ("user.events",), wire)
    with pytest.raises(UnavailableError, match="a job failed"):
        await run(definition, world.settings(definition.settings))


async def test_wrong_settings_are_told_by_their_names_without_values(world: World):
    wrong = environment(world) | {"TASKMAN_SERVICE_SECRET": "short", "TASKMAN_POOL_SIZE": "0"}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "taskman", "user"],
        cwd=ROOT,
        env=wrong,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "TASKMAN_SERVICE_SECRET: " in done.stderr and "TASKMAN_POOL_SIZE: " in done.stderr
    assert "short" not in done.stderr.replace("shorter", "").replace("too short", "")
