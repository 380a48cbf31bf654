"""How the task service is wired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Counter

from taskman_authz.v1.attributes_pb2_grpc import add_AttributeServiceServicer_to_server

from ..chassis import attributes as pip
from ..chassis.caller import Caller
from ..chassis.client import Peer
from ..chassis.errors import NotFound
from ..chassis.events import once
from ..chassis.service import Definition, House, Wiring
from ..user.v1 import user_pb2
from ..user.v1.user_pb2_grpc import UserServiceStub
from . import access, events
from .api import SERVICE, Find, TaskService
from .projects import Projects
from .store import Tasks
from .v1.task_pb2_grpc import add_TaskServiceServicer_to_server

USERS = "taskman.user.v1.UserService"


def finder(peer: Peer) -> Find:
    """Finds users who are active, where they are kept."""
    stub: Any = UserServiceStub(peer.channel)

    async def find(company_id: str, user_id: str) -> str | None:
        try:
            asked = user_pb2.GetUserRequest(user_id=user_id)
            answer = await peer.ask(stub.GetUser, asked, company_id)
        except NotFound:
            return None
        return str(answer.user.company_id) if answer.user.is_active else None

    return find


def wire(house: House) -> Wiring:
    """Tasks, projects, and their attributes."""
    tasks = Tasks(house.database, house.cache)
    projects = Projects(house.database, tasks)
    users = house.peer("user-service", [(USERS, "GetUser"), (pip.SERVICE, "GetAttributes")])
    about_user = pip.about_subject(users)
    created = Counter(
        "taskman_tasks_created_total",
        "Tasks that were added",
        ("company", "status"),
        registry=house.metrics.registry,
    )

    async def about(who: Caller) -> Mapping[str, Any]:
        worked_in = await projects.worked_in(who.company, who.id)
        return {**await about_user(who), "projects": worked_in}

    async def of_tasks(company_id: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found = await tasks.some(company_id, ids)
        return {task.id: access.about_task(task) for task in found}

    async def of_projects(company_id: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        found = await projects.some(company_id, ids)
        return {project.id: access.about_project(project) for project in found}

    async def of_users(company_id: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """In which projects somebody works: what is known of users here."""
        return {id: {"projects": await projects.worked_in(company_id, id)} for id in ids}

    pep = house.pep(about)
    service = TaskService(tasks, projects, pep, about_user, finder(users), created)
    attributes = pip.Attributes({"tasks": of_tasks, "projects": of_projects, "user": of_users})
    return Wiring(
        servicers=(
            (add_TaskServiceServicer_to_server, service, SERVICE),
            (add_AttributeServiceServicer_to_server, attributes, pip.SERVICE),
        ),
        subscriptions=(once(house.database, events.USERS, tasks.user_gone),),
    )


SERVICE_DEFINITION = Definition(
    "task-service", "taskman.task", (events.EXCHANGE, "user.events"), wire
)
