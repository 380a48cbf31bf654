"""A server as a process: started and awaited, ended, killed, frozen, started again in its place.

Laws: it listens on the loopback only. It has a group of its own, so that a signal reaches all of
it. It is started by `setpriv --pdeathsig`, so the kernel ends it when the thread that started it is
no more: all are started by one that lives as long as this process, whichever thread asks.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

PATIENCE = 90.0  # seconds for a start or an end; a busy machine takes ten for RabbitMQ
STARTER = ThreadPoolExecutor(1, thread_name_prefix="servers")
PAUSE = 0.02  # seconds between two looks at a server that is starting


class ServerError(Exception):
    """A server that cannot be started here, or did not answer in time; the text says why."""


def free_port() -> int:
    """A port of the loopback that nobody uses now. It is none that a system gives to connections
    that go out (IANA's begin at 49152, Linux' at 32768): one of these could take it meanwhile."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_768)))
            return int(probe.getsockname()[1])


class Server(ABC):
    """One server, and the folder that it writes to, which outlives its process."""

    name: str
    stop_signal: signal.Signals = signal.SIGTERM  # ends it in order, at once

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    # -- what each server says of itself -----------------------------------------------------------

    @abstractmethod
    def prepare(self) -> None:
        """Make what it needs in its folder, before the first start."""

    @abstractmethod
    def command(self) -> list[str]:
        """What to run; it stays in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves now. Raises nothing where it does not."""

    def environment(self) -> Mapping[str, str]:
        """What it needs beside this process' environment."""
        return {}

    def user(self) -> str | None:
        """Who runs it; None is who runs this."""
        return None

    # -- its life ----------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it has a process (a frozen one counts)."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> Path:
        """Where what it says is kept."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, in the same place with the same data if it ran before, and wait until it
        serves. Raises ServerError."""
        if self.running:
            return
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self.prepare()
        self.process = self.spawn(self.command(), self.log)
        self.wait_until(self.answers, f"{self.name} does not answer")

    def spawn(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """A process that ends when this one does."""
        user = self.user()
        others: list[str] | None = None if user is None else []  # its groups are not ours
        with log.open("ab") as said:
            begun = STARTER.submit(
                subprocess.Popen,
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, **self.environment()},
                cwd=self.folder,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=others,
            )
            return begun.result()

    def wait_until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Look until something holds. Raises ServerError where the process ends, or in time."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if not self.running or time.monotonic() > end:
                raise ServerError(f"{otherwise}; the end of what it said:\n{self._last_words()}")
            time.sleep(PAUSE)

    def stop(self) -> None:
        """End it in order, so that it writes down what it holds."""
        self.signal(self.stop_signal)
        self._wait()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.signal(signal.SIGKILL)
        self._wait()

    def freeze(self) -> None:
        """Let it do nothing at all: connections stay, answers do not come."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def revive(self) -> None:
        """Make it serve again, whatever became of it."""
        self.thaw()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of it."""
        if self.process is not None and self.running:
            os.killpg(self.process.pid, number)

    def _wait(self) -> None:
        if self.process is not None:
            self.process.wait(PATIENCE)

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:] if self.log.exists() else ""


def speaks(port: int, question: bytes, answer: bytes) -> bool:
    """Whether what listens on a port answers some bytes with what begins as expected."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(question)
            return connection.recv(len(answer)).startswith(answer)
    except OSError:
        return False
