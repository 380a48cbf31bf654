"""What a release must show of the sidecar, as ratios of one run."""

from __future__ import annotations

from collections.abc import Callable

from ..bars import Bar, Measure, Verdict, judged
from .run import CLIENTS, Run, cases

BUSY = tuple(clients for clients in CLIENTS if clients > 1)
MANY = 10_000


def _bar(
    text: str,
    bound: float,
    ratio: Callable[[Measure, int], float],
    measures: tuple[str, ...],
    at_least: bool = False,
) -> Bar:
    """The worst of 16 and 64 clients counts."""
    pick = min if at_least else max
    return Bar(
        text,
        bound,
        lambda best: pick(ratio(best, clients) for clients in BUSY),
        tuple(f"{measure}-{clients}" for measure in measures for clients in BUSY),
        at_least,
    )


def _ratio(measure: str, column: str, other: str) -> Callable[[Measure, int], float]:
    return lambda best, n: best(f"{measure}-{n}", column) / best(f"{measure}-{n}", other)


BARS = (
    _bar(
        "a Check takes at most 0.2× the CPU of a bare echo on grpcio",
        0.2,
        _ratio("cpu", "ours", "echo"),
        ("cpu",),
    ),
    _bar(
        "at 16 and 64 clients at least 8× as many checks a second as Cerbos",
        8.0,
        _ratio("rps", "ours", "cerbos"),
        ("rps",),
        at_least=True,
    ),
    _bar(
        "at 16 and 64 clients a lower p99 than Cerbos",
        1.0,
        _ratio("p99", "ours", "cerbos"),
        ("p99",),
    ),
    _bar(
        "over TLS at least half as many checks a second as in plain",
        0.5,
        _ratio("rps", "ours-tls", "ours"),
        ("rps",),
        at_least=True,
    ),
    _bar(
        "a batch of 200 answers at least 50× as many questions a second as Cerbos' 50 × 4",
        50.0,
        _ratio("rps", "workers-batch", "cerbos-batch"),  # which has all processors too
        ("rps",),
        at_least=True,
    ),
    _bar(
        "on grpcio a Check takes at most 1.25× the CPU of a bare echo",
        1.25,
        _ratio("cpu", "grpcio", "echo"),
        ("cpu",),
    ),
    _bar(
        "on grpcio a lower p99 than Cerbos",
        1.0,
        _ratio("p99", "grpcio", "cerbos"),
        ("p99",),
    ),
    _bar(
        "on grpcio a batch of 200 checks takes less CPU than 5 single ones",
        5.0,
        _ratio("cpu", "grpcio-batch", "grpcio"),
        ("cpu",),
    ),
    _bar(
        "a batch of 200 checks takes less CPU than 5 bare echoes on grpcio",
        5.0,
        _ratio("cpu", "ours-batch", "echo"),
        ("cpu",),
    ),
)
BARS_OF_MANY = (
    _bar(
        "among 10,000 policies at least 20× as many checks a second as Cerbos",
        20.0,
        _ratio("rps", "ours-many", "cerbos-many"),
        ("rps",),
        at_least=True,
    ),
    _bar(
        "among 10,000 policies of one kind at least 100× as many checks a second as Cerbos",
        100.0,
        _ratio("rps", "ours-alike", "cerbos-alike"),
        ("rps",),
        at_least=True,
    ),
)


def verdicts(run: Run) -> list[Verdict]:
    """Every bar that the run has an answer to."""
    bars = BARS + (BARS_OF_MANY if run.many == MANY else ())
    return judged(bars, cases(), run.best)
