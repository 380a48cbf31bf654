"""What the policies are asked before a request goes on: the same questions that the service behind
asks, about the same attributes, which their owners tell (`AttributeService`).

Law: what does not exist in the caller's company is not found, before anything is decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..chassis.attributes import RESOURCE, SUBJECT, attributes_of
from ..chassis.caller import Caller
from ..chassis.client import Peer
from ..chassis.errors import Denied, NotFound
from ..chassis.fields import is_id, read_id
from ..chassis.pep import Question, Resource
from ..task.access import changes_of_project, changes_of_task


class Facts:
    """Attributes, by the services that know them: users at `users`, tasks and projects at
    `tasks`."""

    def __init__(self, users: Peer, tasks: Peer) -> None:
        self._users = users
        self._tasks = tasks

    async def of(self, who: Caller, kind: str, field: str, id: str) -> Resource:
        """A resource of the caller's company. Raises NotFound."""
        given = read_id(field, id)
        if kind == "users":  # who are subjects, as policies name them
            found = await self._user(self._users, who, given)
        else:
            found = await attributes_of(self._tasks, who.company, RESOURCE, kind, given)
        if found is None:
            raise NotFound(f"there is no such {kind[:-1]}")
        about = {} if kind == "users" else found
        return Resource(kind, given, {"company_id": who.company, **about})

    async def about(self, who: Caller) -> Mapping[str, Any]:
        """What is known of a caller. Who does not exist is not active."""
        known, works_in = await asyncio.gather(
            self._user(self._users, who, who.id), self._user(self._tasks, who, who.id)
        )
        return {"is_active": False} if known is None else {**known, **(works_in or {})}

    async def department_of(self, who: Caller, id: str) -> str:
        """The department of a user of the caller's company; "" where there is none."""
        found = await self._user(self._users, who, id) if is_id(id) else None
        return str((found or {}).get("department", ""))

    async def company_of(self, who: Caller, id: str) -> str | None:
        """The company of a user, if it is the caller's and they are active."""
        found = await self._user(self._users, who, id) if is_id(id) else None
        return str(found["company_id"]) if found and found.get("is_active") else None

    async def _user(self, peer: Peer, who: Caller, id: str) -> dict[str, Any] | None:
        """What a service knows of a user of the caller's company."""
        return await attributes_of(peer, who.company, SUBJECT, "user", id)


# The questions of a request: who asks, the message, what is known.
Asks = Callable[[Caller, Any, Facts], Awaitable[list[Question]]]


def one(action: str, kind: str, field: str) -> Asks:
    """About the resource that a field names."""

    async def ask(who: Caller, request: Any, facts: Facts) -> list[Question]:
        return [Question(action, await facts.of(who, kind, field, getattr(request, field)))]

    return ask


def many(action: str, kind: str) -> Asks:
    """About all of a kind that the company has."""

    async def ask(who: Caller, _request: Any, _facts: Facts) -> list[Question]:
        return [Question(action, Resource(kind, "*", {"company_id": who.company}))]

    return ask


def new(action: str, kind: str) -> Asks:
    """About one that is about to be made."""

    async def ask(who: Caller, _request: Any, _facts: Facts) -> list[Question]:
        return [Question(action, Resource(kind, "new", {"company_id": who.company}))]

    return ask


def own_session(action: str) -> Asks:
    """About the session of the caller's token."""

    async def ask(who: Caller, _request: Any, _facts: Facts) -> list[Question]:
        if not who.session_id:
            raise Denied("the token belongs to no session")
        attributes = {"company_id": who.company, "user_id": who.id}
        return [Question(action, Resource("sessions", who.session_id, attributes))]

    return ask


def factor(action: str) -> Asks:
    """About the second factor of whom a request names, or else of the caller. (Whether they have
    one the service looks up.)"""

    async def ask(who: Caller, request: Any, _facts: Facts) -> list[Question]:
        named = getattr(request, "user_id", "")
        user_id = read_id("user_id", named) if named else who.id
        about = {"company_id": who.company, "user_id": user_id}
        return [Question(action, Resource("factors", user_id, about), {"mfa": who.mfa})]

    return ask


def fixed(action: str, kind: str, id: str) -> Asks:
    """About one that every company has."""

    async def ask(who: Caller, _request: Any, _facts: Facts) -> list[Question]:
        return [Question(action, Resource(kind, id, {"company_id": who.company}))]

    return ask


def named(action: str, kind: str, field: str) -> Asks:
    """About what a field names, of which the name is all that counts."""

    async def ask(who: Caller, request: Any, _facts: Facts) -> list[Question]:
        return [_kept_by_iam(who, action, kind, getattr(request, field))]

    return ask


def role_itself(action: str) -> Asks:
    """About the role that is sent."""

    async def ask(who: Caller, request: Any, _facts: Facts) -> list[Question]:
        return [_kept_by_iam(who, action, "roles", request.role.name)]

    return ask


