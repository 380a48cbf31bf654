"""The servers of one run, each started when it is first asked for."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from . import postgresql, rabbitmq, redis
from .postgresql import PostgreSQL
from .processes import Server
from .rabbitmq import RabbitMQ
from .redis import Redis

PACKAGES = "postgresql redis-server rabbitmq-server"


def missing() -> list[str]:
    """What this machine has not, in words; empty where all of them can be started."""
    found = {
        "setpriv (package util-linux)": shutil.which("setpriv"),
        "PostgreSQL (package postgresql)": postgresql.programs(),
        "Redis (package redis-server)": redis.program(),
        "RabbitMQ (package rabbitmq-server)": rabbitmq.program(),
    }
    return [name for name, place in found.items() if place is None]


class Stack:
    """PostgreSQL, Redis and RabbitMQ in a folder, which is a new one that goes when it is closed
    unless it is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._is_temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="taskman-authz-servers-"))
        self.folder.chmod(0o755)  # the user who runs PostgreSQL goes through it
        self._postgresql = PostgreSQL(self.folder / "postgresql")
        self._redis = Redis(self.folder / "redis")
        self._rabbitmq = RabbitMQ(self.folder / "rabbitmq")

    @property
    def postgresql(self) -> PostgreSQL:
        """PostgreSQL, serving."""
        self._postgresql.revive()
        return self._postgresql

    @property
    def redis(self) -> Redis:
        """Redis, serving."""
        self._redis.revive()
        return self._redis

    @property
    def rabbitmq(self) -> RabbitMQ:
        """RabbitMQ, serving."""
        self._rabbitmq.revive()
        return self._rabbitmq

    def close(self) -> None:
        """End all of them. What is kept in a folder that was given is kept in order."""
        servers: list[Server] = [self._rabbitmq, self._redis, self._postgresql]
        for server in servers:
            server.thaw()
            server.kill() if self._is_temporary else server.stop()
        if self._is_temporary:
            self.remove()

    def remove(self) -> None:
        """Delete all that they wrote."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
