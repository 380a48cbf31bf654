"""CPU time and memory of processes, read from /proc when somebody looks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

SHORTEST = 1.0  # seconds that a share of CPU is taken over: the kernel counts in hundredths

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """What processes used: percent of one CPU, bytes that are resident."""

    cpu: float
    memory: int


class Meter:
    """Tells what `processes` use. The share of CPU is that since it was last told."""

    def __init__(self, processes: Callable[[], Sequence[int]]) -> None:
        self._processes = processes
        self._then = time.monotonic()
        self._spent = self._read()[0]
        self._cpu = 0.0

    def usage(self) -> Usage:
        """The usage now. Within `SHORTEST` the share of CPU is the one told before."""
        spent, memory = self._read()
        now = time.monotonic()
        if now - self._then >= SHORTEST:
            # A process that ended takes its time with it: each is compared with itself.
            used = sum(max(0.0, spent[pid] - self._spent.get(pid, 0.0)) for pid in spent)
            self._cpu = 100 * used / (now - self._then)
            self._then, self._spent = now, spent
        return Usage(self._cpu, memory)

    def _read(self) -> tuple[dict[int, float], int]:
        """Seconds of CPU by process, and the memory of all. One that ended uses nothing."""
        spent: dict[int, float] = {}
        memory = 0
        for pid in self._processes():
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            # After the name, which may hold spaces and brackets: proc(5), fields 3 and on.
            fields = stat.rpartition(")")[2].split()
            spent[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
            memory += int(fields[21]) * _PAGE
        return spent, memory
