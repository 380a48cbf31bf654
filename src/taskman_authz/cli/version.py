"""The line that `--version` prints."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from .._fast import twin


def version_line() -> str:
    """`taskman-authz 0.1.0 (compiled core, Python 3.11.2)`."""
    try:
        number = version("taskman-authz")
    except PackageNotFoundError:
        number = "(not installed)"
    return f"taskman-authz {number} ({twin()} core, Python {platform.python_version()})"
