"""A guarded function runs where it may, and else raises."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from taskman_authz import PDP, ArgumentError, DeniedError, RequestError, UnavailableError
from taskman_authz.decision import Decision
from taskman_authz.integrations.functions import Guard
from tests.integrations.app import ROOT

PDP_OF_TASKS = PDP.from_path(ROOT / "policies" / "taskman")
TASK = {"type": "tasks", "id": "1", "owner": "ann"}
USERS: dict[str, Any] = {
    "ann": {"type": "user", "id": "ann", "roles": ["developer"], "department": "engineering"},
    "vic": {"type": "user", "id": "vic", "roles": ["viewer"]},
}


class Users:
    """Whom a guard asks who is there."""

    def __init__(self) -> None:
        self.current: str | None = None

    def get(self) -> Any:
        return USERS.get(self.current or "")


@pytest.fixture
def users() -> Users:
    return Users()


def test_a_denied_call_raises_the_decision_and_does_not_run(users):
    guard, ran = Guard(PDP_OF_TASKS, subject=users.get), []

    @guard("tasks:edit", lambda task, title: task)
    def rename(task: Any, title: str) -> str:
        ran.append(title)
        return title

    users.current = "ann"
    assert rename(TASK, title="New") == "New"
    users.current = "vic"
    with pytest.raises(DeniedError, match="no policy allows") as caught:
        rename(TASK, title="Other")
    assert caught.value.decision.reasons[0].code == "no_policy_applies"
    users.current = None
    with pytest.raises(RequestError, match="subject: expected a subject, found nothing"):
        rename(TASK, title="Other")
    assert ran == ["New"]


def test_names_of_the_template_are_parameters_however_they_are_given(users):
    guard = Guard(PDP_OF_TASKS, subject=users.get)
    users.current = "vic"

    @guard("tasks:view", "tasks/{id}")
    def view(id: str = "1") -> str:
        return id

    assert (view(), view("2"), view(id="3")) == ("1", "2", "3")
    assert view.__name__ == "view"


@pytest.mark.parametrize("is_client_async", [False, True])
async def test_async_functions_ask_any_decision_point(users, is_client_async):
    class Asynchronous:
        async def check(self, *question: Any, **named: Any) -> Decision:
            return PDP_OF_TASKS.check(*question, **named)

    guard = Guard(Asynchronous() if is_client_async else PDP_OF_TASKS, subject=users.get)

    @guard("tasks:edit", lambda task: task)
    async def edit(task: Any) -> str:
        return "ran"

    users.current = "ann"
    assert await edit(TASK) == "ran"
    users.current = "vic"
    with pytest.raises(DeniedError):
        await edit(TASK)


def test_an_async_client_is_for_async_functions():
    class Asynchronous:
        async def check(self, *question: Any, **named: Any) -> Decision:
            raise AssertionError("it was asked")

    guard = Guard(Asynchronous(), subject=lambda: "user:1")
    with pytest.raises(ArgumentError, match="pdp: expected a PDP or a Client here"):
        guard("tasks:view", "tasks/1")(lambda: None)


def test_what_is_no_decision_does_not_run():
    def check(*_question: Any, **_named: Any) -> Any:
        return True

    @Guard(SimpleNamespace(check=check), subject=lambda: "user:1")("tasks:view", "tasks/1")
    def view() -> None:
        raise AssertionError("it ran")

    with pytest.raises(ArgumentError, match="pdp: expected a decision of its `check`"):
        view()


def test_where_no_decision_can_be_had_its_error_is_raised():
    def check(*_question: Any, **_named: Any) -> Any:
        raise UnavailableError("nobody answers")

    @Guard(SimpleNamespace(check=check), subject=lambda: "user:1")("tasks:view", "tasks/1")
    def view() -> None:
        raise AssertionError("it ran")

    with pytest.raises(UnavailableError):
        view()
