"""The queue of decisions, and the thread that writes them.

Laws: whoever decides only appends; the thread alone touches the file. The file is one process'
(it is locked), is made readable for its owner only, and is opened anew where it was renamed, the
chain going on. What fails to be written stays in the queue and is tried again: when the queue is
full, `full` says what that means.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal

from ..decision import Decision
from ..errors import ArgumentError, StoreError, require
from ..limits import DEFAULT, Limits
from ..request import CheckRequest
from .chain import START, chained, last_hash
from .records import Records

RETRY = 1.0  # seconds between attempts to write what could not be written
CLOSING = 5.0  # seconds that closing waits for what is queued

_log = logging.getLogger("taskman_authz.decision_log")


class DecisionLog:
    """Writes decisions to `path`, one JSON object a line; what a `PDP` takes as its `log`.

    `mask` are paths of attributes that are written as `***`. `full` is what becomes of a decision
    that the queue cannot take: `drop` counts it (`dropped`), `deny` makes the answer a no with the
    reason `not_logged`. `on_problem` is told once when writing begins to fail, by the thread.

    Raises StoreError where the file cannot be opened or another process writes it, ArgumentError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mask: Iterable[str] = (),
        full: Literal["drop", "deny"] = "drop",
        limits: Limits = DEFAULT,
        on_problem: Callable[[str], None] = _log.error,
    ) -> None:
        require("path", path, (str, os.PathLike), "the path of a file")
        if full not in ("drop", "deny"):
            raise ArgumentError("full", "`drop` or `deny`", f"`{full}`")
        self._records = Records(mask, limits)
        self._denies = full == "deny"
        self._most = limits.log_queue
        self._most_bytes = limits.log_queue_bytes
        self._bytes = 0
        self._on_problem = on_problem
        self._file = _ChainedFile(os.fspath(path))
        self._queue: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._process = os.getpid()
        self.written = 0  # lines
        self.dropped = 0  # decisions that were not taken
        self.failing = False  # what is queued could not be written, and is tried again
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __call__(self, request: CheckRequest, decision: Decision, duration: int) -> bool:
        """Append a decision that took `duration` nanoseconds. False where it is not taken, and
        must not be acted on."""
        # After a fork there is no thread, the file is the parent's, and who held the lock is gone.
        if not self._is_ours():
            self.dropped += 1
            return not self._denies
        record = self._records.encode(request, decision, duration)
        with self._changed:
            if not self._closing and self._has_room(len(record)):
                self._queue.append(record)
                self._bytes += len(record)
                self._changed.notify_all()
                return True
            self.dropped += 1
            return not self._denies

    def _is_ours(self) -> bool:
        return os.getpid() == self._process

    def _has_room(self, length: int) -> bool:
        return len(self._queue) < self._most and self._bytes + length <= self._most_bytes

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until what is queued is written, for `timeout` seconds at most; whether it is."""
        if not self._is_ours():
            return False
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, timeout)

    def close(self) -> None:
        """Write what is queued, for some seconds at most, and close the file. Later decisions are
        not taken."""
        atexit.unregister(self.close)
        if not self._is_ours():
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSING)

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while records := self._next():
            try:
                self._file.write(records)
            except OSError as error:
                if not self.failing:
                    self._tell(f"the decision log cannot be written: {error.strerror}")
                self.failing = True
                if not self._patient():
                    break
                continue
            self.failing = False
            with self._changed:
                for _ in records:
                    self._bytes -= len(self._queue.popleft())
                self.written += len(records)
                self._changed.notify_all()
        self._file.close()

    def _tell(self, problem: str) -> None:
        try:
            self._on_problem(problem)
        except Exception as error:  # the embedder's own; without this thread nothing is written
            _log.error("%s; `on_problem` raised %s", problem, type(error).__name__)

    def _next(self) -> list[bytes]:
        """What is queued, and stays so until it is written; empty where there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return list(self._queue)

    def _patient(self) -> bool:
        """Wait a little; whether to try again."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._closing, RETRY)


class _ChainedFile:
    """A file whose lines are a chain. Raises StoreError where it cannot be had."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._last = START
        try:
            self._fd = self._open()
        except OSError as error:
            raise StoreError(f"the decision log `{path}`: {error.strerror}") from None

    def write(self, records: list[bytes]) -> None:
        """Append a line a record: all of them, or where it raises OSError none."""
        if self._was_renamed():
            opened = self._open()
            os.close(self._fd)
            self._fd = opened
        lines, last = [], self._last
        for record in records:
            line, last = chained(record, last)
            lines.append(line)
        self._append(b"".join(lines))
        self._last = last

    def close(self) -> None:
        """Everything is on the disk."""
        try:
            os.fsync(self._fd)
        except OSError:
            pass  # a pipe or a terminal has no disk
        os.close(self._fd)

    def _open(self) -> int:
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd)
            found, whole = last_hash(fd)
            if not whole:
                os.write(fd, b"\n")  # what a crash tore stays, as a line of its own
            self._last = found or self._last
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _was_renamed(self) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return True
        here = os.fstat(self._fd)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _append(self, data: bytes) -> None:
        size = os.fstat(self._fd).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            os.ftruncate(self._fd, size)  # no torn line in the middle
            raise


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(error.errno, "another process writes it") from None
