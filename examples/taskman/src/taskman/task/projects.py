"""Projects in PostgreSQL.

Laws: a row and what is said of it are one transaction; a row that somebody changed since it was
checked is a `Conflict`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from taskman_authz.messaging import Event

from ..chassis.database import Database, Transaction
from ..chassis.errors import Conflict
from ..chassis.events import say
from . import events
from .domain import Project
from .rows import SELECT_PROJECT, find_project, project_of
from .store import CHANGED, Tasks

_LOCK = " FOR UPDATE OF projects"


class Projects:
    """The projects of all companies, one company at a time."""

    def __init__(self, database: Database, tasks: Tasks) -> None:
        self._database = database
        self._tasks = tasks

    async def get(self, company_id: str, project_id: str) -> Project:
        """A project. Raises NotFound."""
        async with self._database.company(company_id) as transaction:
            return await find_project(transaction, company_id, project_id)

    async def some(self, company_id: str, ids: Sequence[str]) -> list[Project]:
        """Those of some ids that exist."""
        query = f"{SELECT_PROJECT} WHERE company_id = $1 AND id = ANY($2::uuid[])"
        async with self._database.company(company_id) as transaction:
            return [project_of(row) for row in await transaction.fetch(query, company_id, ids)]

    async def worked_in(self, company_id: str, user_id: str) -> list[str]:
        """The ids of the projects that a user works in."""
        async with self._database.company(company_id) as transaction:
            rows = await transaction.fetch(
                "SELECT project_id::text FROM project_members"
                " WHERE user_id = $1 AND company_id = $2",
                *(user_id, company_id),
            )
        return [row["project_id"] for row in rows]

    async def add(self, project: Project, said: Sequence[Event]) -> Project:
        """Add a project."""
        async with self._database.company(project.company_id) as transaction:
            row = await transaction.fetchrow(
                "INSERT INTO projects (id, name, description, company_id, owner_id)"
                " VALUES ($1, $2, $3, $4, $5) RETURNING created_at, updated_at",
                *(project.id, project.name, project.description),
                *(project.company_id, project.owner_id),
            )
            await self._write_members(transaction, project)
            await say(transaction, events.EXCHANGE, *said)
        return msgspec.structs.replace(project, **dict(row))

    async def save(self, before: Project, project: Project, said: Sequence[Event]) -> Project:
        """Write a project in the place of what it was. Raises NotFound, Conflict."""
        async with self._database.company(project.company_id) as transaction:
            await self._locked(transaction, before)
            row = await transaction.fetchrow(
                "UPDATE projects SET (name, description, status, updated_at)"
                " = ($2, $3, $4, clock_timestamp()) WHERE id = $1 RETURNING created_at, updated_at",
                *(project.id, project.name, project.description, project.status),
            )
            if project.members != before.members:
                await self._write_members(transaction, project)
            await say(transaction, events.EXCHANGE, *said)
        return msgspec.structs.replace(project, **dict(row))

    async def remove(self, project: Project, said: Sequence[Event]) -> None:
        """Remove a project with its tasks. Raises NotFound, Conflict."""
        async with self._database.company(project.company_id) as transaction:
            await self._locked(transaction, project)
            tasks = await transaction.fetch(
                "DELETE FROM tasks WHERE project_id = $1 RETURNING id::text, clock_timestamp()",
                project.id,
            )
            await transaction.execute("DELETE FROM projects WHERE id = $1", project.id)
            await say(transaction, events.EXCHANGE, *said)
        for id, now in tasks:
            await self._tasks.forget(id, project.company_id, now)

    async def _locked(self, transaction: Transaction, seen: Project) -> None:
        """Raises Conflict where a project is not as it was seen. Nobody adds a task to it then."""
        now = await find_project(transaction, seen.company_id, seen.id, _LOCK)
        if (now.updated_at, now.open_tasks) != (seen.updated_at, seen.open_tasks):
            raise Conflict(CHANGED)

    async def _write_members(self, transaction: Transaction, project: Project) -> None:
        await transaction.execute("DELETE FROM project_members WHERE project_id = $1", project.id)
        await transaction.executemany(
            "INSERT INTO project_members (project_id, user_id, company_id) VALUES ($1, $2, $3)",
            [(project.id, each, project.company_id) for each in project.members],
        )
