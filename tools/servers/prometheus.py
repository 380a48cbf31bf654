"""Prometheus: scrapes what its configuration names, and is asked over HTTP."""

from __future__ import annotations

import json
import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from .processes import PATIENCE, Server, ServerError


def program() -> str | None:
    """The server's program; `promtool` comes with it."""
    return shutil.which("prometheus") if shutil.which("promtool") else None


class Prometheus(Server):
    """A Prometheus with the configuration of a file."""

    name = "prometheus"

    def __init__(self, folder: Path, configuration: Path) -> None:
        super().__init__(folder)
        self._configuration = configuration

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        query = urllib.parse.urlencode(parameters)
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> float | None:
        """What a query comes to now; None where it finds nothing."""
        found = self.get("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def prepare(self) -> None:
        """Nothing: it makes its files itself."""

    def command(self) -> list[str]:
        found = program()
        if found is None:
            raise ServerError("there is no Prometheus here (no `prometheus`)")
        return [
            found,
            f"--config.file={self._configuration}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def answers(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self.port}/-/ready"
            with urllib.request.urlopen(address, timeout=PATIENCE):
                return True
        except OSError:
            return False
