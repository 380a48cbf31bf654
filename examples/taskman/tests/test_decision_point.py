"""A decision point that knows what the services know: it is told names, and asks for the rest."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from taskman.chassis.service import Service
from taskman.iam_admin.app import SERVICE_DEFINITION as IAM
from taskman.iam_admin.v1 import iam_admin_pb2
from taskman.iam_admin.v1.iam_admin_pb2_grpc import IAMAdminServiceStub
from taskman.task.app import SERVICE_DEFINITION as TASK
from taskman.task.v1 import task_pb2
from taskman.task.v1.task_pb2_grpc import TaskServiceStub
from taskman.user.app import SERVICE_DEFINITION as USER

from examples.taskman.tests.conftest import POLICIES, SECRET, Who, World, call, known, until
from taskman_authz.client import AsyncClient
from tests.house.source import ROOT
from tests.sidecar.process import SERVING, Sidecar

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOURCES = ROOT / "examples" / "taskman" / "src"


class Point(NamedTuple):
    users: Service
    tasks: Any
    iam: Any
    client: AsyncClient


def token() -> str:
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "TASKMAN_SERVICE_SECRET": SECRET}
    command = [sys.executable, "-m", "taskman", "token"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def point(blank: World, tmp_path_factory: Any) -> AsyncIterator[Point]:
    shown: Path = tmp_path_factory.mktemp("point") / "token"
    shown.write_text(await asyncio.to_thread(token))
    users = await blank.start(USER)
    tasks = await blank.start(TASK, peers={"user-service": users.address})
    administers = await blank.decision_point(SECRET)
    peers = {"user-service": users.address, "authorization-service": administers.address}
    iam = await blank.start(IAM, peers=peers, authz_token=SECRET)
    decides = await asyncio.to_thread(
        Sidecar, ROOT / POLICIES, "--amqp", blank.amqp_url, "--source-token", f"file:{shown}",
        "--roles-source", iam.address, "--attribute-sources", f"subject:user={users.address}",
        "--attribute-sources", f"resource:tasks={tasks.address}",
    )  # fmt: skip
    try:
        await asyncio.to_thread(decides.wait_for_health, "", SERVING)
        async with AsyncClient(decides.address) as client:
            yield Point(
                users,
                TaskServiceStub(await blank.channel(tasks.address)),
                IAMAdminServiceStub(await blank.channel(iam.address)),
                client,
            )
    finally:
        await asyncio.to_thread(decides.kill)
        await blank.close()


async def test_who_may_what_is_decided_by_names_alone_as_things_are_now(point: Point):
    admin = await known(point.users, "admin")
    dan = await known(point.users, "developer", company_id=admin.company_id)
    eve = await known(point.users, "developer", company_id=admin.company_id)
    mia = await known(point.users, "project-manager", company_id=admin.company_id)
    project = task_pb2.CreateProjectRequest(name="Apollo", members=[dan.id])
    apollo = (await call(point.tasks.CreateProject, project, mia)).project
    task = task_pb2.CreateTaskRequest(title="Land", project_id=apollo.id)
    made = await call(point.tasks.CreateTask, task, dan)

    async def may_edit(who: Who, company_id: str = admin.company_id) -> bool:
        found = await point.client.check(
            f"user:{who.id}", "tasks:edit", f"tasks/{made.task.id}", company_id=company_id
        )
        return found.allowed

    async def dan_may() -> bool:
        return await may_edit(dan)

    assert not await may_edit(dan)  # IAM has given no role yet
    for who in (dan, eve):
        given = iam_admin_pb2.AssignRoleToUserRequest(user_id=who.id, role="developer")
        await call(point.iam.AssignRoleToUser, given, admin)
    await until(dan_may)
    assert not await may_edit(eve)  # it is not her task
    assert not await may_edit(dan, company_id="00000000-0000-4000-8000-000000000000")
    assign = task_pb2.AssignTaskRequest(task_id=made.task.id, assignee_id=eve.id)
    await call(point.tasks.AssignTask, assign, dan)

    async def eve_may() -> bool:
        return await may_edit(eve)

    await until(eve_may)
    taken = iam_admin_pb2.RevokeRoleFromUserRequest(user_id=dan.id, role="developer")
    await call(point.iam.RevokeRoleFromUser, taken, admin)

    async def dan_may_not() -> bool:
        return not await may_edit(dan)

    await until(dan_may_not)
