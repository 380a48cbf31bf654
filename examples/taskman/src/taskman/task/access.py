"""What is asked of the policies (`tasks.yaml`, `projects.yaml`, `comments.yaml`)."""

from __future__ import annotations

from typing import Any

from ..chassis.caller import Caller
from ..chassis.pep import Resource
from .domain import Project, Task

CREATE, VIEW, EDIT, DELETE = "tasks:create", "tasks:view", "tasks:edit", "tasks:delete"
LIST, ASSIGN, UNASSIGN = "tasks:list", "tasks:assign", "tasks:unassign"
COMPLETE, COMMENT, LIST_COMMENTS = "tasks:complete", "tasks:comment", "comments:list"
CREATE_PROJECT, VIEW_PROJECT = "projects:create", "projects:view"
EDIT_PROJECT, DELETE_PROJECT = "projects:edit", "projects:delete"
ARCHIVE_PROJECT, RESTORE_PROJECT = "projects:archive", "projects:restore"


def about_task(task: Task) -> dict[str, Any]:
    """What policies read of a task."""
    return {
        "company_id": task.company_id,
        "owner": task.creator_id,
        "assignee": task.assignee_id,
        "project": task.project_id,
        "project_status": task.project_status,
        "department": task.department,
        "status": task.status,
    }


def about_project(project: Project) -> dict[str, Any]:
    """What policies read of a project."""
    return {
        "company_id": project.company_id,
        "owner": project.owner_id,
        "members": list(project.members),
        "status": project.status,
        "open_tasks": project.open_tasks,
    }


def task(task: Task) -> Resource:
    """A task."""
    return Resource("tasks", task.id, about_task(task))


def new_task(task: Task) -> Resource:
    """A task that is about to be made."""
    return Resource("tasks", "new", about_task(task))


def project(project: Project) -> Resource:
    """A project."""
    return Resource("projects", project.id, about_project(project))


def many(kind: str, who: Caller) -> Resource:
    """All of a kind that a company has."""
    return Resource(kind, "*", {"company_id": who.company})


def new_project(who: Caller) -> Resource:
    """A project that is about to be made."""
    return Resource("projects", "new", {"company_id": who.company, "owner": who.id})


def changes_of_task(fields: list[str], status: str, has_comment: bool) -> list[str]:
    """The actions that an update is."""
    completes = "status" in fields and status == "done"
    edits = [name for name in fields if name != "status" or not completes]
    actions = [COMPLETE] if completes else []
    actions += [EDIT] if edits else []
    return [*actions, *([COMMENT] if has_comment else [])]


def changes_of_project(fields: list[str], status: str) -> list[str]:
    """The actions that an update is."""
    actions = [EDIT_PROJECT] if set(fields) - {"status"} else []
    if "status" in fields:
        actions.append(ARCHIVE_PROJECT if status == "archived" else RESTORE_PROJECT)
    return actions
