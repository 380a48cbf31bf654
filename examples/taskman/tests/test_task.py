"""Promises of the task service."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from taskman.chassis.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    Refused,
    Unavailable,
)
from taskman.chassis.fields import stamp
from taskman.chassis.service import Service
from taskman.task.app import SERVICE_DEFINITION
from taskman.task.store import Tasks
from taskman.task.v1 import task_pb2 as wire
from taskman.task.v1.task_pb2_grpc import TaskServiceStub
from taskman.user.app import SERVICE_DEFINITION as USER_SERVICE
from taskman.user.v1 import user_pb2
from taskman.user.v1.user_pb2_grpc import UserServiceStub

from examples.taskman.tests.conftest import (
    Heard,
    Who,
    World,
    call,
    known,
    service_metadata,
    until,
)
from taskman_authz.messaging import Event
from taskman_authz.v1 import attributes_pb2
from taskman_authz.v1.attributes_pb2_grpc import AttributeServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Desk(NamedTuple):
    service: Service
    users: Service
    stub: Any
    heard: Heard
    channel: grpc.aio.Channel
    world: World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(blank: World) -> AsyncIterator[Desk]:
    heard = await blank.hear("task.events", "user.events")
    users = await blank.start(USER_SERVICE)
    service = await blank.start(SERVICE_DEFINITION, peers={"user-service": users.address})
    channel = await blank.channel(service.address)
    yield Desk(service, users, TaskServiceStub(channel), heard, channel, blank)
    await blank.close()


class Team(NamedTuple):
    """A company with a project that its manager owns and its developer works in."""

    admin: Who
    manager: Who
    developer: Who
    viewer: Who
    project: wire.Project


async def team(desk: Desk) -> Team:
    admin = await known(desk.users, "admin")
    others = [
        await known(desk.users, role, company_id=admin.company_id)
        for role in ("project-manager", "developer", "viewer")
    ]
    asked = wire.CreateProjectRequest(name="Apollo", members=[others[1].id])
    project = (await call(desk.stub.CreateProject, asked, others[0])).project
    return Team(admin, *others, project)


async def stranger(desk: Desk) -> Who:
    return await known(desk.users, "admin")


async def created(desk: Desk, who: Who, project: wire.Project, **more: Any) -> wire.Task:
    asked = wire.CreateTaskRequest(**{"title": "Land", "project_id": project.id, **more})
    return (await call(desk.stub.CreateTask, asked, who)).task


async def got(desk: Desk, who: Who, task: wire.Task) -> wire.GetTaskResponse:
    return await call(desk.stub.GetTask, wire.GetTaskRequest(task_id=task.id), who)


async def updated(
    desk: Desk, who: Who, task: wire.Task, comment: str = "", **fields: Any
) -> wire.Task:
    asked = wire.UpdateTaskRequest(
        task_id=task.id,
        task=wire.Task(**fields),
        update_mask=FieldMask(paths=list(fields)),
        comment=comment,
    )
    return (await call(desk.stub.UpdateTask, asked, who)).task


async def assigned(desk: Desk, who: Who, task: wire.Task, to: str) -> wire.Task:
    asked = wire.AssignTaskRequest(task_id=task.id, assignee_id=to)
    return (await call(desk.stub.AssignTask, asked, who)).task


async def changed_project(
    desk: Desk, who: Who, project: wire.Project, **fields: Any
) -> wire.Project:
    asked = wire.UpdateProjectRequest(
        project_id=project.id,
        project=wire.Project(**fields),
        update_mask=FieldMask(paths=list(fields)),
    )
    return (await call(desk.stub.UpdateProject, asked, who)).project


async def told(desk: Desk, type: str, id: str) -> Event:
    key = "project_id" if type.startswith("project.") else "task_id"
    return await desk.heard.one(type, lambda each: each.data.get(key) == id)


# -- tasks ---------------------------------------------------------------------------------------


async def test_task_is_created_in_a_project_by_who_works_in_it(desk: Desk):
    us = await team(desk)
    due = datetime(2031, 5, 1, tzinfo=UTC)
    task = await created(desk, us.developer, us.project, priority="high", due_date=stamp(due))
    assert (task.status, task.priority, task.creator_id) == ("todo", "high", us.developer.id)
    assert task.due_date.ToDatetime(UTC) == due and task.company_id == us.admin.company_id
    event = await told(desk, "task.created", task.id)
    assert (event.company_id, event.actor) == (us.admin.company_id, f"user:{us.developer.id}")
    count = desk.service.metrics.registry.get_sample_value
    labels = {"company": us.admin.company_id, "status": "todo"}
    assert count("taskman_tasks_created_total", labels) == 1


async def test_who_works_elsewhere_creates_no_task_here(desk: Desk):
    us = await team(desk)
    outsider = await known(desk.users, "developer", company_id=us.admin.company_id)
    for who in (outsider, us.viewer):
        with pytest.raises(Denied):
            await created(desk, who, us.project)
    with pytest.raises(NotFound):
        await created(desk, await stranger(desk), us.project)


@pytest.mark.parametrize(
    "field, value",
    [("title", ""), ("title", "x" * 501), ("priority", "soon"), ("project_id", "7")],
)
async def test_task_that_cannot_be_is_refused_by_its_field(desk: Desk, field: str, value: str):
    us = await team(desk)
    with pytest.raises(InvalidInput) as caught:
        await created(desk, us.admin, us.project, **{field: value})
    assert caught.value.field == field


async def test_task_is_seen_by_its_company_only_with_what_was_said(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    await got(desk, us.viewer, task)
    key = f"task:details:{task.id}:{us.admin.company_id}"
    assert 0 < await desk.service.redis.ttl(key) <= 600
    await updated(desk, us.developer, task, "Ready?")
    for _ in range(2):  # from the database, then from the cache
        answer = await got(desk, us.viewer, task)
        assert [(each.user_id, each.comment) for each in answer.comments] == [
            (us.developer.id, "Ready?")
        ]
    with pytest.raises(NotFound):
        await got(desk, await stranger(desk), task)
    with pytest.raises(Denied):
        await got(desk, await known(desk.users, company_id=us.admin.company_id), task)
    with pytest.raises(InvalidInput):
        await got(desk, us.admin, wire.Task(id="7"))
    service = service_metadata("notification-service", us.admin.company_id)
    assert not (await got(desk, service, task)).comments


async def test_update_changes_what_is_named_and_tells_which(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project, description="before")
    await got(desk, us.viewer, task)
    after = await updated(desk, us.developer, task, title="Dock", priority="low")
    assert (after.title, after.priority, after.description) == ("Dock", "low", "before")
    assert (await got(desk, us.viewer, task)).task == after
    event = await told(desk, "task.updated", task.id)
    assert event.data["fields"] == ["priority", "title"]


async def test_only_those_edit_whom_the_policies_let(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.manager, us.project)
    with pytest.raises(Denied) as caught:
        await updated(desk, us.developer, task, title="Mine")
    assert "Mine" not in caught.value.message
    with pytest.raises(Denied):
        await updated(desk, us.viewer, task, "I think")
    with pytest.raises(NotFound):
        await updated(desk, await stranger(desk), task, title="Theirs")
    assert (await got(desk, us.viewer, task)).task.title == "Land"


async def test_update_says_what_is_wrong(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    for fields, field in (
        ({"creator_id": "x"}, "update_mask"),
        ({"status": "gone"}, "task.status"),
        ({"title": " "}, "task.title"),
        ({}, "update_mask"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await updated(desk, us.admin, task, **fields)
        assert caught.value.field == field
    with pytest.raises(InvalidInput):
        await updated(desk, us.admin, task, "x" * 10_001)


async def test_comment_is_told_without_its_text(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    await updated(desk, us.manager, task, "secret words")
    event = await told(desk, "task.commented", task.id)
    assert event.actor == f"user:{us.manager.id}" and "secret" not in str(event.data)


async def test_task_is_begun_before_it_is_done_and_reopened_by_few(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    with pytest.raises(Refused, match="todo to doing"):
        await updated(desk, us.developer, task, status="done")
    await updated(desk, us.developer, task, status="doing")
    done = await updated(desk, us.developer, task, status="done")
    assert done.HasField("completed_at")
    event = await told(desk, "task.completed", task.id)
    assert event.data["creator_id"] == us.developer.id
    with pytest.raises(Denied):
        await updated(desk, us.developer, task, status="doing")
    assert not (await updated(desk, us.manager, task, status="doing")).HasField("completed_at")


async def test_task_is_deleted_with_what_was_said(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    begun = await created(desk, us.developer, us.project)
    await updated(desk, us.developer, begun, status="doing")
    await got(desk, us.viewer, task)
    asked = wire.DeleteTaskRequest(task_id=task.id)
    for who, error in ((us.viewer, Denied), (await stranger(desk), NotFound)):
        with pytest.raises(error):
            await call(desk.stub.DeleteTask, asked, who)
    with pytest.raises(InvalidInput):
        await call(desk.stub.DeleteTask, wire.DeleteTaskRequest(), us.admin)
    with pytest.raises(Denied):  # somebody has begun
        await call(desk.stub.DeleteTask, wire.DeleteTaskRequest(task_id=begun.id), us.developer)
    await call(desk.stub.DeleteTask, asked, us.developer)
    await told(desk, "task.deleted", task.id)
    with pytest.raises(NotFound):
        await got(desk, us.viewer, task)


async def test_what_was_checked_is_what_is_changed(desk: Desk):
    us = await team(desk)
    made = await created(desk, us.developer, us.project)
    tasks = Tasks(desk.service.database, None)  # type: ignore[arg-type]  # it does not come so far
    seen = await tasks.get(us.admin.company_id, made.id)
    await updated(desk, us.developer, made, title="Another")
    with pytest.raises(Conflict):
        await tasks.save(seen, seen, [])
    seen = await tasks.get(us.admin.company_id, made.id)
    await changed_project(desk, us.manager, us.project, status="archived")
    for conflicting in (tasks.remove(seen, []), tasks.add(seen, [])):
        with pytest.raises(Conflict):
            await conflicting


# -- lists ---------------------------------------------------------------------------------------


async def listed(desk: Desk, who: Who, **filter: Any) -> list[str]:
    seen: list[str] = []
    asked = wire.ListTasksRequest(**filter)
    while True:
        answer = await call(desk.stub.ListTasks, asked, who)
        seen += [task.id for task in answer.tasks]
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            return seen


async def test_lists_are_paged_filtered_and_of_one_company(desk: Desk):
    us = await team(desk)
    soon, late = (datetime.now(UTC) + timedelta(days=days) for days in (1, 9))
    one = await created(desk, us.developer, us.project, priority="low", due_date=stamp(soon))
    two = await created(desk, us.developer, us.project, due_date=stamp(late))
    three = await created(desk, us.admin, us.project, project_id="")
    await assigned(desk, us.manager, two, us.developer.id)
    await updated(desk, us.developer, two, status="doing")
    for filter, expected in (
        ({}, [three, two, one]),
        ({"page_size": 1}, [three, two, one]),
        ({"page_size": 2}, [three, two, one]),
        ({"project_id": us.project.id}, [two, one]),
        ({"assignee_id": us.developer.id}, [two]),
        ({"status": "doing"}, [two]),
        ({"priority": "low"}, [one]),
        ({"due_before": stamp(soon + timedelta(hours=1))}, [one]),
    ):
        found = await listed(desk, us.viewer, **filter)
        assert found == [task.id for task in expected], filter
    assert await listed(desk, await stranger(desk)) == []


async def test_lists_refuse_what_cannot_be_and_who_may_not(desk: Desk):
    us = await team(desk)
    for filter in (
        {"page_size": 201},
        {"page_token": "x"},
        {"status": "x"},
        {"priority": "x"},
        {"project_id": "x"},
        {"assignee_id": "x"},
    ):
        with pytest.raises(InvalidInput):
            await listed(desk, us.admin, **filter)
    with pytest.raises(Denied):
        await listed(desk, await known(desk.users, company_id=us.admin.company_id))


# -- assignments ---------------------------------------------------------------------------------


async def test_task_is_given_to_a_colleague_who_then_works_in_the_project(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.manager, us.project)
    helper = await known(desk.users, "developer", company_id=us.admin.company_id)
    after = await assigned(desk, us.manager, task, helper.id)
    assert after.assignee_id == helper.id
    event = await told(desk, "task.assigned", task.id)
    assert event.data["assignee_id"] == helper.id
    await created(desk, helper, us.project)
    await updated(desk, helper, task, status="doing")


async def test_task_is_given_to_nobody_who_is_not_there(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.manager, us.project)
    inactive = await known(desk.users, "developer", company_id=us.admin.company_id)
    async with desk.users.database.company(us.admin.company_id) as transaction:
        await transaction.execute("UPDATE users SET is_active = false WHERE id = $1", inactive.id)
    for id in (inactive.id, (await stranger(desk)).id, str(uuid.uuid4())):
        with pytest.raises(Refused, match="no such active user"):
            await assigned(desk, us.manager, task, id)
    with pytest.raises(InvalidInput):
        await assigned(desk, us.manager, task, "7")
    with pytest.raises(Denied):
        await assigned(desk, us.developer, task, us.developer.id)
    with pytest.raises(NotFound):
        await assigned(desk, await stranger(desk), task, us.developer.id)


async def test_task_is_taken_back(desk: Desk):
    us = await team(desk)
    task = await assigned(
        desk, us.manager, await created(desk, us.manager, us.project), us.viewer.id
    )
    asked = wire.UnassignTaskRequest(task_id=task.id)
    for who, error in ((us.developer, Denied), (await stranger(desk), NotFound)):
        with pytest.raises(error):
            await call(desk.stub.UnassignTask, asked, who)
    with pytest.raises(InvalidInput):
        await call(desk.stub.UnassignTask, wire.UnassignTaskRequest(task_id="7"), us.manager)
    assert (await call(desk.stub.UnassignTask, asked, us.manager)).task.assignee_id == ""
    event = await told(desk, "task.updated", task.id)
    assert event.data["fields"] == ["assignee_id"]


async def test_tasks_of_a_deleted_user_are_nobodys(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.manager, us.project)
    await assigned(desk, us.manager, task, us.developer.id)
    await got(desk, us.viewer, task)
    stub: Any = UserServiceStub(await desk.world.channel(desk.users.address))
    await call(stub.DeleteUser, user_pb2.DeleteUserRequest(user_id=us.developer.id), us.admin)

    async def is_nobodys() -> bool:
        return (await got(desk, us.viewer, task)).task.assignee_id == ""

    await until(is_nobodys)
    asked = wire.GetProjectRequest(project_id=us.project.id)
    project = (await call(desk.stub.GetProject, asked, us.manager)).project
    assert list(project.members) == [us.manager.id]


async def test_who_was_deactivated_does_nothing(desk: Desk):
    us = await team(desk)
    async with desk.users.database.company(us.admin.company_id) as transaction:
        await transaction.execute("UPDATE users SET is_active = false WHERE id = $1", us.admin.id)
    with pytest.raises(Denied):
        await created(desk, us.admin, us.project)


async def test_nobody_decides_while_nobody_says_who_is_active(desk: Desk):
    service = await desk.world.start(SERVICE_DEFINITION, peers={"user-service": "127.0.0.1:9"})
    stub = TaskServiceStub(await desk.world.channel(service.address))
    with pytest.raises(Unavailable):
        await call(stub.ListTasks, wire.ListTasksRequest(), await stranger(desk))


# -- projects ------------------------------------------------------------------------------------


async def test_project_is_its_creators_and_seen_by_who_works_in_it(desk: Desk):
    us = await team(desk)
    assert us.project.owner_id == us.manager.id and us.project.status == "active"
    assert sorted(us.project.members) == sorted([us.manager.id, us.developer.id])
    await told(desk, "project.created", us.project.id)
    asked = wire.GetProjectRequest(project_id=us.project.id)
    assert (await call(desk.stub.GetProject, asked, us.developer)).project == us.project
    with pytest.raises(Denied):
        await call(desk.stub.GetProject, asked, us.viewer)
    with pytest.raises(NotFound):
        await call(desk.stub.GetProject, asked, await stranger(desk))
    with pytest.raises(InvalidInput):
        await call(desk.stub.GetProject, wire.GetProjectRequest(project_id="7"), us.admin)


async def test_project_that_cannot_be_is_not_created(desk: Desk):
    us = await team(desk)
    for wrong in ({"name": ""}, {"name": "x", "members": ["7"]}, {"name": "x" * 256}):
        with pytest.raises(InvalidInput):
            await call(desk.stub.CreateProject, wire.CreateProjectRequest(**wrong), us.manager)
    with pytest.raises(Denied):
        await call(desk.stub.CreateProject, wire.CreateProjectRequest(name="x"), us.developer)


async def test_project_is_changed_by_its_owner_and_frozen_when_archived(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    after = await changed_project(desk, us.manager, us.project, name="Artemis", members=[])
    assert (after.name, list(after.members)) == ("Artemis", [us.manager.id])
    event = await told(desk, "project.updated", us.project.id)
    assert event.data["fields"] == ["members", "name"]
    with pytest.raises(Denied):  # who works there no more
        await created(desk, us.developer, us.project)
    await changed_project(desk, us.manager, us.project, status="archived")
    with pytest.raises(Denied):
        await updated(desk, us.admin, task, title="Later")
    with pytest.raises(Denied):
        await changed_project(desk, us.manager, us.project, name="Later")
    await changed_project(desk, us.manager, us.project, status="active")
    await updated(desk, us.admin, task, title="Later")


async def test_project_update_says_what_is_wrong_and_who_may_not(desk: Desk):
    us = await team(desk)
    for fields in ({}, {"owner_id": "x"}, {"status": "gone"}, {"name": " "}):
        with pytest.raises(InvalidInput):
            await changed_project(desk, us.manager, us.project, **fields)
    with pytest.raises(Denied):
        await changed_project(desk, us.developer, us.project, name="Mine")
    with pytest.raises(NotFound):
        await changed_project(desk, await stranger(desk), us.project, name="Theirs")


async def test_project_is_deleted_when_nothing_is_open(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    await got(desk, us.viewer, task)
    asked = wire.DeleteProjectRequest(project_id=us.project.id)
    with pytest.raises(Denied, match="under way|open"):
        await call(desk.stub.DeleteProject, asked, us.manager)
    for status in ("doing", "done"):
        await updated(desk, us.developer, task, status=status)
    for who, error in ((us.developer, Denied), (await stranger(desk), NotFound)):
        with pytest.raises(error):
            await call(desk.stub.DeleteProject, asked, who)
    with pytest.raises(InvalidInput):
        await call(desk.stub.DeleteProject, wire.DeleteProjectRequest(), us.manager)
    await call(desk.stub.DeleteProject, asked, us.manager)
    await told(desk, "project.deleted", us.project.id)
    with pytest.raises(NotFound):
        await got(desk, us.viewer, task)


async def test_services_learn_what_policies_read_of_tasks_and_projects(desk: Desk):
    us = await team(desk)
    task = await created(desk, us.developer, us.project)
    stub: Any = AttributeServiceStub(desk.channel)
    asked = attributes_pb2.GetAttributesRequest(company_id=us.admin.company_id)
    for type, id in (("tasks", task.id), ("projects", us.project.id), ("tasks", "none")):
        asked.entities.add(
            kind=2, type=type, id=id, names=["owner", "project_status", "open_tasks"]
        )
    answer = await call(stub.GetAttributes, asked, service_metadata("authorization-service"))
    one, other, none = answer.entities
    assert dict(one.properties) == {"owner": us.developer.id, "project_status": "active"}
    assert dict(other.properties) == {"owner": us.manager.id, "open_tasks": 1}
    assert not none.HasField("properties")
    with pytest.raises(Denied):
        await call(stub.GetAttributes, asked, us.admin)
