"""Promises of audit: what happened is there once, in its company, and shows if it was touched."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import aio_pika
import asyncpg
import msgspec
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from taskman.audit.app import EXCHANGES, SERVICE_DEFINITION
from taskman.audit.chain import START, Check, Entry, entry_of, follows
from taskman.audit.reports import Report, written
from taskman.audit.v1 import audit_pb2 as wire
from taskman.audit.v1.audit_pb2_grpc import AuditServiceStub
from taskman.chassis.errors import Denied, InvalidInput, Unauthenticated
from taskman.chassis.fields import stamp
from taskman.chassis.service import Service
from taskman.user.app import SERVICE_DEFINITION as USER

from examples.taskman.tests.conftest import (
    Who,
    World,
    call,
    known,
    service_metadata,
    until,
)
from taskman_authz.messaging import Event

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Desk(NamedTuple):
    service: Service
    users: Service
    stub: Any
    world: World
    channel: Any

    async def seen(self, who: Who, **wanted: Any) -> list[wire.AuditEvent]:
        """What an auditor of the company finds."""
        auditor = await known(self.users, "auditor", company_id=who.company_id)
        answer = await call(self.stub.QueryEvents, wire.QueryEventsRequest(**wanted), auditor)
        return list(answer.events)

    async def until_seen(self, who: Who, count: int, **wanted: Any) -> list[wire.AuditEvent]:
        async def are_there() -> bool:
            return len(await self.seen(who, **wanted)) >= count

        await until(are_there)
        return await self.seen(who, **wanted)

    async def owner(self) -> asyncpg.Connection:
        """Who owns the tables, and may do anything."""
        return await asyncpg.connect(self.service.settings.postgres_dsn.get_secret_value())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(blank: World) -> AsyncIterator[Desk]:
    users = await blank.start(USER)
    service = await blank.start(SERVICE_DEFINITION, peers={"user-service": users.address})
    channel = await blank.channel(service.address)
    connection = await aio_pika.connect(blank.amqp_url)
    yield Desk(service, users, AuditServiceStub(channel), blank, await connection.channel())
    await connection.close()
    await blank.close()


def happened(who: Who, type: str = "task.updated", **data: Any) -> Event:
    told = {"task_id": str(uuid.uuid4()), **data}
    return Event(type=type, company_id=who.company_id, actor=f"user:{who.id}", data=told)


# -- hearing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_what_is_told_is_written_down_once_however_often_it_comes(desk, exchange):
    who = await known(desk.users, "developer")
    event, last = happened(who), happened(who)
    await desk.world.tell(exchange, event, times=3)
    await desk.world.tell(exchange, last)
    found = await desk.until_seen(who, 2)
    assert [each.id for each in found] == [last.id, event.id]
    assert [each.sequence for each in found] == [2, 1]
    one = found[1]
    assert (one.event_type, one.action, one.result) == ("task.updated", "updated", "success")
    assert (one.actor_id, one.company_id) == (who.id, who.company_id)
    assert (one.target_type, one.target_id) == ("task", event.data["task_id"])


async def test_secrets_are_left_out_and_nothing_else_is(desk):
    who = await known(desk.users, "developer")
    data = {"user_id": who.id, "email": "a@b.c", "token": "s3cret", "deep": [{"password": "x"}]}
    event = happened(who, "auth.password.reset", **data, number=1e20, text="\u0000ä")
    await desk.world.tell("auth.events", event)
    [found] = await desk.until_seen(who, 1)
    told = MessageToDict(found.metadata)
    assert told["token"] == told["deep"][0]["password"] == "***"
    assert (told["email"], told["text"], told["number"]) == ("a@b.c", "ä", 1e20)
    assert found.actor_email == "a@b.c"
    assert (await report(desk, who)).is_whole


async def test_what_belongs_to_no_company_is_written_down_and_no_companys_to_see(desk):
    who = await known(desk.users, "auditor")
    event = Event(type="auth.login.failed", data={"email": "x@y.z", "ip_address": "10.0.0.1"})
    await desk.world.tell("auth.events", event)
    owner = await desk.owner()

    async def there() -> bool:
        return bool(await owner.fetchval("SELECT 1 FROM audit_events WHERE id = $1", event.id))

    await until(there)
    row = await owner.fetchrow(
        "SELECT result, ip_address FROM audit_events WHERE id = $1", event.id
    )
    assert tuple(row) == ("failure", "10.0.0.1")
    await owner.close()
    assert await desk.seen(who) == []


# -- the RPCs --------------------------------------------------------------------------------------


async def test_a_service_writes_down_what_it_says_and_nobody_else_does(desk):
    who = await known(desk.users, "admin")
    asked = wire.LogEventRequest(event_type="task.exported", result="success", actor_id=who.id)
    asked.metadata.update({"rows": 3, "secret": "x"})
    metadata = service_metadata("task-service", who.company_id)
    event = (await call(desk.stub.LogEvent, asked, metadata)).event
    assert (event.event_type, event.action, event.sequence) == ("task.exported", "exported", 1)
    assert MessageToDict(event.metadata) == {
        "rows": 3.0, "secret": "***", "told_by": "service:task-service",
    }  # fmt: skip
    for nobody in (who, service_metadata("stranger", who.company_id)):
        with pytest.raises(Denied):
            await call(desk.stub.LogEvent, asked, nobody)
    with pytest.raises(Denied, match="no company"):
        await call(desk.stub.LogEvent, asked, service_metadata("task-service"))
    for field, wrong in [("result", "perhaps"), ("event_type", ""), ("actor_id", "me")]:
        bad = wire.LogEventRequest()
        bad.CopyFrom(asked)
        setattr(bad, field, wrong)
        with pytest.raises(InvalidInput, match="expected .*") as caught:
            await call(desk.stub.LogEvent, bad, metadata)
        assert caught.value.field == field


async def test_what_happened_is_found_by_what_it_was_and_in_pages(desk):
    who = await known(desk.users, "developer")
    other = who.colleague("developer")
    task = str(uuid.uuid4())
    events = [happened(who, task_id=task), happened(other, "project.created", project_id=task)]
    events += [happened(who, "auth.login.failed"), happened(who, "task.deleted")]
    for number, event in enumerate(events):
        at = NOW - timedelta(minutes=number)
        await desk.world.tell("task.events", msgspec.structs.replace(event, occurred_at=at))
    await desk.until_seen(who, 4)

    async def ids(**wanted: Any) -> list[str]:
        return [each.id for each in await desk.seen(who, **wanted)]

    first, second, third, fourth = (event.id for event in events)
    assert await ids() == [first, second, third, fourth]
    assert await ids(event_type="task.updated") == [first]
    assert await ids(event_type="task.") == [first, fourth]
    assert await ids(actor_id=other.id) == [second]
    assert await ids(target_type="task", target_id=task) == [first]
    assert await ids(result="failure") == [third]
    since, before = stamp(NOW - timedelta(minutes=2)), stamp(NOW)
    assert await ids(**{"from": since, "until": before}) == [second, third]
    auditor = await known(desk.users, "auditor", company_id=who.company_id)
    page = await call(desk.stub.QueryEvents, wire.QueryEventsRequest(page_size=3), auditor)
    rest = wire.QueryEventsRequest(page_size=3, page_token=page.next_page_token)
    rest = await call(desk.stub.QueryEvents, rest, auditor)
    assert [each.id for each in [*page.events, *rest.events]] == await ids()
    assert rest.next_page_token == ""


async def test_who_may_look_is_the_policies_to_say(desk):
    developer = await known(desk.users, "developer")
    admin = await known(desk.users, "admin", company_id=developer.company_id)
    event = happened(developer)
    await desk.world.tell("task.events", event)
    await desk.until_seen(developer, 1)
    query, mine = wire.QueryEventsRequest(), wire.GetUserActivityRequest(user_id=developer.id)
    with pytest.raises(Denied):
        await call(desk.stub.QueryEvents, query, developer)
    assert len((await call(desk.stub.QueryEvents, query, admin)).events) == 1
    assert (await call(desk.stub.GetUserActivity, mine, developer)).events[0].id == event.id
    with pytest.raises(Denied):
        others = wire.GetUserActivityRequest(user_id=admin.id)
        await call(desk.stub.GetUserActivity, others, developer)
    with pytest.raises(Denied):
        await report(desk, developer, who=admin)
    with pytest.raises(Unauthenticated):
        await call(desk.stub.QueryEvents, query)
    with pytest.raises(InvalidInput) as caught:
        await call(desk.stub.GetUserActivity, wire.GetUserActivityRequest(user_id="x"), admin)
    assert caught.value.field == "user_id"


async def test_another_company_sees_nothing_of_it(desk):
    who, other = await known(desk.users, "developer"), await known(desk.users, "auditor")
    await desk.world.tell("task.events", happened(who))
    await desk.until_seen(who, 1)
    assert (await call(desk.stub.QueryEvents, wire.QueryEventsRequest(), other)).events == []
    asked = wire.GetUserActivityRequest(user_id=who.id)
    assert (await call(desk.stub.GetUserActivity, asked, other)).events == []
    assert (await report(desk, other, who=other)).events == 0


async def report(
    desk: Desk, of: Who, format: str = "json", who: Who | None = None
) -> wire.GetComplianceReportResponse:
    asked = wire.GetComplianceReportRequest(format=format)
    getattr(asked, "from").FromDatetime(datetime(2000, 1, 1))
    asked.until.FromDatetime(datetime(2100, 1, 1))
    auditor = who or await known(desk.users, "auditor", company_id=of.company_id)
    return await call(desk.stub.GetComplianceReport, asked, auditor)


async def test_the_report_counts_what_happened_in_each_format(desk):
    who = await known(desk.users, "developer")
    for event in (happened(who), happened(who.colleague("x")), happened(who, "<b>.made")):
        await desk.world.tell("task.events", event)
    await desk.until_seen(who, 3)
    found = json.loads((await report(desk, who)).content)
    assert (found["events"], found["is_whole"], found["broken_at"]) == (3, True, None)
    counted = {each["event_type"]: (each["count"], each["people"]) for each in found["counts"]}
    assert counted == {"task.updated": (2, 2), "<b>.made": (1, 1)}
    table = await report(desk, who, "csv")
    assert table.media_type == "text/csv"
    rows = list(csv.reader(io.StringIO(table.content)))
    assert rows[0] == ["event_type", "result", "count", "people"] and len(rows) == 3
    page = await report(desk, who, "html")
    assert "&lt;b&gt;.made" in page.content and "<b>" not in page.content
    assert "The trail is whole" in page.content
    with pytest.raises(InvalidInput, match="json, csv, html"):
        await report(desk, who, "pdf")


# -- the trail -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("touch", "broken"),
    [
        ("UPDATE audit_events SET result = 'failure' WHERE company_id = $1 AND sequence = 2", 2),
        ("UPDATE audit_events SET metadata = '{}' WHERE company_id = $1 AND sequence = 3", 3),
        ("DELETE FROM audit_events WHERE company_id = $1 AND sequence = 2", 3),
        ("DELETE FROM audit_events WHERE company_id = $1 AND sequence = 4", 4),
    ],
)
async def test_whoever_touches_the_trail_is_found_out(desk, touch, broken):
    who = await known(desk.users, "developer")
    for _ in range(4):
        await desk.world.tell("task.events", happened(who))
    await desk.until_seen(who, 4)
    assert (await report(desk, who)).is_whole
    owner = await desk.owner()
    await owner.execute(touch, who.company_id)
    await owner.close()
    found = await report(desk, who)
    assert (found.is_whole, found.broken_at) == (False, broken)


async def test_services_cannot_touch_it_at_all(desk):
    who = await known(desk.users, "developer")
    await desk.world.tell("task.events", happened(who))
    await desk.until_seen(who, 1)
    for statement in (
        "UPDATE audit_events SET result = 'failure'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_trails",
    ):
        for begun in (
            desk.service.database.company(who.company_id),
            desk.service.database.platform(),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with begun as transaction:
                    await transaction.execute(statement)


async def test_what_is_too_old_goes_by_whole_months_and_the_rest_stays_whole(desk):
    who = await known(desk.users, "developer")
    owner = await desk.owner()
    await owner.execute(
        "CREATE TABLE audit_events_2020_01 PARTITION OF audit_events"
        " FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-02-01 00:00:00+00')"
    )
    # What happened long ago and is told now is in its place in the trail, and stays.
    late = msgspec.structs.replace(happened(who), occurred_at=datetime(2020, 1, 15, tzinfo=UTC))
    for event in (happened(who), late, happened(who)):
        await desk.world.tell("task.events", event)
    await desk.until_seen(who, 3)
    await owner.execute(
        "UPDATE audit_events SET recorded_at = '2020-01-15' WHERE company_id = $1 AND sequence = 1",
        who.company_id,
    )
    keep = "SELECT keep_partitions($1)"
    assert await owner.fetchval(keep, datetime(2020, 1, 20, tzinfo=UTC)) == 0
    assert len(await desk.seen(who)) == 3
    assert await owner.fetchval(keep, datetime(2020, 2, 1, tzinfo=UTC)) == 1
    await owner.close()
    assert [each.sequence for each in await desk.seen(who)] == [3, 2]
    assert (await report(desk, who)).is_whole


texts = st.text(max_size=5)
entries = st.lists(
    st.builds(
        Entry,
        id=st.uuids().map(str),
        event_type=texts,
        company_id=st.just("c"),
        action=texts,
        result=texts,
        timestamp=st.datetimes(timezones=st.just(UTC)),
        metadata=st.dictionaries(texts, texts, max_size=2),
    ),
    min_size=1,
    max_size=5,
)


def broken_at(trail: list[Entry], sequence: int, hash: str) -> int:
    check = Check()
    for entry in trail:
        if check.is_broken_by(entry):
            break
    return check.broken_at(sequence, hash)


@given(entries, st.data())
async def test_no_change_of_any_entry_goes_unseen(given, data):
    trail: list[Entry] = []
    for entry in given:
        former = trail[-1] if trail else None
        trail.append(
            follows(entry, former.sequence, former.hash) if former else follows(entry, 0, START)
        )
    end = trail[-1].sequence, trail[-1].hash
    assert broken_at(trail, *end) == 0
    number = data.draw(st.integers(0, len(trail) - 1))
    field = data.draw(st.sampled_from(["result", "action", "event_type", "target_id", "hash"]))
    changed = msgspec.structs.replace(trail[number], **{field: getattr(trail[number], field) + "x"})
    assert broken_at([*trail[:number], changed, *trail[number + 1 :]], *end) > 0
    if number:  # the oldest may have become too old
        assert broken_at([*trail[:number], *trail[number + 1 :]], *end) > 0


async def test_a_report_holds_no_formula():
    counts = [("=cmd()", "success", 1, 1)]
    assert "'=cmd()" in written(Report("c", NOW, NOW, counts, 0), "csv")


async def test_who_did_it_is_a_user_or_the_system():
    assert entry_of(Event(type="a.b", actor="service:x", data={})).actor_id is None
    assert entry_of(Event(type="a.b", actor="user:not-an-id", data={})).actor_id is None
    id = str(uuid.uuid4())
    assert entry_of(Event(type="a.b", actor=f"user:{id}", data={})).actor_id == id
    given = Event(type="iam.role.assigned", actor="service:iam-admin-service", data={"user_id": id})
    assert entry_of(given).actor_id is None
    assert entry_of(Event(type="auth.login.failed", data={"user_id": id})).actor_id == id