def policy_itself(action: str) -> Asks:
    """About the policy that is sent, and the roles that it is to apply to."""

    async def ask(who: Caller, request: Any, _facts: Facts) -> list[Question]:
        policy = request.policy
        roles = [_kept_by_iam(who, "roles:attach", "roles", role) for role in policy.roles]
        return [_kept_by_iam(who, action, "policies", policy.id), *roles]

    return ask


def holding(action: str) -> Asks:
    """About somebody's holding a role."""

    async def ask(who: Caller, request: Any, facts: Facts) -> list[Question]:
        user_id = read_id("user_id", request.user_id)
        context: dict[str, Any] = {"user_id": user_id}
        if department := await facts.department_of(who, user_id):
            context["user_department"] = department
        # Whether an admin is left the service counts: here it is whether the caller may at all.
        context["remaining_admins"] = 1
        about = Resource("roles", request.role, {"company_id": who.company})
        return [Question(action, about, context)]

    return ask


def _kept_by_iam(who: Caller, action: str, kind: str, name: str) -> Question:
    about = Resource(kind, name or "new", {"company_id": who.company})
    return Question(action, about, {"mfa": who.mfa})


async def activity(who: Caller, request: Any, _facts: Facts) -> list[Question]:
    """About what was written down of a user, who may be gone."""
    about = Resource("audit", read_id("user_id", request.user_id), {"company_id": who.company})
    return [Question("audit:activity", about)]


def sending(action: str) -> Asks:
    """About something that is told to a user. (Whether they want it the service looks up.)"""

    async def ask(who: Caller, request: Any, facts: Facts) -> list[Question]:
        to = await facts.of(who, "users", "user_id", request.user_id)
        about = {"company_id": who.company, "recipient": to.id, "project": request.project_id}
        return [Question(action, Resource("notifications", "new", about))]

    return ask


async def webhook(who: Caller, request: Any, _facts: Facts) -> list[Question]:
    """About a call of another system."""
    about = {"company_id": who.company, "url": request.url}
    return [Question("notifications:webhook", Resource("notifications", "new", about))]


async def notified(who: Caller, request: Any, _facts: Facts) -> list[Question]:
    """About what a user was sent, who may be gone, or everybody."""
    user_id = read_id("user_id", request.user_id) if request.user_id else "*"
    about = Resource("notifications", user_id, {"company_id": who.company})
    return [Question("notifications:history", about)]


async def new_project(who: Caller, _request: Any, _facts: Facts) -> list[Question]:
    """About a project of the caller's."""
    attributes = {"company_id": who.company, "owner": who.id}
    return [Question("projects:create", Resource("projects", "new", attributes))]


async def new_task(who: Caller, request: Any, facts: Facts) -> list[Question]:
    """About a task of the caller's, in a project perhaps."""
    attributes = {"company_id": who.company, "owner": who.id, "status": "todo"}
    attributes["department"] = (await facts.about(who)).get("department", "")
    if request.project_id:
        project = await facts.of(who, "projects", "project_id", request.project_id)
        attributes["project"] = project.id
        attributes["project_status"] = project.attributes.get("status", "")
    return [Question("tasks:create", Resource("tasks", "new", attributes))]


async def task_changes(who: Caller, request: Any, facts: Facts) -> list[Question]:
    """About each thing that an update of a task is."""
    task = await facts.of(who, "tasks", "task_id", request.task_id)
    fields = list(request.update_mask.paths)
    actions = changes_of_task(fields, request.task.status, bool(request.comment))
    return [Question(action, task) for action in actions]


async def project_changes(who: Caller, request: Any, facts: Facts) -> list[Question]:
    """The same of a project."""
    project = await facts.of(who, "projects", "project_id", request.project_id)
    fields = list(request.update_mask.paths)
    return [
        Question(action, project) for action in changes_of_project(fields, request.project.status)
    ]


async def user_changes(who: Caller, request: Any, facts: Facts) -> list[Question]:
    """The same of a user."""
    user = await facts.of(who, "users", "user_id", request.user_id)
    fields = list(request.update_mask.paths)
    found = []
    if "is_active" in fields:
        verb = "activate" if request.user.is_active else "deactivate"
        found.append(Question(f"users:{verb}", user))
    others = [name for name in fields if name != "is_active"]
    if others:
        found.append(Question("users:edit", user, {"fields": others}))
    return found


async def assignment(who: Caller, request: Any, facts: Facts) -> list[Question]:
    """About a task, and the company of whom it is to be given to."""
    task = await facts.of(who, "tasks", "task_id", request.task_id)
    company = await facts.company_of(who, request.assignee_id)
    context = {"assignee_company_id": company} if company else {}
    return [Question("tasks:assign", task, context)]
