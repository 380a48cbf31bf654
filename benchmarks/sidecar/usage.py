"""What a process and its children have used, by `/proc`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(process: int) -> float:
    """User and system time of all threads, of children that live and of those that ended."""
    ticks = 0
    for each in _family(process):
        fields = _read(each, "stat").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks * _TICK


def resident_bytes(process: int) -> int:
    """Memory that is resident, shared pages counted in each process."""
    return sum(int(_read(each, "statm").split()[1]) * _PAGE for each in _family(process))


def _family(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _read(process: int, name: str) -> str:
    return Path(f"/proc/{process}/{name}").read_text()
