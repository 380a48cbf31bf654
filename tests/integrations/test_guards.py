"""The guards of all frameworks: only an allowing decision lets a call through, whatever fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from taskman_authz import PDP, ArgumentError, UnavailableError
from taskman_authz.client import AsyncClient, Client
from taskman_authz.decision import Decision, Reason
from tests.integrations.app import ROOT
from tests.integrations.guarded import CALLS, SYNC, call
from tests.policy.helpers import compiled, document, policy
from tests.sidecar.process import Sidecar

PDP_OF_TASKS = PDP.from_path(ROOT / "policies" / "taskman")
SECRET = "xyzzy"  # what no response may hold


def viewer(*_given: Any) -> Any:
    return {"type": "user", "id": "vic", "roles": ["viewer"]}


def guest(*_given: Any) -> Any:
    return {"type": "user", "id": SECRET}


def nobody(*_given: Any) -> Any:
    return None


def failing(*_given: Any) -> Any:
    raise ValueError(SECRET)


def nameless(*_given: Any) -> Any:
    return {"id": SECRET}


# A function with any parameters is no dependency of FastAPI; one with none is read by all.
def of_framework(framework: str, read: Any) -> Any:
    return (lambda: read()) if framework in ("fastapi", "flask") else read


def asking(answer: Any) -> Any:
    def check(*_args: Any, **_named: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(check=check)


async def awaited() -> None:
    return None


@pytest.fixture(params=CALLS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_who_may_is_let_through_and_who_may_not_is_forbidden(framework):
    may, may_not = (of_framework(framework, read) for read in (viewer, guest))
    assert call(framework, PDP_OF_TASKS, may, "tasks/{id}") == (200, "ran", True)
    status, body, ran = call(framework, PDP_OF_TASKS, may_not, "tasks/{id}")
    assert (status, ran) == (403, False)
    assert SECRET not in body and "polic" not in body


def test_nobody_is_unauthenticated(framework):
    read = of_framework(framework, nobody)
    status, _, ran = call(framework, PDP_OF_TASKS, read, "tasks/{id}")
    assert (status, ran) == (401, False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (UnavailableError(SECRET), 503),
        (RuntimeError(SECRET), 503),
        (None, 503),
        (True, 503),
        (SimpleNamespace(allowed=True), 503),
        (Decision(False, (Reason("denied_by_policy", SECRET, SECRET),), SECRET), 403),
        (Decision(True, (), ""), 200),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_allowing_decision_lets_nobody_through(framework, answer, expected):
    read = of_framework(framework, viewer)
    status, body, ran = call(framework, asking(answer), read, "tasks/{id}")
    assert (status, ran) == (expected, expected == 200)
    assert SECRET not in body


def test_an_answer_that_nobody_awaited_lets_nobody_through(framework):
    coroutine = awaited()
    read = of_framework(framework, viewer)
    assert call(framework, asking(coroutine), read, "tasks/{id}")[::2] == (503, False)
    coroutine.close()


@pytest.mark.parametrize("reader", ["subject", "resource", "context", "company_id"])
@pytest.mark.parametrize("framework", [name for name in CALLS if name != "fastapi"])
def test_a_reader_that_fails_lets_nobody_through(framework, reader, caplog):
    readers: dict[str, Any] = {"subject": viewer, "resource": "tasks/{id}", reader: failing}
    readers = {
        name: of_framework(framework, read) if callable(read) and name != "resource" else read
        for name, read in readers.items()
    }
    if reader == "resource":
        readers["resource"] = lambda *_given, **_parameters: failing()
    with caplog.at_level(logging.ERROR, "taskman_authz.integrations"):
        status, body, ran = call(framework, PDP_OF_TASKS, **readers)
    assert (status, ran) == (503, False)
    assert SECRET not in body
    assert "no decision" in caplog.text  # the log says why


@pytest.mark.parametrize("reader", ["subject", "resource", "context", "company_id"])
def test_a_dependency_that_fails_is_fastapis_to_answer_and_lets_nobody_through(reader):
    readers: dict[str, Any] = {"subject": lambda: viewer(), "resource": "tasks/{id}"}
    with pytest.raises(ValueError, match=SECRET):  # the server's, which answers 500
        call("fastapi", PDP_OF_TASKS, **{**readers, reader: lambda: failing()})


def test_a_question_that_cannot_be_asked_is_forbidden_and_logged(framework, caplog):
    status, body, ran = call(
        framework, PDP_OF_TASKS, of_framework(framework, nameless), "tasks/{id}"
    )
    assert (status, ran) == (403, False)
    assert SECRET not in body
    assert "subject.type: expected a string, found nothing" in caplog.text


def test_context_and_company_reach_the_decision(framework):
    asked: list[Any] = []

    def check(*question: Any, company_id: Any) -> Decision:
        asked.append((*question[3:], company_id))
        return Decision(True, (), "")

    readers = {"context": lambda *_: {"ip": "10.0.0.7"}, "company_id": lambda *_: "acme"}
    readers = {name: of_framework(framework, read) for name, read in readers.items()}
    pdp = SimpleNamespace(check=check)
    assert call(framework, pdp, of_framework(framework, viewer), "tasks/{id}", **readers)[0] == 200
    assert asked == [({"ip": "10.0.0.7"}, "acme")]


def test_what_cannot_be_a_decision_point_is_refused_when_the_guard_is_made(framework):
    with pytest.raises(ArgumentError, match="pdp: expected a PDP, a Client or an AsyncClient"):
        call(framework, "not one", of_framework(framework, viewer), "tasks/{id}")
    with pytest.raises(ArgumentError, match="subject: expected a function, found nothing"):
        call(framework, PDP_OF_TASKS, None, "tasks/{id}")


DENIES_SUSPENDED = PDP(
    compiled(
        document(
            policy(actions=["*"], resources=["*"]),
            policy(
                "suspended",
                effect="deny",
                actions=["*"],
                resources=["*"],
                condition="has(context.suspended) && context.suspended",
            ),
        )
    )
)


def test_a_context_that_nobody_awaited_is_not_taken_for_an_empty_one(framework):
    class Suspended:
        """What gives a context to who awaits it, and without that has no attributes."""

        def __await__(self) -> Any:
            yield from ()
            return {"suspended": True}

    may, context = (of_framework(framework, read) for read in (viewer, lambda *_given: Suspended()))
    answer = call(framework, DENIES_SUSPENDED, may, "tasks/{id}", context=context)
    assert answer[::2] == (403, False)


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    shared = Sidecar(ROOT / "policies" / "taskman")
    yield shared
    shared.kill()


@pytest.mark.process
def test_a_client_is_asked_as_a_pdp_is(framework, sidecar):
    with Client(sidecar.address, timeout=10) as client:
        may, may_not = (of_framework(framework, read) for read in (viewer, guest))
        assert call(framework, client, may, "tasks/{id}") == (200, "ran", True)
        assert call(framework, client, may_not, "tasks/{id}")[::2] == (403, False)
    assert call(framework, client, may, "tasks/{id}")[::2] == (503, False)  # it is closed


class FreshClient:
    """An `AsyncClient` that is made in the loop that asks, as a program makes its one."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def check(self, *question: Any, **named: Any) -> Decision:
        async with AsyncClient(self.address, timeout=10) as client:
            return await client.check(*question, **named)


@pytest.mark.process
def test_an_async_client_is_awaited_where_there_is_a_loop_and_refused_where_not(framework, sidecar):
    client = FreshClient(sidecar.address)
    may, may_not = (of_framework(framework, read) for read in (viewer, guest))
    if framework in SYNC:
        with pytest.raises(ArgumentError, match="pdp: expected a PDP or a Client here"):
            call(framework, client, may, "tasks/{id}")
    else:
        assert call(framework, client, may, "tasks/{id}") == (200, "ran", True)
        assert call(framework, client, may_not, "tasks/{id}")[::2] == (403, False)
