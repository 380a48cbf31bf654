"""What was measured, as Markdown for the results folder and as JSON for comparing over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..bars import Verdict
from ..table import machine, text_table
from .run import CLIENTS, COLUMNS, MEASURES, Run

HOW = (
    "Load by h2load on the same cores, one call a client at a time; the best of interleaved "
    "rounds, every other server standing still. Requests are counted without h2load's log of "
    "them, which costs it up to a seventh of its time, and timed with it. h2load asks the same "
    "again and again, so ours answers from memory but where it is told to remember nothing. "
    "Absolute figures drift with the machine: compare rows of one run."
)
# Heading of a measure, what its figures are multiplied with, and how they are written.
SHOWN = {
    "rps": ("requests/s", 1.0, "{:,.0f}"),
    "p50": ("p50, ms", 1e3, "{:.2f}"),
    "p99": ("p99, ms", 1e3, "{:.2f}"),
    "cpu": ("CPU µs a request", 1e6, "{:,.0f}"),
    "rss": ("RSS, MiB", 1 / 2**20, "{:,.0f}"),
}


def markdown(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The whole report."""
    parts = [
        "# The sidecar over gRPC",
        f"{machine()}; one run of {run.seconds:.0f} s. {HOW}",
    ]
    for clients in CLIENTS:
        parts += [f"## {clients} client{'s' if clients > 1 else ''}", _section(run, clients)]
    if run.absent:
        absent = [f"- {run.title(name)}: {why}" for name, why in run.absent.items()]
        parts += ["## Not here", "\n".join(absent)]
    parts += ["## Bars", "\n".join(f"- {verdict}" for verdict in verdicts)]
    return "\n\n".join(parts) + "\n"


def as_json(run: Run, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The same as data: the best of each, in requests a second, seconds and bytes."""
    return {
        "machine": machine(),
        "seconds": round(run.seconds, 1),
        "policies": run.many,
        "absent": run.absent,
        "columns": {
            column: {
                f"{measure}-{clients}": run.best(f"{measure}-{clients}", column)
                for measure in MEASURES
                for clients in CLIENTS
            }
            for column in COLUMNS
        },
        "bars": [{"bar": v.bar, "value": v.value, "met": v.met, "why": v.why} for v in verdicts],
    }


def _section(run: Run, clients: int) -> str:
    rows = [["", *(heading for heading, _, _ in SHOWN.values())]]
    for column in COLUMNS:
        row = [run.title(column)]
        for measure, (_, factor, form) in SHOWN.items():
            found = run.best(f"{measure}-{clients}", column)
            row.append("–" if found is None else form.format(found * factor))
        rows.append(row)
    return text_table(rows)
