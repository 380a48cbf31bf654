"""The way of log lines to standard error: a bounded queue, and a thread that writes it.

Laws: whoever logs only appends; a reader that does not read, a full disk and a broken pipe cost
lines, which are counted, and nothing else. Lines stay whole among those of other processes.
"""

from __future__ import annotations

import atexit
import os
import select
import threading
from collections import deque

LINES = 10_000  # that wait to be written: a burst of refusals
BYTES = 8 * 2**20  # of them: issues and tracebacks are long
CLOSING = 1.0  # seconds that the end waits for what is queued
PIPE_BUF = 4096  # bytes that a pipe takes in one piece


class LogWriter:
    """Writes lines to the file descriptor `fd`: what structlog takes for a logger."""

    def __init__(self, fd: int = 2, lines: int = LINES) -> None:
        self._fd = fd
        self._most = lines
        self.dropped = 0  # lines that were not written
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.flush)

    def _reset(self) -> None:
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._writing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None  # begun by the first line: a fork ends it

    def msg(self, line: str) -> None:
        """Append a line. Never waits, never raises."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._changed:
            if len(self._queue) >= self._most or self._bytes + len(data) > BYTES:
                self.dropped += 1
                return
            self._queue.append(data)
            self._bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    debug = info = warning = error = critical = exception = msg

    def flush(self, timeout: float = CLOSING) -> bool:
        """Wait until what is queued is written, for `timeout` seconds at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._writing, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._queue)
                self._writing = True
                lines = self._next()
            try:
                self._write(b"".join(lines))
            except OSError:
                with self._changed:
                    self.dropped += len(lines)

    def _next(self) -> list[bytes]:
        """As many lines as go in one piece, or one that is longer."""
        lines = [self._queue.popleft()]
        length = len(lines[0])
        while self._queue and length + len(self._queue[0]) <= PIPE_BUF:
            lines.append(self._queue.popleft())
            length += len(lines[-1])
        self._bytes -= length
        return lines

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:  # somebody who shares it made it so
                select.select([], [self._fd], [])
