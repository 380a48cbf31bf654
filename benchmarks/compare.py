"""One run: every peer in its own process, asked in interleaved rounds; the least of many counts.

Interleaving means that a slow minute of the machine is a slow minute for everybody, and the least
of many samples is the one that nothing disturbed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cases import Case
from .peers import NAMES

OURS = "ours"
ROOT = Path(__file__).parents[1]
# A column that has used this much of a case's time is not asked again in this run.
CELL_SECONDS = 1.5


@dataclass
class Cell:
    """What one column gave for one case: the least time in seconds, or why there is none."""

    seconds: float | None = None
    samples: int = 0
    spent: float = 0.0
    cannot: str = ""


@dataclass(frozen=True)
class Column:
    """A peer asked in one of its ways."""

    peer: str
    variant: str
    title: str
    kinds: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """Stable over time: `cel_rust/dicts`."""
        return f"{self.peer}/{self.variant}" if self.variant else self.peer


@dataclass
class Run:
    """All columns, all cells, and the peers that are not here with the reason."""

    cases: Sequence[Case]
    columns: list[Column] = field(default_factory=list)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def cell(self, case: str, column: str) -> Cell | None:
        """The cell, or None where the column is not asked such cases."""
        return self.cells.get((case, column))

    def least(self, case: str, column: str) -> float | None:
        """The least time in seconds, or None."""
        cell = self.cell(case, column)
        return None if cell is None else cell.seconds


class Process:
    """A peer's process and the line that it answers with."""

    def __init__(self, peer: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", peer],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCHMARKS_DEBUG") else None,
            text=True,
        )

    def ask(self, **request: str) -> dict[str, Any]:
        """One request, one reply; a process that has died is a reply too."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return {"cannot": f"its process ended with status {self.process.wait()}"}
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """Let it end by itself, so that it can stop what it started."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def run(
    cases: Sequence[Case],
    peers: Iterable[str] = NAMES,
    rounds: int = 12,
    alone: frozenset[str] = frozenset(),
    progress: Callable[[str], None] = lambda text: None,
) -> Run:
    """Measure the cases on the peers; those whose names are in `alone` on ourselves only."""
    began = time.monotonic()
    result = Run(cases)
    processes: dict[str, Process] = {}
    try:
        for peer in peers:
            progress(f"starting {peer}")
            processes[peer] = Process(peer)
            _introduce(result, peer, processes[peer])
        _leave_out(result, alone)
        for number in range(rounds):
            _round(result, processes, f"round {number + 1}/{rounds}", progress)
    finally:
        for process in processes.values():
            process.close()
    result.seconds = time.monotonic() - began
    return result


def _introduce(result: Run, peer: str, process: Process) -> None:
    hello = process.ask()
    if "cannot" in hello:
        result.absent[peer] = hello["cannot"]
        return
    result.columns += [
        Column(
            peer, way["name"], hello["title"] + way["adds"], tuple(way["kinds"]), hello["version"]
        )
        for way in hello["variants"]
    ]


def _leave_out(result: Run, alone: frozenset[str]) -> None:
    for column in result.columns:
        if column.peer != OURS:
            for name in alone:
                result.cells[name, column.name] = Cell(cannot="left out of a quick run")


def _round(
    result: Run, processes: dict[str, Process], title: str, progress: Callable[[str], None]
) -> None:
    for case in result.cases:
        for column in result.columns:
            if type(case).__name__ not in column.kinds:
                continue
            cell = result.cells.setdefault((case.name, column.name), Cell())
            if cell.cannot or cell.spent > CELL_SECONDS:
                continue
            progress(f"{title}  {case.name}  {column.name}")
            before = time.monotonic()
            reply = processes[column.peer].ask(name=case.name, variant=column.variant)
            cell.spent += time.monotonic() - before - reply.get("prepare", 0.0)
            if "cannot" in reply:
                cell.cannot = reply["cannot"]
                continue
            cell.samples += 1
            seconds: float = reply["seconds"]
            cell.seconds = seconds if cell.seconds is None else min(cell.seconds, seconds)
