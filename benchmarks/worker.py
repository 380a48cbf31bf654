"""The process that one peer runs in: `python -m benchmarks.worker PEER`.

It reads one JSON line a request from standard input and writes one a reply to standard output
(which peers cannot write to: whatever they print goes to standard error).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import timeit
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import IO, Any

from .cases import BY_NAME, Case, Compilation, Conditions, Loading
from .peers import Cannot, Timed

# A sample is shorter than the scheduler's time slice, so that on a busy machine some are quiet; a
# request takes many, and the least of them is the reply.
SAMPLE_SECONDS = 0.0005
SAMPLES = 12
SLOW_SECONDS = 0.02  # a call that takes longer is a sample of its own, and the first one counts


@dataclass
class Prepared:
    """A statement ready to be timed, `number` times a sample."""

    timer: timeit.Timer
    number: int
    per: int
    slow: bool


class Worker:
    """One peer with its prepared cases. The peer is imported when it is first asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.prepared: dict[tuple[str, str], Prepared] = {}

    @cached_property
    def peer(self) -> ModuleType:
        """The peer's module."""
        return importlib.import_module(f"benchmarks.peers.{self.name}")

    def hello(self) -> dict[str, Any]:
        """The peer's titles, kinds and version."""
        return {
            "title": self.peer.TITLE,
            "variants": [
                {"name": name, "adds": way.adds, "kinds": [kind.__name__ for kind in way.kinds]}
                for name, way in self.peer.VARIANTS.items()
            ],
            "version": self.peer.version(),
        }

    def sample(self, name: str, variant: str) -> dict[str, Any]:
        """The seconds that one statement takes, measured once more."""
        key = (name, variant)
        if key not in self.prepared:
            return self._first(key, BY_NAME[name], variant)
        prepared = self.prepared[key]
        samples = 1 if prepared.slow else SAMPLES
        least = min(prepared.timer.repeat(samples, prepared.number))
        return {"seconds": least / prepared.number / prepared.per}

    def _first(self, key: tuple[str, str], case: Case, variant: str) -> dict[str, Any]:
        began = time.perf_counter()
        timed: Timed = self.peer.prepare(case, variant)
        ready = time.perf_counter()
        answer = timed.answer()
        once = time.perf_counter() - ready
        verify(case, answer)
        timer = timeit.Timer(timed.statement, timer=timed.clock, globals=dict(timed.names))
        gc.collect()
        gc.freeze()  # what was prepared is not garbage, and is not looked at again
        slow = once > SLOW_SECONDS
        self.prepared[key] = Prepared(timer, 1 if slow else _number(timer), timed.per, slow)
        if slow and timed.clock is time.perf_counter:
            return {"seconds": once / timed.per, "prepare": ready - began}
        return {**self.sample(*key), "prepare": ready - began}


def verify(case: Case, answer: Any) -> None:
    """A peer that answers something else is not measured: raises `Cannot`."""
    if isinstance(case, Compilation):
        if answer is None:
            raise Cannot("compiles to nothing")
        return
    if isinstance(case, Loading):
        if answer != case.count:
            raise Cannot(f"has {answer!r} policies instead of {case.count:,}")
        return
    expected = False if isinstance(case, Conditions) else case.expected
    if type(answer) is not bool or answer is not expected:
        raise Cannot(f"answers {answer!r} instead of {expected!r}")


def _number(timer: timeit.Timer) -> int:
    number = 1
    while (taken := timer.timeit(number)) < SAMPLE_SECONDS / 4:
        number *= 4
    return max(1, round(number * SAMPLE_SECONDS / taken))


def serve(worker: Worker, requests: IO[str], replies: IO[str]) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        request = json.loads(line)
        try:
            reply = worker.hello() if not request else worker.sample(**request)
        except Cannot as error:
            reply = {"cannot": str(error)}
        except Exception as error:  # a peer's own failure belongs into the table, not to a trace
            reply = {"cannot": f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def main() -> None:
    """Serve the peer that the command line names."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(Worker(sys.argv[1]), sys.stdin, replies)


if __name__ == "__main__":
    main()
