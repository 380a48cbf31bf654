"""Counts of several processes that serve one address, summed whoever of them is asked.

Each process keeps its counts in files of a folder that all share (the multiprocess mode of
prometheus-client, which looks for the folder once, when it is imported). What a process counted
stays when it ends, so that sums never go down.

Laws: the folder is the owner's alone and goes with the process that made it. It lies in memory
where the system has such a place: counting must not end because a disk is full.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's
FOLDER = "taskman-authz-metrics-"  # what its name begins with
MEMORY = Path("/dev/shm")


@contextmanager
def shared_metrics() -> Iterator[Path]:
    """A folder for the counts of processes that are started within, and of this one. To be entered
    before prometheus-client is imported."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=place))
    os.environ[VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        del os.environ[VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


class Restarts:
    """Counts workers that were started in place of others, in the process that starts them."""

    def __init__(self, service: str) -> None:
        from prometheus_client import CollectorRegistry, Counter

        counter = Counter(
            "taskman_authz_worker_restarts",
            "Workers that were started in place of one that ended.",
            ("service",),
            registry=CollectorRegistry(),
        )
        self._counter = counter.labels(service)

    def add(self, ended: int) -> None:
        """A worker was started in place of the one with the process id `ended`."""
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(ended)
        self._counter.inc()


def shared_folder() -> Path | None:
    """The folder of the counts, where several processes share one."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) if folder else None


def processes() -> list[int]:
    """The ids of the processes that count together: this one, or all that have files."""
    folder = shared_folder()
    if folder is None:
        return [os.getpid()]
    found = {file.stem.rpartition("_")[2] for file in folder.glob("*.db")}
    return sorted(int(pid) for pid in found if pid.isdecimal())
