"""What a setting of a secret kind stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from taskman_authz.errors import AuthzError
from taskman_authz.limits import DEFAULT

from ..kept import read_file

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from .vault import Vault

FILE, VAULT = "file:", "vault:"
_IN_VAULT = re.compile(r"vault:([^/#]+)/([^#]+)#(.+)")

# Seconds between looks at a file.
LOOK = 1.0


class Source(NamedTuple):
    """What reads a secret (it may block; raises AuthzError), and how often to."""

    read: Callable[[], bytes]
    interval: float  # seconds


class Secrets:
    """Finds what reads secrets; those of Vault every `interval` seconds. `vault` is there once one
    rests in it."""

    def __init__(self, interval: float, log: FilteringBoundLogger) -> None:
        self.vault: Vault | None = None
        self._interval = interval
        self._log = log

    def source(self, place: str, told: str) -> Source:
        """The source of what the setting at `place` told. Raises AuthzError where there can be
        none."""
        if told.startswith(VAULT):
            return Source(self._in_vault(place, told), self._interval)
        if told.startswith(FILE):
            return self.file(place, Path(told.removeprefix(FILE)))
        data = told.encode("utf-8")
        return Source(lambda: data, self._interval)

    def file(self, place: str, path: Path) -> Source:
        """The source of what rests in a file."""
        return Source(lambda: read_file(place, path, DEFAULT.certificate_bytes), LOOK)

    def _in_vault(self, place: str, told: str) -> Callable[[], bytes]:
        found = _IN_VAULT.fullmatch(told)
        if found is None:
            raise AuthzError(f"{place}: expected `vault:mount/path#key`")
        if self.vault is None:
            try:
                from .vault import Vault
            except ModuleNotFoundError as error:
                raise AuthzError(
                    f"{place}: needs `{error.name}`: pip install 'taskman-authz[vault]'"
                ) from None
            self.vault = Vault(self._log)
        vault = self.vault
        mount, path, key = found.groups()
        return lambda: vault.read(f"{place} {told}", mount, path, key)
