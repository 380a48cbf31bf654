"""What is told on `task.events`: task.created, task.updated, task.deleted, task.assigned,
task.completed, task.commented, project.created, project.updated, project.deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskman_authz.messaging import Event, Queue

if TYPE_CHECKING:
    from .domain import Project, Task

EXCHANGE = "task.events"
USERS = Queue("task.users", {"user.events": ("user.deleted",)})


def about_task(type: str, task: Task, actor: str, **more: Any) -> Event:
    """An event about a task."""
    data: dict[str, Any] = {"task_id": task.id, "title": task.title, "status": task.status}
    data |= {"project_id": task.project_id, "creator_id": task.creator_id}
    data |= {"assignee_id": task.assignee_id, **more}
    return Event(type=type, company_id=task.company_id, actor=actor, data=data)


def about_project(type: str, project: Project, actor: str, **more: Any) -> Event:
    """An event about a project."""
    data = {"project_id": project.id, "name": project.name, "owner_id": project.owner_id, **more}
    return Event(type=type, company_id=project.company_id, actor=actor, data=data)
