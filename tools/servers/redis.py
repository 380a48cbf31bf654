"""Redis: everything is appended to a file, so that it comes back with what it held."""

from __future__ import annotations

import shutil

from .processes import Server, ServerError, speaks


def program() -> str | None:
    """The server's program, of Redis or of Valkey, which speaks the same."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class Redis(Server):
    """A Redis server without a password."""

    name = "redis"

    def url(self, database: int = 0) -> str:
        """How to connect."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def empty(self) -> None:
        """Forget everything."""
        if not speaks(self.port, b"FLUSHALL\r\n", b"+OK"):
            raise ServerError("redis: it did not forget")

    def prepare(self) -> None:
        """Nothing: it makes its files itself."""

    def command(self) -> list[str]:
        found = program()
        if found is None:
            raise ServerError("there is no Redis here (no `redis-server`)")
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "daemonize": "no",
        }
        return [found, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def answers(self) -> bool:
        return speaks(self.port, b"PING\r\n", b"+PONG")
