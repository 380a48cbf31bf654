"""What tasks and projects are, and what may become of them. Pure: the time is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from taskman_authz.messaging import Event

from ..chassis.caller import Caller
from ..chassis.errors import InvalidInput, Refused
from ..chassis.fields import read_choice, read_id, read_text, read_time
from . import events

LONGEST = 10_000  # characters of a description or a comment
MEMBERS = 200  # of a project: they are attributes of a question
PRIORITIES = ("low", "medium", "high", "urgent")
# From each status to which: a task is begun before it is done, and may be taken up again.
WORKFLOW: Mapping[str, tuple[str, ...]] = {
    "todo": ("doing",),
    "doing": ("todo", "done"),
    "done": ("doing",),
}
PROJECT_STATUSES = ("active", "archived")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task. `project_status` is its project's, "" where that is not known."""

    id: str
    title: str
    company_id: str
    creator_id: str
    description: str = ""
    project_id: str | None = None
    assignee_id: str | None = None
    department: str = ""
    status: str = "todo"
    priority: str = "medium"
    due_date: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime | None = None  # the database's to say
    updated_at: datetime | None = None
    project_status: str = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said about a task."""

    id: str
    user_id: str
    comment: str
    created_at: datetime | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project, with who works in it."""

    id: str
    name: str
    company_id: str
    owner_id: str
    description: str = ""
    status: str = "active"
    created_at: datetime | None = None
    updated_at: datetime | None = None
    members: tuple[str, ...] = ()
    open_tasks: int = 0


def _title(field: str, given: Any) -> Any:
    return read_text(field, given.title, 500)


def _description(field: str, given: Any) -> Any:
    return read_text(field, given.description, LONGEST, 0)


# How each field that may be changed is read.
TASK_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "title": _title,
    "description": _description,
    "status": lambda field, given: read_choice(field, given.status, list(WORKFLOW)),
    "priority": lambda field, given: read_choice(field, given.priority, PRIORITIES),
    "due_date": lambda field, given: due_date(field, given),
}
PROJECT_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": lambda field, given: read_text(field, given.name, 255),
    "description": _description,
    "status": lambda field, given: read_choice(field, given.status, PROJECT_STATUSES),
    "members": lambda field, given: members(field, given.members),
}


def due_date(field: str, given: Any) -> datetime | None:
    """When it should be done, if that is said."""
    return read_time(field, given.due_date) if given.HasField("due_date") else None


def members(field: str, given: Sequence[str]) -> tuple[str, ...]:
    """Who works in a project."""
    if len(given) > MEMBERS:
        raise InvalidInput(field, f"expected at most {MEMBERS}")
    return tuple(sorted({read_id(field, each) for each in given}))


def changed_fields(mask: Sequence[str], readers: Mapping[str, Any]) -> list[str]:
    """The fields that a mask names. Raises InvalidInput."""
    for name in mask:
        read_choice("update_mask", name, list(readers))
    return sorted(set(mask))


# -- tasks ---------------------------------------------------------------------------------------


def create_task(request: Any, who: Caller, department: str) -> Task:
    """A new task. Raises InvalidInput."""
    return Task(
        id=str(uuid.uuid4()),
        title=_title("title", request),
        description=_description("description", request),
        project_id=read_id("project_id", request.project_id) if request.project_id else None,
        company_id=who.company,
        creator_id=who.id,
        department=department,
        priority=read_choice("priority", request.priority or "medium", PRIORITIES),
        due_date=due_date("due_date", request),
    )


def in_project(task: Task, project: Project) -> Task:
    """A task that is to be a project's."""
    return msgspec.structs.replace(task, project_status=project.status)


def read_task(given: Any, fields: Sequence[str]) -> dict[str, Any]:
    """The new values of some fields. Raises InvalidInput."""
    return {name: TASK_READERS[name](f"task.{name}", given) for name in fields}


def update_task(
    task: Task, values: Mapping[str, Any], comment: Comment | None, now: datetime, actor: str
) -> tuple[Task, list[Event]]:
    """A task after a change, and what is said of it. Raises Refused: not from there to there."""
    status = values.get("status", task.status)
    if status != task.status and status not in WORKFLOW[task.status]:
        raise Refused(f"a task goes from {task.status} to {' or '.join(WORKFLOW[task.status])}")
    after = msgspec.structs.replace(task, **values)
    different = sorted(name for name in values if getattr(after, name) != getattr(task, name))
    said = []
    if different:
        said.append(events.about_task("task.updated", after, actor, fields=different))
    if status == "done" != task.status:
        after = msgspec.structs.replace(after, completed_at=now)
        said.append(events.about_task("task.completed", after, actor))
    elif status != "done":
        after = msgspec.structs.replace(after, completed_at=None)
    if comment is not None:
        more = {"comment_id": comment.id}
        said.append(events.about_task("task.commented", after, actor, **more))
    return after, said


def assign(task: Task, assignee_id: str, actor: str) -> tuple[Task, list[Event]]:
    """A task that is somebody's, and what is said of it."""
    after = msgspec.structs.replace(task, assignee_id=assignee_id)
    said = [events.about_task("task.assigned", after, actor)]
    return after, said if task.assignee_id != assignee_id else []


def unassign(task: Task, actor: str) -> tuple[Task, list[Event]]:
    """A task that is nobody's, and what is said of it."""
    after = msgspec.structs.replace(task, assignee_id=None)
    said = [events.about_task("task.updated", after, actor, fields=["assignee_id"])]
    return after, said if task.assignee_id else []


# -- projects ------------------------------------------------------------------------------------


def create_project(request: Any, who: Caller) -> tuple[Project, list[Event]]:
    """A new project of the caller's, and what is said of it. Raises InvalidInput."""
    project = Project(
        id=str(uuid.uuid4()),
        name=PROJECT_READERS["name"]("name", request),
        description=_description("description", request),
        company_id=who.company,
        owner_id=who.id,
        members=with_owner(who.id, members("members", request.members)),
    )
    return project, [events.about_project("project.created", project, who.name)]


def with_owner(owner_id: str, members: Sequence[str]) -> tuple[str, ...]:
    """Members, the owner always among them."""
    return tuple(sorted({owner_id, *members}))


def update_project(
    project: Project, given: Any, fields: Sequence[str], actor: str
) -> tuple[Project, list[Event]]:
    """A project after a change of some fields, and what is said of it. Raises InvalidInput."""
    values = {name: PROJECT_READERS[name](f"project.{name}", given) for name in fields}
    if "members" in values:
        values["members"] = with_owner(project.owner_id, values["members"])
    after = msgspec.structs.replace(project, **values)
    different = [name for name in fields if getattr(after, name) != getattr(project, name)]
    said = [events.about_project("project.updated", after, actor, fields=different)]
    return after, said if different else []
