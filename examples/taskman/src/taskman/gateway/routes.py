"""What there is: methods and paths, the RPCs that they are, and what is asked before them.

A route is data. `fill` names the field of the request that the body is ("*": the whole, of which
only `takes` may come where that is said), and with `masked` the keys that came are the fields that
change. `adds` puts into a request what only the gateway knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from . import asking
from .asking import Asks

AGENT = 1_000  # characters of what a program calls itself
PARAMETER = re.compile(r"\{(\w+)\}")


class Service(NamedTuple):
    """A service behind: its peer's name, the package of its stubs, and its full name."""

    peer: str
    package: str
    full_name: str


SERVICES: Mapping[str, Service] = {
    name: Service(f"{peer}-service", f"taskman.{name}.v1.{name}_pb2", f"taskman.{name}.v1.{full}")
    for name, peer, full in (
        ("audit", "audit", "AuditService"),
        ("authentication", "authentication", "AuthenticationService"),
        ("iam_admin", "iam-admin", "IAMAdminService"),
        ("notification", "notification", "NotificationService"),
        ("user", "user", "UserService"),
        ("task", "task", "TaskService"),
    )
}


class Seen(NamedTuple):
    """What a connection shows of who asks."""

    address: str
    user_agent: str


def add_place(request: Any, seen: Seen) -> None:
    """Where and with what somebody signs in."""
    request.ip_address, request.user_agent = seen.address, seen.user_agent[:AGENT]


class Route(NamedTuple):
    """One of them. Either `asks` or `public`, which says why nothing is asked."""

    verb: str
    path: str
    service: str
    rpc: str
    summary: str
    asks: Asks | None = None
    public: str = ""
    fill: str = ""
    takes: tuple[str, ...] = ()
    masked: bool = False
    adds: Callable[[Any, Seen], None] | None = None
    keeps: float = 0.0  # seconds that an answer may be given again to the same user

    @property
    def name(self) -> str:
        """As metrics and limits name it."""
        return f"{self.verb} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return PARAMETER.findall(self.path)

    @property
    def request(self) -> Any:
        """The class of the message that is asked."""
        return getattr(import_module(SERVICES[self.service].package), f"{self.rpc}Request")

    @property
    def response(self) -> Any:
        """The class of the message that answers."""
        return getattr(import_module(SERVICES[self.service].package), f"{self.rpc}Response")


