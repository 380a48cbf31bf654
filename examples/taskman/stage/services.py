"""What runs: the servers, the decision point, and the services, each a process of its own.

A service is a row of `SERVICES`, and is started when those that it asks are there.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tools.servers import Stack, missing
from tools.servers.processes import free_port

from .mailbox import Mailbox

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "examples" / "taskman" / "src"
PATIENCE = 60.0  # seconds until a process must serve
AGAIN = 0.5  # seconds until what has ended is started again
END = 15.0  # seconds that it has to end in order
VHOST = "taskman"
Tell = Callable[[str], object]


class Service(NamedTuple):
    """One of them: its module, its name among peers, the number of its Redis database (as the
    architecture has them), and whom it asks."""

    module: str
    name: str
    redis: int
    peers: tuple[str, ...] = ()


SERVICES: Sequence[Service] = (
    Service("user", "user-service", 2),
    Service("task", "task-service", 4, ("user-service",)),
    Service("authentication", "authentication-service", 0, ("user-service",)),
    Service("iam_admin", "iam-admin-service", 3, ("user-service", "authorization-service")),
    Service("audit", "audit-service", 5, ("user-service",)),
    Service("notification", "notification-service", 6, ("user-service", "task-service")),
    Service(
        "gateway",
        "api-gateway",
        8,
        (
            *("user-service", "task-service", "authentication-service", "audit-service"),
            *("iam-admin-service", "notification-service"),
        ),
    ),
)


class Failed(Exception):
    """Something did not start; the text says what, and where its words are."""


class Process:
    """A process whose log is JSON lines, kept in a file too. Once it has served, it is started
    again whenever it ends, until it is told to stop."""

    def __init__(
        self, name: str, command: Sequence[str], more: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self.starts = 0
        self._command = command
        self._more = more
        self._served = self._stopping = False
        self._lock = threading.Lock()
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._start()
        threading.Thread(target=self._keep, daemon=True).start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, "PYTHONPATH": str(SOURCES), **self._more},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.starts += 1

    def _keep(self) -> None:
        with self.log.open("w", encoding="utf-8") as file:
            while True:
                for line in self._process.stdout or ():
                    file.write(line)
                    file.flush()
                    with contextlib.suppress(ValueError):
                        self._said.put(json.loads(line))
                self._process.wait()
                self._said.put(None)
                if self._served:
                    time.sleep(AGAIN)
                with self._lock:
                    if self._stopping or not self._served:
                        return
                    self._start()

    def kill(self) -> None:
        """End it at once, as a machine that fails does; it is started again."""
        self._process.kill()

    def wait_for(self, message: str) -> dict[str, Any]:
        """What it says with a message. Raises Failed where it ends before, or takes long."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                said = self._said.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self.name} does not serve after {PATIENCE:.0f} s") from None
            if said is None:
                raise Failed(f"{self.name} ended before it served: {self._last_words()}")
            if said.get("message") == message:
                self._served = True
                return said

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return lines[-1] if lines else "without a word"

    def tell_to_stop(self) -> None:
        """Have it end in order."""
        with self._lock:
            self._stopping = True
            self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended; at last end it."""
        try:
            self._process.wait(END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Running(NamedTuple):
    """What is there: the gateway's URL, how to reach the servers, where logs are, and the mail
    that is sent."""

    url: str
    amqp_url: str
    dsns: Mapping[str, str]  # of the services' databases, by their modules
    logs: Path
    mailbox: Mailbox
    servers: Stack
    processes: Mapping[str, Process]  # by name


@contextlib.contextmanager
def running(port: int, tell: Tell) -> Iterator[Running]:
    """Everything, until the end. Raises Failed."""
    lacking = missing()
    if lacking:
        raise Failed(f"missing here: {', '.join(lacking)} (as root, `make taskman` installs them)")
    with contextlib.ExitStack() as stack:
        tell("starting PostgreSQL, Redis and RabbitMQ")
        servers = stack.enter_context(Stack())
        logs = servers.folder / "logs"
        logs.mkdir()
        postgresql, redis, rabbitmq = servers.postgresql, servers.redis, servers.rabbitmq
        rabbitmq.api("PUT", f"vhosts/{VHOST}")

        started: list[Process] = []
        stack.callback(_end, started)

        def begin(name: str, command: Sequence[str], more: Mapping[str, str]) -> Process:
            made = Process(name, [sys.executable, "-m", *command], more, logs / f"{name}.log")
            started.append(made)
            return made

        tell("putting policies/taskman into a database, and starting the decision point")
        postgresql.create_database("authz_db")
        token = secrets.token_hex(16)
        dsn = postgresql.dsn("authz_db")
        decides, administers = _decision_points(begin, dsn, rabbitmq.url(VHOST), token)
        addresses = {"authorization-service": administers}
        mailbox = stack.enter_context(Mailbox())
        signs = _somewhere()  # where authentication says its public keys
        common = {
            "TASKMAN_AUTHZ": f"sidecar:{decides}",
            "TASKMAN_AMQP_URL": rabbitmq.url(VHOST),
            "TASKMAN_JWKS_URL": f"http://{signs}/.well-known/jwks.json",
            "TASKMAN_SERVICE_SECRET": secrets.token_hex(32),
            "TASKMAN_STOP_GRACE": "2",
            "TASKMAN_KEY_SECRET": secrets.token_hex(32),
            "TASKMAN_AUTHZ_TOKEN": token,
            "TASKMAN_SMTP_URL": mailbox.url,
            "TASKMAN_WEBHOOK_KEY": secrets.token_hex(32),
            "TASKMAN_PUSH_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        door = f"127.0.0.1:{port}" if port else _somewhere()
        http = {"authentication": signs, "gateway": door}
        for each in SERVICES:
            tell(f"starting {each.name}")
            postgresql.create_database(f"{each.module}_db")
            settings = common | {
                "TASKMAN_POSTGRES_DSN": postgresql.dsn(f"{each.module}_db"),
                "TASKMAN_REDIS_URL": redis.url(each.redis),
                "TASKMAN_PEERS": json.dumps({peer: addresses[peer] for peer in each.peers}),
                "TASKMAN_LISTEN": _somewhere(),
                "TASKMAN_HTTP_LISTEN": http.get(each.module, "127.0.0.1:0"),
            }
            serving = begin(each.name, ["taskman", each.module], settings).wait_for("Serving")
            addresses[each.name] = serving.get("grpc", "")
        url = f"http://{serving['http']}"
        dsns = {each.module: postgresql.dsn(f"{each.module}_db") for each in SERVICES}
        processes = {each.name: each for each in started}
        yield Running(url, rabbitmq.url(VHOST), dsns, logs, mailbox, servers, processes)


def _decision_points(
    begin: Callable[[str, Sequence[str], Mapping[str, str]], Process],
    dsn: str,
    amqp_url: str,
    token: str,
) -> tuple[str, str]:
    """Where decisions are asked for, and where policies are administered: who administers proves
    who it is by the token, so that is a point of its own; both have one database."""
    _run("taskman_authz.cli", "db", "migrate", "--dsn", dsn)
    policies = str(ROOT / "policies" / "taskman")
    _run("taskman_authz.cli", "db", "import", policies, "--dsn", dsn)
    point = ["taskman_authz_sidecar", "--log-format", "json"]
    point += ["--database", dsn, "--amqp", amqp_url, "--listen"]
    trusted = ["--administration", "true", "--administration-callers", "token:iam"]
    secret = {"TASKMAN_AUTHZ_TOKENS": f"iam {token}"}
    decides = begin("authorization-service", [*point, _somewhere(), "--relay", "true"], {})
    administers = begin("policy-administration", [*point, _somewhere(), *trusted], secret)
    first, second = (each.wait_for("serving")["listen"][0] for each in (decides, administers))
    return first, second


def _somewhere() -> str:
    """An address that stays the same when a process is started again."""
    return f"127.0.0.1:{free_port()}"


def _end(processes: Sequence[Process]) -> None:
    """End all, those that ask others first."""
    for each in reversed(processes):
        each.tell_to_stop()
    for each in reversed(processes):
        each.wait()


def _run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise Failed(f"{' '.join(command[:3])}: {done.stderr.strip()}")
