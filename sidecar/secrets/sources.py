"""What a setting of a secret kind stands for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from taskman_authz.errors import AuthzError
from taskman_authz.limits import DEFAULT

from ..kept import read_file

if TYPE_CHECKING:
    from pydantic import SecretStr

FILE = "file:"

Read = Callable[[], str]


class Secrets:
    """Finds what reads a secret."""

    def source(self, place: str, setting: SecretStr) -> Read:
        """What reads the secret that the setting at `place` names; raises AuthzError then."""
        told = setting.get_secret_value()
        if told.startswith(FILE):
            return lambda: _read_text(place, Path(told.removeprefix(FILE)))
        return lambda: told


def _read_text(place: str, path: Path) -> str:
    try:
        return read_file(place, path, DEFAULT.certificate_bytes).decode("utf-8")
    except UnicodeDecodeError:
        raise AuthzError(f"{place} {path}: expected UTF-8") from None