def checked(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The routes, if each is guarded and none is there twice. Raises ValueError."""
    found: dict[tuple[str, str], Route] = {}
    for route in routes:
        if (route.asks is None) is not bool(route.public):
            raise ValueError(f"{route.name}: expected what is asked, or why nothing is")
        shape = route.verb, PARAMETER.sub("{}", route.path)
        if shape in found:
            raise ValueError(f"{route.name}: there is {found[shape].name}")
        if route.keeps and route.verb != "GET":
            raise ValueError(f"{route.name}: only answers of GET are kept")
        fields = route.request.DESCRIPTOR.fields_by_name
        for name in [*route.parameters, *route.takes, *({route.fill} - {"", "*"})]:
            if name not in fields:
                raise ValueError(f"{route.name}: {route.rpc} has no field `{name}`")
        found[shape] = route
    return tuple(found.values())


BEFORE = "who somebody is, is known afterwards"

ROUTES = checked(
    [
        Route(
            "POST",
            "/auth/login",
            "authentication",
            "Login",
            "Begin a session",
            public=BEFORE,
            fill="*",
            takes=("email", "password", "code"),
            adds=add_place,
        ),
        Route(
            "POST",
            "/auth/refresh",
            "authentication",
            "RefreshToken",
            "New tokens",
            public=BEFORE,
            fill="*",
        ),
        Route(
            "POST",
            "/auth/password",
            "authentication",
            "ResetPassword",
            "Ask for a token by e-mail, or set a password by one",
            public=BEFORE,
            fill="*",
        ),
        Route(
            "POST",
            "/auth/logout",
            "authentication",
            "Logout",
            "End the session",
            asking.own_session("sessions:logout"),
        ),
        Route(
            "POST",
            "/auth/factor",
            "authentication",
            "EnrollSecondFactor",
            "A secret for an authenticator",
            asking.factor("factors:enrol"),
            fill="*",
        ),
        Route(
            "POST",
            "/auth/factor/confirmation",
            "authentication",
            "ConfirmSecondFactor",
            "Confirm the session by a code of it",
            asking.factor("factors:confirm"),
            fill="*",
        ),
        Route(
            "DELETE",
            "/users/{user_id}/factor",
            "authentication",
            "RemoveSecondFactor",
            "Have a user sign in with a password alone",
            asking.factor("factors:remove"),
        ),
        Route(
            "POST",
            "/users",
            "user",
            "CreateUser",
            "Add a user",
            asking.new("users:create", "users"),
            fill="*",
        ),
        Route(
            "GET",
            "/users",
            "user",
            "ListUsers",
            "A page of users",
            asking.many("users:list", "users"),
        ),
        Route(
            "GET",
            "/users/search",
            "user",
            "SearchUsers",
            "Users whose names begin so",
            asking.many("users:search", "users"),
        ),
        Route(
            "GET",
            "/users/{user_id}",
            "user",
            "GetUser",
            "A user",
            asking.one("users:view", "users", "user_id"),
            keeps=5,
        ),
        Route(
            "PATCH",
            "/users/{user_id}",
            "user",
            "UpdateUser",
            "Change a user",
            asking.user_changes,
            fill="user",
            masked=True,
        ),
        Route(
            "DELETE",
            "/users/{user_id}",
            "user",
            "DeleteUser",
            "Remove a user",
            asking.one("users:delete", "users", "user_id"),
        ),
        Route(
            "POST",
            "/projects",
            "task",
            "CreateProject",
            "Add a project",
            asking.new_project,
            fill="*",
        ),
        Route(
            "GET",
            "/projects/{project_id}",
            "task",
            "GetProject",
            "A project",
            asking.one("projects:view", "projects", "project_id"),
            keeps=5,
        ),
        Route(
            "PATCH",
            "/projects/{project_id}",
            "task",
            "UpdateProject",
            "Change a project",
            asking.project_changes,
            fill="project",
            masked=True,
        ),
        Route(
            "DELETE",
            "/projects/{project_id}",
            "task",
            "DeleteProject",
            "Remove a project",
            asking.one("projects:delete", "projects", "project_id"),
        ),
        Route("POST", "/tasks", "task", "CreateTask", "Add a task", asking.new_task, fill="*"),
        Route(
            "GET",
            "/tasks",
            "task",
            "ListTasks",
            "A page of the tasks that one may view",
            asking.many("tasks:list", "tasks"),
        ),
        Route(
            "GET",
            "/tasks/{task_id}",
            "task",
            "GetTask",
            "A task with its comments",
            asking.one("tasks:view", "tasks", "task_id"),
            keeps=5,
        ),
        Route(
            "PATCH",
            "/tasks/{task_id}",
            "task",
            "UpdateTask",
            "Change a task",
            asking.task_changes,
            fill="task",
            masked=True,
        ),
        Route(
            "POST",
            "/tasks/{task_id}/comments",
            "task",
            "UpdateTask",
            "Say something about it",
            asking.one("tasks:comment", "tasks", "task_id"),
            fill="*",
            takes=("comment",),
        ),
        Route(
            "DELETE",
            "/tasks/{task_id}",
            "task",
            "DeleteTask",
            "Remove a task",
            asking.one("tasks:delete", "tasks", "task_id"),
        ),
        Route(
            "PUT",
            "/tasks/{task_id}/assignee",
            "task",
            "AssignTask",
            "Give a task to somebody",
            asking.assignment,
            fill="*",
        ),
        Route(
            "DELETE",
            "/tasks/{task_id}/assignee",
            "task",
            "UnassignTask",
            "Take a task back",
            asking.one("tasks:unassign", "tasks", "task_id"),
        ),
        Route(
            "GET",
            "/audit/events",
            "audit",
            "QueryEvents",
            "What happened",
            asking.fixed("audit:query", "audit", "events"),
        ),
        Route(
            "GET",
            "/audit/report",
            "audit",
            "GetComplianceReport",
            "What happened in a time, counted, and whether the trail is whole",
            asking.fixed("audit:report", "audit", "report"),
        ),
        Route(
            "GET",
            "/audit/users/{user_id}",
            "audit",
            "GetUserActivity",
            "What a user did",
            asking.activity,
        ),
        Route(
            "GET",
            "/roles",
            "iam_admin",
            "ListRoles",
            "A page of roles",
            asking.many("roles:list", "roles"),
        ),
        Route(
            "POST",
            "/roles",
            "iam_admin",
            "CreateRole",
            "Add a role",
            asking.role_itself("roles:create"),
            fill="role",
        ),
        Route(
            "PUT",
            "/roles",
            "iam_admin",
            "UpdateRole",
            "Change what is said of a role",
            asking.role_itself("roles:edit"),
            fill="role",
        ),
        Route(
            "DELETE",
            "/roles/{name}",
            "iam_admin",
            "DeleteRole",
            "Remove a role",
            asking.named("roles:delete", "roles", "name"),
        ),
        Route(
            "GET",
            "/policies",
            "iam_admin",
            "ListPolicies",
            "A page of policies",
            asking.many("policies:list", "policies"),
        ),
        Route(
            "POST",
            "/policies",
            "iam_admin",
            "CreatePolicy",
            "Add a policy",
            asking.policy_itself("policies:create"),
            fill="policy",
        ),
        Route(
            "PUT",
            "/policies",
            "iam_admin",
            "UpdatePolicy",
            "Put another in the place of one",
            asking.policy_itself("policies:edit"),
            fill="policy",
        ),
        Route(
            "DELETE",
            "/policies/{id}",
            "iam_admin",
            "DeletePolicy",
            "Remove a policy",
            asking.named("policies:delete", "policies", "id"),
        ),
        Route(
            "PUT",
            "/policies/{policy}/roles/{role}",
            "iam_admin",
            "AttachPolicyToRole",
            "Have a policy apply to a role",
            asking.named("roles:attach", "roles", "role"),
        ),
        Route(
            "DELETE",
            "/policies/{policy}/roles/{role}",
            "iam_admin",
            "DetachPolicyFromRole",
            "Have it apply no more",
            asking.named("roles:detach", "roles", "role"),
        ),
        Route(
            "PUT",
            "/users/{user_id}/roles/{role}",
            "iam_admin",
            "AssignRoleToUser",
            "Give somebody a role",
            asking.holding("roles:assign"),
            fill="*",
            takes=("expires_at",),
        ),
        Route(
            "DELETE",
            "/users/{user_id}/roles/{role}",
            "iam_admin",
            "RevokeRoleFromUser",
            "Take a role back",
            asking.holding("roles:revoke"),
        ),
        Route(
            "GET",
            "/notifications",
            "notification",
            "GetNotificationHistory",
            "What was sent, the newest first",
            asking.notified,
        ),
        Route(
            "POST",
            "/notifications/email",
            "notification",
            "SendEmail",
            "Write to a user",
            asking.sending("notifications:email"),
            fill="*",
        ),
        Route(
            "POST",
            "/notifications/push",
            "notification",
            "SendPushNotification",
            "Tell the browsers of a user",
            asking.sending("notifications:push"),
            fill="*",
        ),
        Route(
            "POST",
            "/notifications/webhook",
            "notification",
            "SendWebhook",
            "Call another system",
            asking.webhook,
            fill="*",
        ),
    ]
)
