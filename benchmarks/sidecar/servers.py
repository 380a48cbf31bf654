"""Who answers: each server a process group of its own, paused while another one is measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from tests.sidecar.authority import Authority

from ..cases import Decision
from ..peers import Cannot, cerbos, ours
from .questions import Question

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


@dataclass
class Server:
    """A server that answers at a port of the loopback."""

    process: subprocess.Popen[bytes]
    port: int
    root: bytes | None = None  # of its certificate, in PEM; None: it speaks in plain
    reply_bytes: int = 0  # of the question that it was asked last

    @property
    def pid(self) -> int:
        """Of the process that was started; it may have children."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Where it is asked, without a path."""
        return f"{'http' if self.root is None else 'https'}://127.0.0.1:{self.port}"

    def channel(self) -> grpc.Channel:
        """A connection to it."""
        target = f"127.0.0.1:{self.port}"
        if self.root is None:
            return grpc.insecure_channel(target)
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(self.root))

    @contextmanager
    def running(self) -> Iterator[None]:
        """It runs in here, and stands still before and after."""
        os.killpg(self.pid, signal.SIGCONT)
        try:
            yield
        finally:
            os.killpg(self.pid, signal.SIGSTOP)

    def ask(self, question: Question) -> bytes:
        """The reply, checked. Raises Cannot where it is not the right one."""
        with self.channel() as channel:
            method: Callable[..., bytes] = channel.unary_unary(question.path, None, None)
            try:
                reply = method(question.data, timeout=60, wait_for_ready=True)
            except grpc.RpcError as error:
                raise Cannot(f"answers {error.code().name}: {error.details()}") from None
        if not question.is_right(reply):
            raise Cannot("answers something else than was expected")
        self.reply_bytes = len(reply)
        return reply

    def end(self) -> None:
        """Kill it and its children; nothing here has anything to lose."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def start_echo(reply: bytes) -> Server:
    """The bare server, with this reply."""
    (port,) = cerbos.free_ports(1)
    return _start(port, [sys.executable, "-m", "benchmarks.sidecar.echo", str(port), reply.hex()])


def start_ours(
    case: Decision,
    folder: Path,
    transport: str = "fast",
    tls: bool = False,
    workers: int = 1,
    options: Sequence[str] = (),
) -> Server:
    """Our sidecar with the policies of a case. Raises Cannot where it has not the transport."""
    path = folder / f"{case.name}.yaml"
    path.write_text(json.dumps({"policies": ours.policies(case.rules)}))
    (port,) = cerbos.free_ports(1)
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies", str(path)]
    command += ["--transport", transport, "--log-level", "error"]
    command += ["--workers", str(workers), *options]
    root = None
    if tls:
        authority = Authority()
        command += authority.issue().write(folder)
        root = authority.pem
    return _start(port, [*command, "--listen", f"127.0.0.1:{port}"], root)


def start_cerbos(case: Decision, folder: Path) -> Server:
    """Cerbos with the same policies. Raises Cannot where it cannot be had."""
    policies = Path(tempfile.mkdtemp(dir=folder))
    cerbos.write_policies(case, policies)
    http_port, port = cerbos.free_ports(2)
    return _start(port, cerbos.command(policies, http_port, port))


def _start(port: int, command: Sequence[str], root: bytes | None = None) -> Server:
    # Cerbos logs every call that h2load leaves when its time is over.
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdout=quiet, stderr=quiet, cwd=ROOT, start_new_session=True
    )
    server = Server(process, port, root)
    until = time.monotonic() + START_SECONDS
    with server.channel() as channel:
        ready = grpc.channel_ready_future(channel)
        while True:
            try:
                ready.result(timeout=0.2)
                return server
            except grpc.FutureTimeoutError:
                if process.poll() is None and time.monotonic() < until:
                    continue
                server.end()
                raise Cannot(f"is not ready within {START_SECONDS} s, or ended") from None
