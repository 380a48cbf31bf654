"""One run: every column at every number of clients, in interleaved rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ..cases import BY_NAME, Decision
from ..peers import Cannot
from . import questions
from .load import LoadError, Sample, UnansweredError, sample
from .questions import Question
from .servers import Server, start_cerbos, start_echo, start_ours

CLIENTS = (1, 16, 64)
FEW = "decide-10"
SLOW = 5  # times as long is asked who gave no answer
MEASURES = ("rps", "p50", "p99", "cpu", "rss")

# Name and title of each column: who is asked, and what.
COLUMNS: Mapping[str, str] = {
    "echo": "grpcio aio + uvloop, bare echo",
    "ours": "taskman-authz, 10 policies",
    "ours-tls": "the same over TLS",
    "ours-workers": "the same, two workers",
    "ours-forgets": "the same, no answer remembered",
    "grpcio": "taskman-authz on grpcio, 10 policies",
    "cerbos": "Cerbos, 10 policies",
    "ours-many": "taskman-authz, {:,} policies",
    "grpcio-many": "taskman-authz on grpcio, {:,} policies",
    "cerbos-many": "Cerbos, {:,} policies",
    "ours-alike": "taskman-authz, {:,} policies of one kind, action and role",
    "cerbos-alike": "Cerbos, {:,} policies of one kind, action and role",
    "ours-batch": "taskman-authz, batch of 200",
    "workers-batch": "the same, two workers",
    "workers-same-batch": "two workers, the 50 × 4 that Cerbos is asked",
    "forgets-batch": "a batch of 200, two workers, no answer remembered",
    "grpcio-batch": "taskman-authz on grpcio, batch of 200",
    "cerbos-batch": "Cerbos, batch of 50 × 4",
}


@dataclass
class Run:
    """What was measured, and what could not be, with the reason."""

    many: int  # policies of the columns that have many
    samples: dict[tuple[str, int], list[Sample]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def best(self, case: str, column: str) -> float | None:
        """Of all rounds: a case is `rps-16`, a measure and a number of clients."""
        measure, _, clients = case.partition("-")
        found = [getattr(each, measure) for each in self.samples.get((column, int(clients)), ())]
        if not found:
            return None
        return float(max(found) if measure == "rps" else min(found))

    def title(self, column: str) -> str:
        """For people."""
        return COLUMNS[column].format(self.many)


@dataclass(frozen=True)
class Asked:
    """A column that is here: who is asked what."""

    column: str
    server: Server
    question: Question


def cases() -> set[str]:
    """The names of all cases."""
    return {f"{measure}-{clients}" for measure in MEASURES for clients in CLIENTS}


def run(many: int, rounds: int, seconds: int, tell: Callable[[str], None]) -> Run:
    """Measure `rounds` times each, `seconds` a time."""
    made, began = Run(many), time.monotonic()
    with TemporaryDirectory() as folder, _asked(made, Path(folder), tell) as asked:
        for clients in CLIENTS:
            for number in range(rounds):
                for each in asked:
                    tell(f"{made.title(each.column)}, {clients} clients, round {number + 1}")
                    _measure(made, each, clients, seconds, Path(folder))
    made.seconds = time.monotonic() - began
    return made


def _measure(made: Run, each: Asked, clients: int, seconds: int, folder: Path) -> None:
    """One sample, a longer one where a server needs that. A round that fails leaves those of
    others."""
    with each.server.running():
        try:
            each.server.ask(each.question)
            try:
                found = sample(each.server, each.question, clients, seconds, folder)
            except UnansweredError:
                found = sample(each.server, each.question, clients, seconds * SLOW, folder)
        except (Cannot, LoadError) as error:
            made.absent[each.column] = f"{clients} clients: {error}"
            return
    made.samples.setdefault((each.column, clients), []).append(found)
    made.absent.pop(each.column, None)


@contextmanager
def _asked(made: Run, folder: Path, tell: Callable[[str], None]) -> Iterator[list[Asked]]:
    """All servers, standing still, and what each is asked."""
    few, many = BY_NAME[FEW], BY_NAME[f"decide-{made.many}"]
    assert isinstance(few, Decision) and isinstance(many, Decision)
    asked: list[Asked] = []
    with ExitStack() as stack:

        def begin(start: Callable[[], Server], asks: Mapping[str, Question]) -> None:
            tell(f"starting {made.title(next(iter(asks)))}")
            try:
                server = start()
            except Cannot as error:
                made.absent.update(dict.fromkeys(asks, str(error)))
                return
            stack.callback(server.end)
            with server.running():
                for column, question in asks.items():
                    server.ask(question)
                    asked.append(Asked(column, server, question))

        check, batch = questions.check(few), questions.batch(few)
        begin(lambda: start_ours(few, folder), {"ours": check, "ours-batch": batch})
        ours = next(each.server for each in asked)
        with ours.running():
            reply = ours.ask(check)
        begin(lambda: start_echo(reply), {"echo": questions.echo(check.data, reply)})
        begin(lambda: start_ours(few, folder, tls=True), {"ours-tls": check})
        same = questions.same_batch(few)
        by_two = {"ours-workers": check, "workers-batch": batch, "workers-same-batch": same}
        begin(lambda: start_ours(few, folder, workers=2), by_two)
        forgetful = ("--answer-memory", "0")
        begin(lambda: start_ours(few, folder, options=forgetful), {"ours-forgets": check})
        begin(
            lambda: start_ours(few, folder, workers=2, options=forgetful), {"forgets-batch": batch}
        )
        on_grpcio = {"grpcio": check, "grpcio-batch": batch}
        begin(lambda: start_ours(few, folder, "grpcio"), on_grpcio)
        begin(lambda: start_ours(many, folder), {"ours-many": questions.check(many)})
        begin(lambda: start_ours(many, folder, "grpcio"), {"grpcio-many": questions.check(many)})
        theirs = {
            "cerbos": questions.cerbos_check(few),
            "cerbos-batch": questions.cerbos_batch(few),
        }
        begin(lambda: start_cerbos(few, folder), theirs)
        begin(lambda: start_cerbos(many, folder), {"cerbos-many": questions.cerbos_check(many)})
        alike = BY_NAME.get(f"decide-alike-{made.many}")
        if isinstance(alike, Decision):
            begin(lambda: start_ours(alike, folder), {"ours-alike": questions.check(alike)})
            about = questions.cerbos_check(alike)
            begin(lambda: start_cerbos(alike, folder), {"cerbos-alike": about})
        else:
            absent = f"there is no such case of {made.many:,}"
            made.absent.update({"ours-alike": absent, "cerbos-alike": absent})
        yield sorted(asked, key=lambda each: list(COLUMNS).index(each.column))
