"""Nothing that is asked again and again is kept: neither memory nor references grow with it.

`MEMORY_ROUNDS=2000 pytest tests/test_memory.py` asks more often.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from taskman_authz import PDP, CompileError, EvaluationError, RequestError
from taskman_authz.cel import Env, ext
from taskman_authz.cel.library import function
from taskman_authz.policy import compile_documents
from tests.policy.helpers import document, policy

ROUNDS = int(os.environ.get("MEMORY_ROUNDS", "60"))
# What is remembered is bounded (patterns, names), but has to be full before it stops growing; what
# is kept for good grows in every stretch of rounds.
STRETCHES = 3
A_ROUND = 8  # bytes; the least object is larger
NOISE = 512  # bytes that counting them takes


class Raises(Mapping[str, Any]):
    """A caller's object, none of which can be read."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError(key)

    def __iter__(self) -> Iterator[str]:
        raise OSError("gone")

    def __len__(self) -> int:
        raise OSError("gone")

    @property
    def name(self) -> str:
        raise AttributeError("name")


class Part:
    """A caller's object that can be read."""

    def __init__(self) -> None:
        self.name = "ann"
        self.tags = ["a", "b"]


def fails(text: str) -> str:
    raise ValueError(text)


ENV = Env(
    {"x": "dyn", "user": "dyn", "items": "list(dyn)"},
    libraries=[
        *(ext.BINDINGS, ext.COMPREHENSIONS, ext.OPTIONALS, ext.STRINGS, ext.MATH),
        function("fails", "(string) -> string", fails, pure=False),
    ],
)
TEXT = """
    cel.bind(n, items.map(i, i + x), n.exists(i, i == x) || size(user.name + string(x)) > 3)
    && {'a': items, 'b': user.tags}.transformMap(k, v, size(v)) != {}
    && [user.?gone.orValue('a')].all(t, t in user.tags && user.name.matches('^a(n|b)+' + t + '?'))
"""
PROGRAM = ENV.compile(TEXT)
KEPT: dict[str, Any] = {"x": 10**12, "user": Part(), "items": [10**13, 2.5, 10**15]}
BROKEN: dict[str, Any] = {"x": Raises(), "user": Raises(), "items": [10**13, Raises(), Part()]}
DOCUMENT = document(
    policy("a", condition="context.x == 1000000000000 && subject.id.matches('^(1|2)+')"),
    policy("b", effect="deny", roles=["r"], condition="context.user.name == 'bob'"),
)
POINT = PDP(compile_documents([("a.yaml", DOCUMENT)]))


def compiles(number: int) -> None:
    ENV.compile(f"{TEXT} && x != {number} && user.name != 'u{number}'")
    ENV.compile(f"[{number}].all(i, unknown.z == 'u{number}')", check=False)


def evaluates(number: int) -> None:
    PROGRAM.evaluate({**KEPT, "x": number * 10**12})
    PROGRAM.evaluate(KEPT)


def asks_otherwise(number: int) -> None:
    # No object: the interpreter remembers the names by which attributes are read, some thousands.
    known = {**KEPT, "x": number, "user": {"name": "ann", "tags": ["a", "b"]}}
    PROGRAM.partial(known, ["user.name"])
    PROGRAM.residual(known, ["user"])
    PROGRAM.measure(known)
    PROGRAM.explain(known)


FAULTS = [
    ENV.compile(text, check=False)
    for text in (
        "items[9] == x || x / 0 == user.gone",
        "items.map(i, i / 0)",
        "items.exists(i, [i].map(j, j + 'a') == [])",
        "cel.bind(a, {'k': x}[user.name], [a, a])",
        "{'a': 1, 'b': 2}.transformMap(k, v, v % 0)",
        "user.name.matches('(') || fails('a') == 'b'",
        "9223372036854775807 + size(items)",
        "[1].map(i, unknown_name)",
    )
]


def faults(number: int) -> None:
    for program in FAULTS:
        with pytest.raises(EvaluationError):
            program.evaluate({**KEPT, "x": number})


READS = [
    ENV.compile(text)
    for text in (
        "x.name == 'a'",
        "x == user",
        "items.map(i, i.name)",
        "user.all(k, v, true)",
        "[x, user]",
        "x in [user]",
    )
]


def meets_objects_that_raise(number: int) -> None:
    for program in READS:
        with pytest.raises(EvaluationError):
            program.evaluate(BROKEN)


def refuses(number: int) -> None:
    for text in (
        f"x + 'a{number}",
        f"x{number} && (",
        f"user.all({number}, true)",
        f"1 + 'u{number}'",
        f"'{number}'.matches(7)",
        f"x.{number}a",
        "((" * 40 + str(number),
    ):
        with pytest.raises(CompileError):
            ENV.compile(text)


MATCHES = ENV.compile("items.all(i, user.matches(x + '(' + string(i) + ')?'))")


def matches_patterns(number: int) -> None:
    # Patterns of one size: the last ones are kept, and longer ones hold more.
    own, pattern = f"v{number:06}", f"(u|v)+{number:06}"
    assert MATCHES.evaluate({"user": own, "x": pattern, "items": [*range(10, 30)]})


def decides(number: int) -> None:
    assert POINT.check(f"user:{1 + number % 2}", "tasks:edit", "tasks/1", KEPT)
    assert not POINT.check("user:1", "tasks:edit", f"tasks/{number}", {"x": Raises()})
    POINT.batch_check([("user:1", "a:b", "t/1", BROKEN), ("user", "a", "b"), (7, Raises(), None)])
    with pytest.raises(RequestError):
        POINT.check("nobody", "tasks:edit", f"tasks/{number}")


def installs(number: int) -> None:
    POINT.install(compile_documents([("a.yaml", DOCUMENT.replace("bob", f"bob {number}"))]))
    with pytest.raises(CompileError):
        compile_documents([("a.yaml", DOCUMENT.replace("==", f"= {number}"))])
    POINT.install(compile_documents([("a.yaml", DOCUMENT)]))


def references() -> list[int]:
    """How often what the callers keep is referred to."""
    kept = [*KEPT.values(), *BROKEN.values(), *KEPT["items"], *BROKEN["items"]]
    return [sys.getrefcount(each) for each in [*kept, PROGRAM, PROGRAM.node, ENV]]


def traced(work: Callable[[int], None], first: int, rounds: int) -> int:
    """The bytes in use after so many rounds, above those before."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(first, first + rounds):
        work(number)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


WORKS = (
    compiles,
    evaluates,
    asks_otherwise,
    faults,
    meets_objects_that_raise,
    refuses,
    matches_patterns,
    decides,
    installs,
)


SLOW = (compiles, asks_otherwise, refuses, installs)


def least_growth(work: Callable[[int], None], rounds: int) -> int:
    """The bytes that a stretch of rounds adds at least."""
    tracemalloc.start()
    try:
        return min(traced(work, stretch * rounds, rounds) for stretch in range(STRETCHES))
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("work", WORKS)
def test_memory_does_not_grow(work: Callable[[int], None]) -> None:
    rounds = ROUNDS // 2 if work in SLOW else ROUNDS
    work(0)
    held = references()
    assert least_growth(work, rounds) < A_ROUND * rounds + NOISE
    assert references() == held


def test_memory_that_is_kept_is_found() -> None:
    kept: list[object] = []
    assert least_growth(lambda number: kept.append(object()), ROUNDS) > A_ROUND * ROUNDS + NOISE
