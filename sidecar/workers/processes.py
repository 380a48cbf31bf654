"""What is done to processes: a worker is forked, bound to its parent, and reaped."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Closable(Protocol):
    """A socket, a file, a selector."""

    def close(self) -> None: ...


def fork(run: Callable[[], int], kept: Iterable[Closable]) -> int:
    """The id of a new process that runs `run`, and ends with the status it returns. It has nothing
    of what the parent has `kept` to itself, and does not outlive it."""
    parent = os.getpid()
    sys.stdout.flush()  # or else both would write what is buffered
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)  # a signal to the child is no parent's
    child = os.fork()
    if child == 0:
        _be_worker(parent, run, kept)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    return child


def _be_worker(parent: int, run: Callable[[], int], kept: Iterable[Closable]) -> NoReturn:
    status = 70  # an error of ours, as sysexits.h has it
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)  # an interrupt at the terminal is the supervisor's to pass on
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        for each in kept:
            each.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        if os.getppid() == parent:  # it may have died before it was bound to
            status = run()
        sys.stdout.flush()
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def reaped() -> list[tuple[int, int]]:
    """Processes that ended, and their status: negative where a signal ended one."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if child == 0:
            return ended
        ended.append((child, os.waitstatus_to_exitcode(status)))
