"""Promises of the client: no answer is never a yes, and what goes wrong has one of two names."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import socket
import sys
import threading
from typing import Any

import grpc
import pytest

from taskman_authz import wire
from taskman_authz.client import AsyncClient, Client
from taskman_authz.errors import RequestError, UnavailableError
from taskman_authz.limits import Limits
from taskman_authz.request import Entity, make_request
from tests.client.conftest import NO, QUESTION, YES, abort, yes


def test_check_asks_what_it_was_asked_and_gives_the_decision(serve):
    asked = []

    def handler(data: bytes, _context: Any) -> bytes:
        asked.append(wire.read_check(data))
        return wire.write_decision(YES)

    with Client(serve(handler)) as client:
        decision = client.check(
            {"type": "user", "id": "1", "roles": ["developer"], "level": 3},
            Entity("action", "tasks:edit", {"soft": True}),
            "tasks/1",
            {"ip": "10.0.0.7"},
            company_id="acme",
        )
    assert decision == YES
    assert (asked[0].subject_type, asked[0].subject_id) == ("user", "1")
    assert asked[0].roles == ("developer",)
    assert asked[0].subject == {"level": 3, "roles": ["developer"]}
    assert (asked[0].action, asked[0].action_attributes) == ("tasks:edit", {"soft": True})
    assert (asked[0].context, asked[0].company_id) == ({"ip": "10.0.0.7"}, "acme")


def test_a_question_that_cannot_be_asked_is_refused_before_it_is_sent():
    with Client("127.0.0.1:1") as client:
        with pytest.raises(RequestError, match="^resource: "):
            client.check("user:1", "tasks:edit", "tasks")
        with pytest.raises(RequestError, match=r"^subject\.since: "):
            client.check({"type": "user", "id": "1", "since": object()}, "a:b", "tasks/1")


def test_an_invalid_argument_is_a_request_error_that_names_the_field(serve):
    address = serve(abort(grpc.StatusCode.INVALID_ARGUMENT, "subject.roles: more than 3 roles"))
    with Client(address) as client, pytest.raises(RequestError) as caught:
        client.check(*QUESTION)
    assert (caught.value.field, caught.value.message) == ("subject.roles", "more than 3 roles")


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.CANCELLED,
    ],
)
def test_every_other_status_is_unavailable(serve, code):
    with Client(serve(abort(code, "why"))) as client:
        with pytest.raises(UnavailableError, match=f"{code.name.lower()}: why"):
            client.check(*QUESTION)
        with pytest.raises(UnavailableError):
            client.batch_check([QUESTION])


def test_nobody_at_the_address_is_unavailable():
    with Client("127.0.0.1:1", timeout=0.3) as client, pytest.raises(UnavailableError):
        client.check(*QUESTION)


def test_no_answer_within_the_deadline_is_unavailable(serve):
    over = threading.Event()

    def handler(data: bytes, context: Any) -> bytes:
        over.wait(30)
        return yes(data, context)

    with Client(serve(handler), timeout=0.05) as client:
        with pytest.raises(UnavailableError, match="deadline_exceeded"):
            client.check(*QUESTION)
        over.set()


@pytest.mark.parametrize("reply", [b"\xff\xff", b"\x0a\x10"])
def test_an_answer_that_cannot_be_read_is_unavailable(serve, reply):
    with Client(serve(lambda _data, _context: reply)) as client:
        with pytest.raises(UnavailableError, match="cannot be read"):
            client.check(*QUESTION)


def test_an_empty_answer_is_a_denial(serve):
    with Client(serve(lambda _data, _context: b"")) as client:
        assert not client.check(*QUESTION)


def test_fewer_answers_than_items_are_unavailable(serve):
    address = serve(lambda _data, _context: wire.write_decisions([YES]))
    with Client(address) as client, pytest.raises(UnavailableError, match="not as many answers"):
        client.batch_check([QUESTION, QUESTION])


def test_unavailable_is_tried_again_within_the_deadline(serve):
    tries = []

    def handler(data: bytes, context: Any) -> bytes:
        tries.append(data)
        if len(tries) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return yes(data, context)

    with Client(serve(handler), timeout=10) as client:
        assert client.check(*QUESTION)
    assert len(tries) == 3


def test_nothing_but_unavailable_is_tried_again(serve):
    tries = []

    def handler(data: bytes, context: Any) -> bytes:
        tries.append(data)
        context.abort(grpc.StatusCode.INTERNAL, "broken")
        raise AssertionError

    with Client(serve(handler)) as client, pytest.raises(UnavailableError):
        client.check(*QUESTION)
    assert len(tries) == 1


def test_a_batch_is_answered_in_order_and_bad_items_are_denied_in_their_places(serve):
    def handler(data: bytes, _context: Any) -> bytes:
        requests = wire.read_batch(data)
        return wire.write_decisions([YES if r.action == "tasks:edit" else NO for r in requests])

    items = [
        QUESTION,
        ("user:1", "tasks:edit", "nowhere"),
        {"subject": "user:1", "action": "tasks:view", "resource": "tasks/1"},
        {"subject": "user:1", "action": "tasks:edit", "resource": "tasks/1", "now": 7},
        {"subject": "user:1", "action": "tasks:edit", "resource": Entity("a/b", "1")},
        (*QUESTION, None, None, 7),
        make_request(*QUESTION),
    ]
    with Client(serve(handler)) as client:
        decisions = client.batch_check(items)
    assert [bool(decision) for decision in decisions] == [True, *[False] * 5, True]
    codes = [decision.reasons[0].code for decision in decisions]
    assert codes[1] == codes[3] == codes[4] == codes[5] == "invalid_request"
    assert {decision.revision for decision in decisions} == {"r1"}


def test_a_batch_with_nothing_to_ask_is_not_sent():
    with Client("127.0.0.1:1") as client:
        assert client.batch_check([]) == []
        assert [bool(d) for d in client.batch_check([("user:1", "a:b", "nowhere")])] == [False]


def test_a_batch_that_is_too_long_is_refused():
    with Client("127.0.0.1:1", limits=Limits(batch_size=2)) as client:
        with pytest.raises(RequestError, match="items: more than 2 items"):
            client.batch_check([QUESTION] * 3)


async def test_the_async_client_gives_the_same_answers(serve):
    async with AsyncClient(serve(yes)) as client:
        assert await client.check(*QUESTION) == YES
    address = serve(lambda _data, _context: wire.write_decisions([YES]))
    async with AsyncClient(address) as client:
        assert await client.batch_check([QUESTION]) == [YES]
        assert await client.batch_check([]) == []


async def test_the_async_client_raises_the_same_errors(serve):
    address = serve(abort(grpc.StatusCode.INVALID_ARGUMENT, "action: expected a name"))
    async with AsyncClient(address) as client:
        with pytest.raises(RequestError, match="^action: "):
            await client.check(*QUESTION)
    async with AsyncClient("127.0.0.1:1", timeout=0.3) as client:
        with pytest.raises(UnavailableError):
            await client.check(*QUESTION)
        with pytest.raises(UnavailableError):
            await client.batch_check([QUESTION])


def test_without_grpc_the_import_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without_grpc(name: str, *rest: Any) -> Any:
        if name == "grpc":
            raise ModuleNotFoundError("No module named 'grpc'", name="grpc")
        return real(name, *rest)

    for name in [name for name in sys.modules if name.startswith("taskman_authz.client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_grpc)
    with pytest.raises(ModuleNotFoundError, match=r"needs `grpc`: pip install 'taskman-authz\[s"):
        importlib.import_module("taskman_authz.client")


@pytest.fixture
def silent():
    """The address of somebody who takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_closed_client_says_so(silent):
    client = Client(silent)
    client.close()
    with pytest.raises(UnavailableError, match="the client is closed"):
        client.check("user:1", "a:b", "t/1")
    with pytest.raises(UnavailableError, match="the client is closed"):
        client.batch_check([("user:1", "a:b", "t/1")])


async def test_a_closed_client_says_so_under_asyncio_too(silent):
    client = AsyncClient(silent, timeout=30)
    waiting = asyncio.ensure_future(client.check("user:1", "a:b", "t/1"))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(UnavailableError, match="the client is closed"):
        await waiting
    with pytest.raises(UnavailableError, match="the client is closed"):
        await client.check("user:1", "a:b", "t/1")
    with pytest.raises(UnavailableError, match="the client is closed"):
        await client.batch_check([("user:1", "a:b", "t/1")])


async def test_a_caller_who_gives_up_is_cancelled(silent):
    async with AsyncClient(silent, timeout=30) as client:
        waiting = asyncio.ensure_future(client.check("user:1", "a:b", "t/1"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
