"""PostgreSQL: a cluster of its own, whose superuser is `postgres` and who asks for no password.

Law: it refuses to be run by root, so then the package's own user runs it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import struct
import subprocess
from pathlib import Path

from .processes import Server, ServerError, speaks

SUPERUSER = "postgres"
STARTUP = b"user\0postgres\0database\0postgres\0\0"
GREETING = struct.pack("!ii", 8 + len(STARTUP), 196_608) + STARTUP  # protocol 3.0


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`: the newest of Debian's, or that of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _version(initdb: Path) -> int:
    number = initdb.parts[-3]
    return int(number) if number.isdecimal() else 0


class PostgreSQL(Server):
    """A PostgreSQL cluster. Tests need no durability: it never waits for a disk."""

    name = "postgresql"
    stop_signal = signal.SIGINT  # "fast": rolls transactions back and closes connections

    def dsn(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """How to connect."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        self._run("createdb", "--template", "template0", name)

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._run("dropdb", "--force", name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs() / program), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--username", SUPERUSER, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise ServerError(f"postgresql: {done.stderr.strip()}")

    def prepare(self) -> None:
        user = self.user()
        if user is not None:
            shutil.chown(self.folder, user, user)
        made = self.spawn(
            [
                *(str(self._programs() / "initdb"), "--pgdata", str(self.folder / "data")),
                *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
                *("--no-locale", "--no-sync"),
            ],
            self.log,
        )
        if made.wait(60):
            raise ServerError(f"initdb failed:\n{self._last_words()}")

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "port": str(self.port),
            "fsync": "off",
            "max_connections": "100",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs() / "postgres"), "-D", str(self.folder / "data"), *options]

    def answers(self) -> bool:
        return speaks(self.port, GREETING, b"R")  # "R": it authenticates, so it serves

    def user(self) -> str | None:
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError as error:
            raise ServerError("root cannot run PostgreSQL, and there is no user `postgres`") from (
                error
            )

    # The processes of its connections have groups of their own. They are told before their parent
    # is gone, or before it goes on.

    def kill(self) -> None:
        children = self._children()
        super().kill()
        _tell(children, signal.SIGKILL)

    def freeze(self) -> None:
        super().freeze()  # first, or it would start more of them
        _tell(self._children(), signal.SIGSTOP)

    def thaw(self) -> None:
        _tell(self._children(), signal.SIGCONT)
        super().thaw()

    def _children(self) -> list[int]:
        if self.process is None or not self.running:
            return []
        listed = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid="], capture_output=True, text=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def _programs(self) -> Path:
        found = programs()
        if found is None:
            raise ServerError("there is no PostgreSQL here (no `initdb`)")
        return found


def _tell(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(pid, number)
