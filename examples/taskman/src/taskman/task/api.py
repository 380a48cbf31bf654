"""The RPCs of tasks and projects, each in five beats: who, find, require, decide, save and say."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter

from ..chassis.caller import Caller, caller
from ..chassis.errors import InvalidInput, Refused
from ..chassis.fields import page_token, read_choice, read_id, read_page, read_text, read_time
from ..chassis.pep import About, Pep, Question
from . import access, domain, events
from .domain import Comment, Project, Task
from .messages import comment_message, project_message, task_message
from .projects import Projects
from .store import Filter, Tasks
from .v1 import task_pb2 as wire
from .v1 import task_pb2_grpc as rpc

SERVICE = "taskman.task.v1.TaskService"
# The company of a user who is active, by the caller's company and the id; None: there is none.
Find = Callable[[str, str], Awaitable[str | None]]


class TaskService(rpc.TaskServiceServicer):
    """Answers for tasks and projects."""

    def __init__(
        self,
        tasks: Tasks,
        projects: Projects,
        pep: Pep,
        about: About,
        find: Find,
        created: Counter,
    ) -> None:
        self._tasks = tasks
        self._projects = projects
        self._pep = pep
        self._about = about
        self._find = find
        self._created = created  # by company and status

    # -- tasks -----------------------------------------------------------------------------------

    async def CreateTask(self, request: wire.CreateTaskRequest, _: Any) -> wire.CreateTaskResponse:
        """Add a task."""
        who = caller()
        known = await self._about(who) if who.kind == "user" else {}
        task = domain.create_task(request, who, str(known.get("department", "")))
        if task.project_id:
            project = await self._projects.get(who.company, task.project_id)
            task = domain.in_project(task, project)
        await self._pep.require(who, access.CREATE, access.new_task(task))
        said = [events.about_task("task.created", task, who.name)]
        task = await self._tasks.add(task, said)
        self._created.labels(who.company, task.status).inc()
        return wire.CreateTaskResponse(task=task_message(task))

    async def GetTask(self, request: wire.GetTaskRequest, _: Any) -> wire.GetTaskResponse:
        """A task, with its comments for who may read them."""
        who = caller()
        details = await self._tasks.details(who.company, read_id("task_id", request.task_id))
        view = Question(access.VIEW, access.task(details.task))
        read = Question(access.LIST_COMMENTS, access.many("comments", who))
        [may_read] = await self._pep.require_and_ask(who, view, [read])
        shown = details.comments if may_read else []
        return wire.GetTaskResponse(
            task=task_message(details.task), comments=map(comment_message, shown)
        )

    async def UpdateTask(self, request: wire.UpdateTaskRequest, _: Any) -> wire.UpdateTaskResponse:
        """Change a task, and say something about it."""
        who = caller()
        fields = domain.changed_fields(request.update_mask.paths, domain.TASK_READERS)
        values = domain.read_task(request.task, fields)
        comment = _comment(request.comment, who)
        if not fields and comment is None:
            raise InvalidInput("update_mask", "expected the names of fields, or a comment")
        task = await self._task(who, request.task_id)
        for action in access.changes_of_task(fields, request.task.status, comment is not None):
            await self._pep.require(who, action, access.task(task))
        after, said = domain.update_task(task, values, comment, datetime.now(UTC), who.name)
        after = await self._tasks.save(task, after, said, comment)
        return wire.UpdateTaskResponse(task=task_message(after))

    async def DeleteTask(self, request: wire.DeleteTaskRequest, _: Any) -> wire.DeleteTaskResponse:
        """Remove a task."""
        who = caller()
        task = await self._task(who, request.task_id)
        await self._pep.require(who, access.DELETE, access.task(task))
        await self._tasks.remove(task, [events.about_task("task.deleted", task, who.name)])
        return wire.DeleteTaskResponse()

    async def ListTasks(self, request: wire.ListTasksRequest, _: Any) -> wire.ListTasksResponse:
        """A page of the tasks that the caller may view."""
        who = caller()
        page, filter = read_page(request.page_size, request.page_token), _filter(request)
        await self._pep.require(who, access.LIST, access.many("tasks", who))
        found = await self._tasks.page(who.company, filter, page)
        tasks, more = found[: page.size], len(found) > page.size
        may = await self._pep.allowed(who, access.VIEW, [access.task(each) for each in tasks])
        last = tasks[-1].created_at if more else None
        return wire.ListTasksResponse(
            tasks=[task_message(task) for task, yes in zip(tasks, may, strict=True) if yes],
            next_page_token=page_token(last, tasks[-1].id) if last else "",
        )

    # -- assignments -----------------------------------------------------------------------------

    async def AssignTask(self, request: wire.AssignTaskRequest, _: Any) -> wire.AssignTaskResponse:
        """Give a task to an active user of the company."""
        who = caller()
        assignee_id = read_id("assignee_id", request.assignee_id)
        task = await self._task(who, request.task_id)
        company = await self._find(who.company, assignee_id)
        context = {"assignee_company_id": company} if company else {}
        await self._pep.require(who, access.ASSIGN, access.task(task), context)
        if company is None:
            raise Refused("there is no such active user")
        after, said = domain.assign(task, assignee_id, who.name)
        after = await self._tasks.save(task, after, said)
        return wire.AssignTaskResponse(task=task_message(after))

    async def UnassignTask(
        self, request: wire.UnassignTaskRequest, _: Any
    ) -> wire.UnassignTaskResponse:
        """Take a task back."""
        who = caller()
        task = await self._task(who, request.task_id)
        await self._pep.require(who, access.UNASSIGN, access.task(task))
        after, said = domain.unassign(task, who.name)
        after = await self._tasks.save(task, after, said)
        return wire.UnassignTaskResponse(task=task_message(after))

    # -- projects --------------------------------------------------------------------------------

    async def CreateProject(
        self, request: wire.CreateProjectRequest, _: Any
    ) -> wire.CreateProjectResponse:
        """Add a project of the caller's."""
        who = caller()
        project, said = domain.create_project(request, who)
        await self._pep.require(who, access.CREATE_PROJECT, access.new_project(who))
        project = await self._projects.add(project, said)
        return wire.CreateProjectResponse(project=project_message(project))

    async def GetProject(self, request: wire.GetProjectRequest, _: Any) -> wire.GetProjectResponse:
        """A project."""
        who = caller()
        project = await self._project(who, request.project_id)
        await self._pep.require(who, access.VIEW_PROJECT, access.project(project))
        return wire.GetProjectResponse(project=project_message(project))

    async def UpdateProject(
        self, request: wire.UpdateProjectRequest, _: Any
    ) -> wire.UpdateProjectResponse:
        """Change a project, archive or restore it."""
        who = caller()
        fields = domain.changed_fields(request.update_mask.paths, domain.PROJECT_READERS)
        if not fields:
            raise InvalidInput("update_mask", "expected the names of fields")
        project = await self._project(who, request.project_id)
        after, said = domain.update_project(project, request.project, fields, who.name)
        for action in access.changes_of_project(fields, after.status):
            await self._pep.require(who, action, access.project(project))
        after = await self._projects.save(project, after, said)
        return wire.UpdateProjectResponse(project=project_message(after))

    async def DeleteProject(
        self, request: wire.DeleteProjectRequest, _: Any
    ) -> wire.DeleteProjectResponse:
        """Remove a project without open tasks."""
        who = caller()
        project = await self._project(who, request.project_id)
        await self._pep.require(who, access.DELETE_PROJECT, access.project(project))
        said = [events.about_project("project.deleted", project, who.name)]
        await self._projects.remove(project, said)
        return wire.DeleteProjectResponse()

    # -- finding ---------------------------------------------------------------------------------

    async def _task(self, who: Caller, task_id: str) -> Task:
        return await self._tasks.get(who.company, read_id("task_id", task_id))

    async def _project(self, who: Caller, project_id: str) -> Project:
        return await self._projects.get(who.company, read_id("project_id", project_id))


def _comment(text: str, who: Caller) -> Comment | None:
    if not text:
        return None
    said = read_text("comment", text, domain.LONGEST)
    return Comment(id=str(uuid.uuid4()), user_id=who.id, comment=said)


def _filter(request: wire.ListTasksRequest) -> Filter:
    statuses, priorities = list(domain.WORKFLOW), domain.PRIORITIES
    return Filter(
        read_id("project_id", request.project_id) if request.project_id else None,
        read_id("assignee_id", request.assignee_id) if request.assignee_id else None,
        read_choice("status", request.status, statuses) if request.status else "",
        read_choice("priority", request.priority, priorities) if request.priority else "",
        read_time("due_before", request.due_before) if request.HasField("due_before") else None,
    )
