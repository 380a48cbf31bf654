"""The table of the README: every name of the architecture is in it, is in the services, and is
proved by a test that is there and speaks of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.house.source import ROOT

TASKMAN = ROOT / "examples" / "taskman"
DECISIONS = (ROOT / "src" / "taskman_authz", ROOT / "sidecar")  # where authorization is

RPCS = {
    "authorization": "Check BatchCheck",
    "authentication": "Login Logout RefreshToken VerifyToken ResetPassword",
    "user": "CreateUser GetUser UpdateUser DeleteUser ListUsers SearchUsers",
    "IAM": "CreateRole UpdateRole DeleteRole ListRoles CreatePolicy UpdatePolicy DeletePolicy"
    " ListPolicies AssignRoleToUser RevokeRoleFromUser AttachPolicyToRole DetachPolicyFromRole",
    "task": "CreateTask GetTask UpdateTask DeleteTask ListTasks CreateProject GetProject"
    " UpdateProject DeleteProject AssignTask UnassignTask",
    "audit": "LogEvent QueryEvents GetComplianceReport GetUserActivity",
    "notification": "SendEmail SendWebhook SendPushNotification GetNotificationHistory",
}
TABLES = {
    "authorization": "policies roles role_policies",
    "authentication": "sessions password_resets",
    "user": "users user_preferences",
    "IAM": "user_roles",
    "task": "projects tasks task_comments",
    "audit": "audit_events",
    "notification": "notification_templates notification_logs",
}
EVENTS = {
    "authentication": "auth.login.success auth.login.failed auth.logout auth.token.refreshed"
    " auth.password.reset",
    "user": "user.created user.updated user.deleted user.activated user.deactivated",
    "IAM": "iam.role.created iam.role.updated iam.role.deleted iam.policy.created"
    " iam.policy.updated iam.policy.deleted iam.role.assigned iam.role.revoked",
    "task": "task.created task.updated task.deleted task.assigned task.completed task.commented"
    " project.created project.updated project.deleted",
    "notification": "email.sent email.failed webhook.sent webhook.failed",
}
KEYS = {
    "authorization": "authz:permission:",
    "authentication": "auth:session:",
    "user": "user:profile:",
    "task": "task:details:",
}
METRICS = {
    "each": "taskman_requests_total taskman_errors_total taskman_request_duration_seconds"
    " taskman_cpu_usage_percent taskman_memory_usage_bytes taskman_error_rate"
    " taskman_permission_checks_total",
    "user": "taskman_users_total",
    "task": "taskman_tasks_created_total",
    "authentication": "taskman_logins_total",
}
KINDS = {"RPC": RPCS, "table": TABLES, "event": EVENTS, "cache key": KEYS, "metric": METRICS}
SERVICES = {  # a service's package, and its full name
    "authorization": ("taskman_authz.v1.authorization_pb2", "AuthorizationService"),
    "authentication": ("taskman.authentication.v1.authentication_pb2", "AuthenticationService"),
    "user": ("taskman.user.v1.user_pb2", "UserService"),
    "IAM": ("taskman.iam_admin.v1.iam_admin_pb2", "IAMAdminService"),
    "task": ("taskman.task.v1.task_pb2", "TaskService"),
    "audit": ("taskman.audit.v1.audit_pb2", "AuditService"),
    "notification": ("taskman.notification.v1.notification_pb2", "NotificationService"),
}


class Row(NamedTuple):
    kind: str
    service: str
    name: str
    file: str
    test: str

    @property
    def path(self) -> Path:
        return ROOT / self.file if "/" in self.file else TASKMAN / "tests" / self.file


_ROW = re.compile(r"\| ([\w ]+) \| (\w+) \| `([^`]+)` \| `([^`]+)` `([^`]+)` \|")


def rows() -> list[Row]:
    text = (TASKMAN / "README.md").read_text(encoding="utf-8")
    return [Row(*found.groups()) for found in _ROW.finditer(text)]


def names() -> Iterator[tuple[str, str, str]]:
    for kind, services in KINDS.items():
        for service, told in services.items():
            for name in told.split():
                yield kind, service, name


def test_every_name_is_in_the_table_once_and_nothing_else():
    assert sorted((row.kind, row.service, row.name) for row in rows()) == sorted(names())


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.kind} {row.name}")
def test_a_name_is_proved_by_a_test_that_speaks_of_it(row: Row):
    source = row.path.read_text(encoding="utf-8")
    functions = {
        each.name: each
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert row.test in functions, row
    if row.kind in ("event", "cache key", "metric"):
        said = ast.get_source_segment(source, functions[row.test]) or ""
        stem = row.name.rpartition(".")[0]  # f"iam.policy.{verb}"
        verb = f'"{row.name.rpartition(".")[2]}"'
        assert row.name in said or (f"{stem}.{{" in said and verb in said), row


# What there is beyond the document.
BESIDES = {
    "authorization": ("Explain", "WatchRevisions"),
    "authentication": ("EnrollSecondFactor", "ConfirmSecondFactor", "RemoveSecondFactor"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_these_methods_and_no_others(service: str):
    package, name = SERVICES[service]
    described: Any = import_module(package).DESCRIPTOR.services_by_name[name]
    methods = {each.name for each in described.methods}
    assert methods == {*RPCS[service].split(), *BESIDES.get(service, ())}


def test_every_table_is_made_by_a_migration_and_has_a_company():
    made: dict[str, str] = {}
    for root in (TASKMAN / "src", *DECISIONS):
        for path in root.rglob("*.sql"):
            text = path.read_text(encoding="utf-8")
            made.update(re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.S))
    for told in TABLES.values():
        for name in told.split():
            assert "company_id" in made[name], name
