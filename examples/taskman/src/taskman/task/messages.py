"""Tasks, comments and projects on the wire."""

from __future__ import annotations

from ..chassis.fields import stamp
from .domain import Comment, Project, Task
from .v1 import task_pb2 as wire


def task_message(task: Task) -> wire.Task:
    """A task."""
    return wire.Task(
        id=task.id,
        title=task.title,
        description=task.description,
        project_id=task.project_id or "",
        company_id=task.company_id,
        assignee_id=task.assignee_id or "",
        creator_id=task.creator_id,
        status=task.status,
        priority=task.priority,
        due_date=stamp(task.due_date),
        completed_at=stamp(task.completed_at),
        created_at=stamp(task.created_at),
        updated_at=stamp(task.updated_at),
    )


def comment_message(comment: Comment) -> wire.Comment:
    """A comment."""
    return wire.Comment(
        id=comment.id,
        user_id=comment.user_id,
        comment=comment.comment,
        created_at=stamp(comment.created_at),
    )


def project_message(project: Project) -> wire.Project:
    """A project."""
    return wire.Project(
        id=project.id,
        name=project.name,
        description=project.description,
        company_id=project.company_id,
        owner_id=project.owner_id,
        status=project.status,
        created_at=stamp(project.created_at),
        updated_at=stamp(project.updated_at),
        members=project.members,
    )
