"""One program serves all threads: the answers are those that it gives one after the other."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from taskman_authz import cel
from taskman_authz._fast.patterns import PATTERNS_KEPT
from taskman_authz.cel import Env, Unknown, ext
from taskman_authz.cel.library import function
from taskman_authz.errors import EvaluationError

THREADS = 8
ROUNDS = 60
NUMBERS = 12
PATIENCE = 60.0  # seconds that threads wait for each other, who should all come at once
TEXT = """
    user.name.startsWith('u') && n in user.numbers
    && user.numbers.filter(x, x % 2 == 0).map(x, [x, n]).exists(p, p[0] == n && p[1] == n)
    || 100 / (n - 3) > 20
"""
# What an evaluation may keep somewhere: regular expressions, more of them than are remembered;
# registers of loops, of pairs, and of names that are bound when they are first read; what a
# function of the embedder's gives, which lets other threads run meanwhile; attributes of objects.
TEXTS = {
    "attributes": TEXT,
    "a constant pattern": "user.name.matches('^u[0-9]+(a|b)?$') ? user.name : string(n / (n - 3))",
    "patterns of the input": f"""
        user.numbers.map(x, (user.name + string(x * n % {PATTERNS_KEPT}))
            .matches('(u|v)' + string(n) + '.*[' + string(x * n % {PATTERNS_KEPT}) + ']$'))
    """,
    "nested loops": """
        user.numbers.map(x, user.numbers.filter(y, y < x && user.numbers.exists(z, z == x - n)))
    """,
    "pairs": "{'a': n, 'b': n + 1}.transformMap(k, v, k != string(n), v * 100 / (n - 3))",
    "bound names": """
        cel.bind(s, user.numbers.map(x, x * n),
            s.map(x, cel.bind(t, s.filter(y, y <= x), [size(t), t[0] / (n - 3)])))
    """,
    "the embedder's function": "user.numbers.map(x, digest(user.name + string(x)) + digest('a'))",
    "objects": "user.friend.name + (user.friend.number == n ? 'same' : 'other' + user.friend.gone)",
    "optionals": "[user.?name.orValue(''), user.?gone.orValue(string(n))] + [?user.?name]",
    "format": "'%s is %d: %.2f %x'.format([user, n, double(n) / 3.0, n])",
}


class Friend:
    """A caller's object, whose property is code of theirs."""

    def __init__(self, number: int) -> None:
        self.number = number

    @property
    def name(self) -> str:
        return "".join(f"friend {number}" for number in (self.number,))


def digest(text):
    """Lets other threads run while it works: hashing as much as this does."""
    return hashlib.sha256(text.encode() * 1_000).hexdigest()


ENV = Env(
    {"n": "int", "user": "dyn"},
    libraries=[
        *(ext.BINDINGS, ext.COMPREHENSIONS, ext.OPTIONALS, ext.STRINGS),
        function("digest", "(string) -> string", digest, pure=False),
    ],
)


@pytest.fixture(autouse=True)
def switch_often():
    """Threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def variables(number):
    user = {"name": f"u{number}", "numbers": list(range(number % 5, 9)), "friend": Friend(number)}
    return {"n": number, "user": user}


SHARED = [variables(number) for number in range(NUMBERS)]  # by all threads


def answer(evaluate, number):
    try:
        return evaluate(SHARED[number])
    except EvaluationError as error:
        return error.code, error.position


def in_threads(evaluate, rounds=ROUNDS):
    """The answers of every thread, which all begin at once and go through the same numbers."""
    begin = Barrier(THREADS)

    def work(first):
        begin.wait(PATIENCE)
        numbers = [n % NUMBERS for n in range(first, first + rounds)]
        return [(number, answer(evaluate, number)) for number in numbers]

    with ThreadPoolExecutor(THREADS) as pool:
        return [pair for answers in pool.map(work, range(THREADS)) for pair in answers]


def held_to_one_thread(evaluate, alone, rounds=ROUNDS):
    """Every answer that `evaluate` gives in threads is the one that `alone` gives without any."""
    expected = [answer(alone, number) for number in range(NUMBERS)]
    assert len(set(map(str, expected))) > 1
    found = in_threads(evaluate, rounds)
    assert len(found) == THREADS * rounds
    assert [pair for pair in found if pair[1] != expected[pair[0]]] == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_program_in_many_threads_gives_the_answers_of_one(text):
    program = ENV.compile(text)
    held_to_one_thread(program.evaluate, ENV.compile(text).evaluate)


def measured(program):
    return program.measure


def partial(program):
    def evaluate(values):
        found = program.partial({"n": values["n"]}, ["user.name"] if values["n"] % 2 else ["user"])
        return found.attributes if isinstance(found, Unknown) else found

    return evaluate


def residual(program):
    return lambda values: program.residual(values, ["user.numbers"]).text


def explained(program):
    return lambda values: str(program.explain(values))


@pytest.mark.parametrize("way", [measured, partial, residual, explained])
@pytest.mark.parametrize("name", ["attributes", "nested loops", "bound names"])
def test_the_other_ways_to_ask_a_program_do_too(way, name):
    # The program is a new one: what is planned when it is first needed is planned in the threads.
    held_to_one_thread(way(ENV.compile(TEXTS[name])), way(ENV.compile(TEXTS[name])), rounds=4)


def test_an_expression_evaluated_in_one_call_does_too():
    held_to_one_thread(
        lambda values: cel.evaluate(TEXT, values), lambda values: cel.evaluate(TEXT, values)
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_environments_compile_in_many_threads(text):
    held_to_one_thread(
        lambda values: ENV.compile(text).evaluate(values), ENV.compile(text).evaluate, rounds=12
    )


@pytest.mark.parametrize("ask", ["evaluate", "partial", "measure"])
def test_evaluations_that_are_halfway_at_one_time_share_nothing(ask):
    """All threads are in the same turn of the same loop of the same program, each at the other
    side of a name that is bound, before any goes on."""
    meeting = Barrier(THREADS)
    met = Counter()

    def meet(number):
        met[number] += 1
        meeting.wait(PATIENCE)
        return number

    env = Env(
        {"n": "int"},
        libraries=[ext.BINDINGS, function("meet", "(int) -> int", meet, pure=False)],
    )
    program = env.compile(
        "[1, 2, 3].map(x, cel.bind(b, meet(x * n), [b, x, n, [n].map(y, meet(y + b))[0], b]))"
    )

    def work(number):
        found = getattr(program, ask)({"n": number})
        return found[0] if ask == "measure" else found

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, range(1, THREADS + 1)))
    for number, rows in enumerate(found, 1):
        bound = [x * number for x in (1, 2, 3)]
        assert rows == [[b, x, number, number + b, b] for x, b in enumerate(bound, 1)]
    assert met.total() == THREADS * 6
