"""One program serves all threads: the answers are those that it gives one after the other."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from taskman_authz import cel
from taskman_authz.cel import Env
from taskman_authz.errors import EvaluationError

THREADS = 8
ROUNDS = 60
TEXT = """
    user.name.startsWith('u') && n in user.numbers
    && user.numbers.filter(x, x % 2 == 0).map(x, [x, n]).exists(p, p[0] == n && p[1] == n)
    || 100 / (n - 3) > 20
"""


@pytest.fixture(autouse=True)
def switch_often():
    """Threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def variables(number):
    return {"n": number, "user": {"name": f"u{number}", "numbers": list(range(number % 5, 9))}}


def answer(evaluate, number):
    try:
        return evaluate(variables(number))
    except EvaluationError as error:
        return error.code, error.position


def in_threads(evaluate):
    """The answers of every thread, which all begin at once and go through the same numbers."""
    begin = Barrier(THREADS)

    def work(first):
        begin.wait()
        return [(n % 12, answer(evaluate, n % 12)) for n in range(first, first + ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        return [pair for answers in pool.map(work, range(THREADS)) for pair in answers]


def test_a_program_in_many_threads_gives_the_answers_of_one():
    program = Env({"n": "int", "user": "dyn"}).compile(TEXT)
    expected = {number: answer(program.evaluate, number) for number in range(12)}
    assert len({str(found) for found in expected.values()}) == 3
    found = in_threads(program.evaluate)
    assert len(found) == THREADS * ROUNDS
    assert all(found == expected[number] for number, found in found)


def test_an_expression_evaluated_in_one_call_does_too():
    expected = {
        number: answer(lambda values: cel.evaluate(TEXT, values), number) for number in range(12)
    }
    found = in_threads(lambda values: cel.evaluate(TEXT, values))
    assert all(found == expected[number] for number, found in found)


def test_environments_compile_in_many_threads():
    env = Env({"n": "int", "user": "dyn"})
    found = in_threads(lambda values: env.compile(TEXT).evaluate(values))
    program = env.compile(TEXT)
    assert all(found == answer(program.evaluate, number) for number, found in found)
