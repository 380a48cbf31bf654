"""Tasks in PostgreSQL, and with their comments in the cache (`task:details:{id}:{company}`, 10
minutes).

Laws: a row and what is said of it are one transaction. What is written was checked as it is: a row
that somebody changed since is a `Conflict`, and a project that was archived since takes no task.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from taskman_authz.messaging import Event

from ..chassis.cache import Cache
from ..chassis.database import Database, Transaction
from ..chassis.errors import Conflict
from ..chassis.events import say
from ..chassis.fields import Page
from . import domain, events
from .domain import Comment, Task
from .rows import SELECT_TASK, TASK_FIELDS, find_project, find_task, task_of

DETAILS_SECONDS = 10 * 60
COMMENTS = 200  # that are shown, the last ones
CHANGED = "it was changed meanwhile; try again"
_WRITTEN = [name for name in TASK_FIELDS if name not in ("created_at", "updated_at")]
_PLACES = ", ".join(f"${number}" for number in range(1, len(_WRITTEN) + 1))
_INSERT = f"""
INSERT INTO tasks ({", ".join(_WRITTEN)}) VALUES ({_PLACES}) RETURNING created_at, updated_at
"""
_UPDATE = f"""
UPDATE tasks SET ({", ".join(_WRITTEN)}, updated_at) = ({_PLACES}, clock_timestamp())
WHERE id = $1 RETURNING created_at, updated_at
"""
_COMMENTS = """
SELECT id::text, user_id::text, comment, created_at FROM task_comments
WHERE task_id = $1 ORDER BY created_at DESC LIMIT $2
"""
_LIST = f"""{SELECT_TASK}
WHERE tasks.company_id = $1
  AND ($2::uuid IS NULL OR tasks.project_id = $2) AND ($3::uuid IS NULL OR assignee_id = $3)
  AND ($4 = '' OR tasks.status = $4) AND ($5 = '' OR priority = $5)
  AND ($6::timestamptz IS NULL OR due_date < $6)
  AND ($7::timestamptz IS NULL OR (tasks.created_at, tasks.id) < ($7, $8::uuid))
ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT $9
"""


class Details(msgspec.Struct, frozen=True):
    """A task with what was said about it, the oldest first."""

    task: Task
    comments: list[Comment]


class Filter(NamedTuple):
    """Which tasks; what is empty does not matter."""

    project_id: str | None = None
    assignee_id: str | None = None
    status: str = ""
    priority: str = ""
    due_before: datetime | None = None


class Tasks:
    """The tasks of all companies, one company at a time."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def details(self, company_id: str, task_id: str) -> Details:
        """A task to be looked at; its `project_status` is not known. Raises NotFound."""
        kept = await self._cache.get("details", task_id, company_id)
        if kept is not None:
            return msgspec.json.decode(kept, type=Details)
        async with self._database.company(company_id) as transaction:
            task = await find_task(transaction, company_id, task_id)
            rows = await transaction.fetch(_COMMENTS, task_id, COMMENTS)
        # A project changes without its tasks: what is kept must not say how it was.
        task = msgspec.structs.replace(task, project_status="")
        details = Details(task, [Comment(**dict(row)) for row in reversed(rows)])
        await self._put(task, msgspec.json.encode(details))
        return details

    async def get(self, company_id: str, task_id: str) -> Task:
        """A task that is to be changed. Raises NotFound."""
        async with self._database.company(company_id) as transaction:
            return await find_task(transaction, company_id, task_id)

    async def some(self, company_id: str, ids: Sequence[str]) -> list[Task]:
        """Those of some ids that exist."""
        query = f"{SELECT_TASK} WHERE tasks.company_id = $1 AND tasks.id = ANY($2::uuid[])"
        async with self._database.company(company_id) as transaction:
            return [task_of(row) for row in await transaction.fetch(query, company_id, ids)]

    async def page(self, company_id: str, filter: Filter, page: Page) -> list[Task]:
        """A page of tasks, and one more where there are more."""
        given = (company_id, *filter, *(page.before or (None, None)), page.size + 1)
        async with self._database.company(company_id) as transaction:
            return [task_of(row) for row in await transaction.fetch(_LIST, *given)]

    async def add(self, task: Task, said: Sequence[Event]) -> Task:
        """Add a task. Raises Conflict where its project is not as it was."""
        async with self._database.company(task.company_id) as transaction:
            if task.project_id:
                lock = " FOR SHARE OF projects"
                project = await find_project(transaction, task.company_id, task.project_id, lock)
                if project.status != task.project_status:
                    raise Conflict(CHANGED)
            task = await self._write(transaction, _INSERT, task)
            await say(transaction, events.EXCHANGE, *said)
        return task

    async def save(
        self, before: Task, task: Task, said: Sequence[Event], comment: Comment | None = None
    ) -> Task:
        """Write a task in the place of what it was. Raises NotFound, Conflict."""
        async with self._database.company(task.company_id) as transaction:
            await self._locked(transaction, before)
            task = await self._write(transaction, _UPDATE, task)
            if comment is not None:
                await transaction.execute(
                    "INSERT INTO task_comments (id, task_id, company_id, user_id, comment)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    *(comment.id, task.id, task.company_id, comment.user_id, comment.comment),
                )
            if task.assignee_id and task.project_id:  # who works on a task works in its project
                await transaction.execute(
                    "INSERT INTO project_members (project_id, user_id, company_id)"
                    " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    *(task.project_id, task.assignee_id, task.company_id),
                )
            await say(transaction, events.EXCHANGE, *said)
        await self._put(task, b"")
        return task

    async def remove(self, task: Task, said: Sequence[Event]) -> None:
        """Remove a task. Raises NotFound, Conflict."""
        async with self._database.company(task.company_id) as transaction:
            await self._locked(transaction, task)
            now = await transaction.fetchval(
                "DELETE FROM tasks WHERE id = $1 RETURNING clock_timestamp()", task.id
            )
            await say(transaction, events.EXCHANGE, *said)
        await self.forget(task.id, task.company_id, now)

    async def forget(self, task_id: str, company_id: str, now: datetime) -> None:
        """A task was changed or removed at a time; what is kept of it is no more."""
        version = int(now.timestamp() * 1_000_000)
        await self._cache.put("details", task_id, company_id, b"", version, DETAILS_SECONDS)

    async def user_gone(self, transaction: Transaction, event: Event) -> None:
        """A user was deleted: their tasks are nobody's, and they work in no project."""
        user_id = event.data["user_id"]
        await transaction.execute("DELETE FROM project_members WHERE user_id = $1", user_id)
        query = f"{SELECT_TASK} WHERE assignee_id = $1 FOR UPDATE OF tasks"
        for row in await transaction.fetch(query, user_id):
            task, said = domain.unassign(task_of(row), event.actor)
            task = await self._write(transaction, _UPDATE, task)
            await say(transaction, events.EXCHANGE, *said)
            await self._put(task, b"")

    async def _locked(self, transaction: Transaction, seen: Task) -> None:
        """Raises Conflict where a task, or the status of its project, is not as it was seen."""
        lock = " FOR UPDATE OF tasks"
        now = await find_task(transaction, seen.company_id, seen.id, lock)
        if (now.updated_at, now.project_status) != (seen.updated_at, seen.project_status):
            raise Conflict(CHANGED)

    async def _write(self, transaction: Transaction, statement: str, task: Task) -> Task:
        values = [getattr(task, name) for name in _WRITTEN]
        row = await transaction.fetchrow(statement, *values)
        return msgspec.structs.replace(task, **dict(row))

    async def _put(self, task: Task, value: bytes) -> None:
        assert task.updated_at is not None
        version = int(task.updated_at.timestamp() * 1_000_000)
        key = ("details", task.id, task.company_id)
        await self._cache.put(*key, value, version, DETAILS_SECONDS)
