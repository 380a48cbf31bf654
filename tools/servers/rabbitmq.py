"""RabbitMQ: a node of its own with a port mapper of its own, and its management API.

Laws: the program below `/usr/lib/rabbitmq` is run, not the wrapper that the system's service is run
by; it replaces its shell, so that a signal reaches the node itself. Nothing is read from `/etc`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .processes import Server, ServerError, free_port, speaks

USER = PASSWORD = "guest"  # of this node, which listens on the loopback only
HEADER = b"AMQP\0\0\x09\x01"
METHOD = b"\x01\0\0"  # the frame of Connection.Start


def program() -> Path | None:
    """The newest server's program."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return found[-1] if found and shutil.which("epmd") else None


class RabbitMQ(Server):
    """A RabbitMQ node."""

    name = "rabbitmq"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.management_port = free_port()
        self.distribution_port = free_port()
        self.mapper_port = free_port()
        self.mapper: subprocess.Popen[bytes] | None = None

    def url(self, vhost: str = "/") -> str:
        """How to connect to a virtual host."""
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the management API: `api("PUT", "vhosts/one")`. Raises ServerError."""
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.management_port}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                said = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise ServerError(f"rabbitmq: {method} {path}: {error}") from error
        return json.loads(said) if said else None

    def prepare(self) -> None:
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text("OF-THIS-FOLDER")
        cookie.chmod(0o400)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.management_port}\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def command(self) -> list[str]:
        found = program()
        if found is None:
            raise ServerError("there is no RabbitMQ here (no `rabbitmq-server`, or no `epmd`)")
        return [str(found)]

    def environment(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder),
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell stays between us and the node
            "RABBITMQ_NODENAME": f"node{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # Waiting threads that spin would take the machine from those who work.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
            "ERL_EPMD_PORT": str(self.mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def start(self) -> None:
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".erlang.cookie").exists():
            self.prepare()
        if self.mapper is None or self.mapper.poll() is not None:
            self.mapper = self.spawn(["epmd"], self.folder / "epmd.log")
        super().start()
        self.wait_until(self._is_managed, "the management API does not answer")

    def answers(self) -> bool:
        return speaks(self.port, HEADER, METHOD)

    def _is_managed(self) -> bool:
        return speaks(self.management_port, b"GET / HTTP/1.0\r\n\r\n", b"HTTP")

    def stop(self) -> None:
        super().stop()
        self._end_mapper()

    def kill(self) -> None:
        super().kill()
        self._end_mapper()

    def _end_mapper(self) -> None:
        if self.mapper is not None and self.mapper.poll() is None:
            os.killpg(self.mapper.pid, signal.SIGKILL)
            self.mapper.wait()
