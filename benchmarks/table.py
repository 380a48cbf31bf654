"""What was measured, as Markdown for the results folder (which reads well in a terminal too) and
as JSON for comparing over time."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

from .bars import Verdict
from .cases import Case, Compilation, Conditions, Decision, Evaluation, Loading, Memory
from .compare import OURS, Cell, Column, Run

SECTIONS: tuple[tuple[str, type], ...] = (
    ("Evaluating one compiled expression (µs)", Evaluation),
    ("Compiling (µs)", Compilation),
    ("Many conditions over one request (µs a condition)", Conditions),
    ("One decision among N policies (µs)", Decision),
    ("Loading policies (µs)", Loading),
    ("More memory for loading policies (MiB)", Memory),
)


def markdown(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The whole report."""
    parts = [_heading(run)]
    for title, kind in SECTIONS:
        cases = [case for case in run.cases if type(case) is kind]
        columns = [column for column in run.columns if kind.__name__ in column.kinds]
        if cases and columns:
            parts += [f"## {title}", _section(run, cases, columns)]
    if run.absent:
        parts += ["## Not here", "\n".join(f"- {name} {why}" for name, why in run.absent.items())]
    parts += ["## Bars", "\n".join(f"- {verdict}" for verdict in verdicts)]
    return "\n\n".join(parts) + "\n"


def as_json(run: Run, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The same as data: seconds by case and column."""
    return {
        "machine": machine(),
        "seconds": round(run.seconds, 1),
        "versions": {column.peer: column.version for column in run.columns},
        "absent": run.absent,
        "cases": {
            case.name: {
                column.name: _cell_json(cell)
                for column in run.columns
                if (cell := run.cell(case.name, column.name)) is not None
            }
            for case in run.cases
        },
        "bars": [{"bar": v.bar, "value": v.value, "met": v.met, "why": v.why} for v in verdicts],
    }


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as an aligned Markdown table; the first row is the head, the first column text."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join(
        "-" * (width + 2) if index == 0 else "-" * (width + 1) + ":"
        for index, width in enumerate(widths)
    )
    return "\n".join([lines[0], rule + "|", *lines[1:]])


def _heading(run: Run) -> str:
    versions = ", ".join(
        f"{column.title.partition(',')[0]} {column.version}"
        for column in run.columns
        if column.variant == next(c.variant for c in run.columns if c.peer == column.peer)
    )
    return (
        "# Benchmarks\n\n"
        f"{machine()}; one run of {run.seconds:.0f} s, least of interleaved rounds, every answer "
        "checked before it is timed. Absolute figures drift with the machine: compare columns of "
        "one run. In brackets: how many times as long as ours.\n\n"
        f"{versions}."
    )


def machine() -> str:
    """What it ran on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _section(run: Run, cases: Sequence[Case], columns: Sequence[Column]) -> str:
    # A row a column of the comparison: peers are many and their names long, cases few.
    notes: list[str] = []
    rows = [["", *(_short(case) for case in cases)]]
    for column in columns:
        row = [column.title]
        for case in cases:
            cell = run.cell(case.name, column.name) or Cell()
            row.append(_shown(cell, run.least(case.name, OURS), column, case, notes))
        rows.append(row)
    legend = "\n".join(f"- `{_short(case)}`: {case.title}" for case in cases)
    noted = "\n".join(f"[{index}] {note}  " for index, note in enumerate(notes, 1))
    return "\n\n".join(part for part in (text_table(rows), noted, legend) if part)


def _short(case: Case) -> str:
    return case.name


def _shown(cell: Cell, ours: float | None, column: Column, case: Case, notes: list[str]) -> str:
    if cell.seconds is None:
        note = f"{column.title}: {cell.cannot or 'not measured'}"
        if note not in notes:
            notes.append(note)
        return f"– [{notes.index(note) + 1}]"
    shown = _microseconds(cell.seconds)
    if ours and column.peer != OURS:
        shown += f" ({_ratio(cell.seconds / ours)})"
    return shown


def _microseconds(seconds: float) -> str:
    value = seconds * 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}×" if value < 10 else f"{value:,.0f}×"


def _cell_json(cell: Cell) -> dict[str, Any]:
    if cell.seconds is None:
        return {"cannot": cell.cannot or "not measured"}
    return {"seconds": cell.seconds, "samples": cell.samples}
