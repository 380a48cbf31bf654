"""Start the product as the README says, see it answer, stop it as a person would.

    python tools/smoke.py

`make run` on a free port; both sample decisions printed; grpc.health.v1 says SERVING; then the
server is interrupted and must end with status 0. Nothing here sleeps for a fixed time: it polls
until the deadline, and on failure shows everything that was printed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).resolve().parent.parent
DEADLINE = 120.0  # seconds for all of it; a built checkout needs a few
EXPECTED = {"an allowed decision": r"\ballow(ed)?\b", "a denied decision": r"\b(deny|denied)\b"}


class Failed(Exception):
    """What did not happen in time."""


class Product:
    """`make run` as a child process, with its output collected as it comes."""

    def __init__(self, listen: str) -> None:
        self.deadline = time.monotonic() + DEADLINE
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            ["make", "run", f"LISTEN={listen}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def left(self) -> float:
        """Seconds until the deadline, never less than a moment."""
        return max(0.01, self.deadline - time.monotonic())

    def wait_for_output(self, expected: dict[str, str]) -> None:
        """Read lines until each pattern was seen."""
        missing = dict(expected)
        while missing:
            try:
                line = self.lines.get(timeout=self.left())
            except queue.Empty:
                raise Failed(f"not printed in time: {', '.join(missing)}") from None
            if line is None:
                raise Failed(f"ended without printing: {', '.join(missing)}")
            self.printed.append(line)
            missing = {k: v for k, v in missing.items() if not re.search(v, line.lower())}

    def server(self) -> int:
        """The process id of make's only child, which is the server once it has printed."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            return int(pid)
        raise Failed("the server is gone")

    def interrupt(self) -> int:
        """Interrupt the server; the status that `make run` ends with."""
        os.kill(self.server(), signal.SIGINT)
        try:
            return self.process.wait(self.left())
        except subprocess.TimeoutExpired:
            raise Failed("it did not end after an interrupt") from None

    def end(self) -> None:
        """Whatever happened, leave nothing running."""
        if self.process.poll() is None:
            with contextlib.suppress(Failed, OSError):  # make may be between two commands
                os.kill(self.server(), signal.SIGKILL)
            self.process.terminate()
            self.process.wait()
        while (line := self.lines.get()) is not None:
            self.printed.append(line)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_serving(listen: str, product: Product) -> None:
    """Watch grpc.health.v1 until it says SERVING."""
    with grpc.insecure_channel(listen) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            updates = stub.Watch(
                health_pb2.HealthCheckRequest(), timeout=product.left(), wait_for_ready=True
            )
            for update in updates:
                if update.status == health_pb2.HealthCheckResponse.SERVING:
                    return
        except grpc.RpcError as error:
            raise Failed(f"health is not SERVING: {error}") from error
    raise Failed("health is not SERVING")


def main() -> int:
    """Run the smoke test; 0 if all of it happened."""
    listen = f"127.0.0.1:{free_port()}"
    product = Product(listen)
    problem = ""
    try:
        product.wait_for_output(EXPECTED)
        wait_until_serving(listen, product)
        status = product.interrupt()
        if status != 0:
            problem = f"it ended with status {status} after an interrupt"
    except Failed as failure:
        problem = str(failure)
    finally:
        product.end()
    print("".join(product.printed), end="")
    print(f"smoke: {problem or 'started, answered, served, ended with status 0'}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
