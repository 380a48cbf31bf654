"""What is going on while policies load: on a terminal, and only where it takes long."""

from __future__ import annotations

import sys
import time
from threading import Event, Thread
from types import TracebackType
from typing import TextIO

AFTER = 2.0  # seconds before anything is said
EVERY = 0.2  # seconds between looks
CLEAR = "\r\x1b[K"


class Progress:
    """Shows how far something has come, on standard error if that is a terminal, once it takes
    longer than `after` seconds; and takes it away when it is done.

    with Progress() as progress:
        load_policies(path, progress=progress)
    """

    def __init__(self, stream: TextIO | None = None, after: float = AFTER) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._after = after
        self._stage = ("loading policies", 0, 0)
        self._stop = Event()
        self._thread: Thread | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """What is being done, and how much of it."""
        self._stage = (stage, done, total)

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread = Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self) -> None:
        begun = time.monotonic()
        if self._stop.wait(self._after):
            return
        try:
            while True:
                line = shown(*self._stage, time.monotonic() - begun)
                self._stream.write(f"{CLEAR}{line}")
                self._stream.flush()
                if self._stop.wait(EVERY):
                    break
            self._stream.write(CLEAR)
            self._stream.flush()
        except (OSError, ValueError):
            return  # the terminal is gone: nobody is there to be told


def shown(stage: str, done: int, total: int, seconds: float) -> str:
    """One line: the stage, how much of it is done, and how long it all has taken."""
    much = f" {done:,} of {total:,}" if total else ""
    return f"{stage}{much}, {seconds:.0f} s"
