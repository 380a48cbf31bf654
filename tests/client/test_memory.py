"""Promises of the memory: never past its time, never another revision's, never an error."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskman_authz import wire
from taskman_authz.client import AsyncClient, Client
from taskman_authz.client.memory import Memory
from taskman_authz.decision import Decision, Reason
from taskman_authz.errors import ArgumentError, UnavailableError
from tests.client.conftest import NO, QUESTION, YES, yes
from tests.test_breaker import Clock

LATER = Decision(False, (Reason("no_policy_applies", "", "no policy applies"),), "r2")


def ask(memory: Memory, question: bytes, answer: Decision) -> None:
    memory.keep(question, answer, memory.asked())


def test_a_decision_is_remembered_for_its_time_and_not_longer():
    clock = Clock()
    memory = Memory(5, 10_000, clock)
    ask(memory, b"q", YES)
    clock.now += 4.9
    assert memory.find(b"q") == YES
    clock.now += 0.1
    assert memory.find(b"q") is None


def test_its_time_counts_from_before_the_question_was_sent():
    clock = Clock()
    memory = Memory(5, 10_000, clock)
    asked = memory.asked()
    clock.now += 4  # that the answer takes
    memory.keep(b"q", YES, asked)
    clock.now += 1
    assert memory.find(b"q") is None


def test_an_answer_that_takes_longer_than_its_time_is_not_remembered():
    clock = Clock()
    memory = Memory(5, 10_000, clock)
    asked = memory.asked()
    clock.now += 6
    memory.keep(b"q", YES, asked)
    assert memory.find(b"q") is None


def test_an_answer_of_another_revision_drops_everything_else():
    memory = Memory(5, 10_000, Clock())
    ask(memory, b"a", YES)
    ask(memory, b"b", LATER)
    assert memory.find(b"a") is None
    assert memory.find(b"b") == LATER
    memory.see("r3")
    assert memory.find(b"b") is None


def test_an_answer_that_was_asked_for_before_something_was_dropped_is_not_remembered():
    memory = Memory(5, 10_000, Clock())
    early = memory.asked()
    ask(memory, b"b", LATER)
    memory.keep(b"a", YES, early)  # of the revision before
    assert memory.find(b"a") is None
    early = memory.asked()
    memory.forget()
    memory.keep(b"c", YES, early)
    assert memory.find(b"c") is None


@pytest.mark.parametrize(
    "code", ["denied_by_error", "condition_failed", "invalid_request", "not_logged"]
)
def test_a_decision_that_came_of_an_error_is_not_remembered(code):
    memory = Memory(5, 10_000, Clock())
    ask(memory, b"q", Decision(False, (Reason("condition_not_met"), Reason(code)), "r1"))
    assert memory.find(b"q") is None


def test_an_answer_without_a_revision_is_not_remembered():
    memory = Memory(5, 10_000, Clock())
    ask(memory, b"q", Decision(False, (), ""))
    assert memory.find(b"q") is None


def test_it_holds_no_more_than_it_may():
    memory = Memory(5, 10_000, Clock())
    for number in range(100):
        ask(memory, b"%d" % number, YES)
    assert 0 < sum(memory.find(b"%d" % number) is not None for number in range(100)) < 10
    ask(memory, bytes(20_000), YES)
    assert memory.find(bytes(20_000)) is None


def test_threads_find_what_was_answered_or_nothing():
    memory = Memory(60, 100_000, Clock())
    answers = {b"%d" % n: Decision(n % 2 == 0, (Reason(str(n)),), "r") for n in range(50)}

    def work(worker: int) -> None:
        for question, answer in answers.items():
            assert memory.find(question) in (None, answer)
            ask(memory, question, answer)
            if worker == 0:
                memory.forget()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


# -- of a client ---------------------------------------------------------------------------------


def test_without_being_told_to_a_client_remembers_nothing(point):
    server = point(yes)
    with Client(server.address) as client:
        assert client.check(*QUESTION) == client.check(*QUESTION) == YES
    assert len(server.calls) == 2


def test_a_client_that_remembers_asks_once_until_it_forgets(point):
    server = point(yes)
    with Client(server.address, remember=60) as client:
        assert client.check(*QUESTION) == client.check(*QUESTION) == YES
        assert len(server.calls) == 1
        client.check("user:2", *QUESTION[1:])
        client.check(*QUESTION, {"ip": "10.0.0.7"})
        client.check(*QUESTION, company_id="acme")
        assert len(server.calls) == 4
        client.forget()
        client.check(*QUESTION)
        assert len(server.calls) == 5


async def test_the_async_client_remembers_too(point):
    server = point(yes)
    async with AsyncClient(server.address, remember=60) as client:
        assert await client.check(*QUESTION) == await client.check(*QUESTION) == YES
    assert len(server.calls) == 1


def test_a_batch_is_always_asked_and_its_revision_drops_what_is_older(point):
    server = point(yes)
    with Client(server.address, remember=60) as client:
        client.check(*QUESTION)
        server.handler = lambda _data, _context: wire.write_decisions([LATER])
        assert client.batch_check([QUESTION]) == [LATER]
        server.handler = lambda _data, _context: wire.write_decision(LATER)
        assert client.check(*QUESTION) == LATER
    assert len(server.calls) == 3


def test_no_answer_is_not_remembered(point):
    over = threading.Event()

    def hang(_data: bytes, _context: object) -> bytes:
        over.wait(30)
        return wire.write_decision(NO)

    server = point(hang)
    with Client(server.address, remember=60, on_unavailable="deny") as client:
        assert not client.check(*QUESTION, timeout=0.05)
        over.set()
        server.handler = yes
        assert client.check(*QUESTION, timeout=30)


def test_a_closed_client_remembers_nothing(serve):
    client = Client(serve(yes), remember=60)
    client.check(*QUESTION)
    client.close()
    with pytest.raises(UnavailableError, match="the client is closed"):
        client.check(*QUESTION)


@pytest.mark.parametrize("wrong", [-1, float("nan"), 1e9, "60"])
def test_a_time_that_means_nothing_is_refused(wrong):
    with pytest.raises(ArgumentError, match="^remember: expected seconds"):
        Client(remember=wrong)
