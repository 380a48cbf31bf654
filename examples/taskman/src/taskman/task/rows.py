"""Rows ↔ tasks, comments, projects: the SQL that both stores share."""

from __future__ import annotations

from typing import Any

from ..chassis.database import Transaction
from ..chassis.errors import NotFound
from .domain import Project, Task

TASK_FIELDS = [name for name in Task.__struct_fields__ if name != "project_status"]
SELECT_TASK = f"""
SELECT {", ".join(f"tasks.{name}" for name in TASK_FIELDS)},
  coalesce(projects.status, '') AS project_status
FROM tasks LEFT JOIN projects ON projects.id = tasks.project_id
"""
SELECT_PROJECT = """
SELECT id, name, company_id, owner_id, description, status, created_at, updated_at,
  ARRAY(SELECT user_id FROM project_members WHERE project_id = projects.id ORDER BY 1) AS members,
  (SELECT count(*) FROM tasks WHERE project_id = projects.id AND tasks.status <> 'done')
    AS open_tasks
FROM projects
"""
_IDS = ("id", "company_id", "creator_id", "owner_id", "project_id", "assignee_id")


def _values(row: Any) -> dict[str, Any]:
    values = dict(row)
    values |= {name: str(values[name]) for name in _IDS if values.get(name) is not None}
    return values


def task_of(row: Any) -> Task:
    """The task of a row of `SELECT_TASK`."""
    return Task(**_values(row))


def project_of(row: Any) -> Project:
    """The project of a row of `SELECT_PROJECT`."""
    return Project(**{**_values(row), "members": tuple(map(str, row["members"]))})


async def find_task(
    transaction: Transaction, company_id: str, task_id: str, lock: str = ""
) -> Task:
    """A task. Raises NotFound."""
    query = f"{SELECT_TASK} WHERE tasks.id = $1 AND tasks.company_id = $2{lock}"
    row = await transaction.fetchrow(query, task_id, company_id)
    if row is None:
        raise NotFound("there is no such task")
    return task_of(row)


async def find_project(
    transaction: Transaction, company_id: str, project_id: str, lock: str = ""
) -> Project:
    """A project. Raises NotFound."""
    query = f"{SELECT_PROJECT} WHERE id = $1 AND company_id = $2{lock}"
    row = await transaction.fetchrow(query, project_id, company_id)
    if row is None:
        raise NotFound("there is no such project")
    return project_of(row)
