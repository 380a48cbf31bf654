"""`taskman-authz serve`: the sidecar, where it is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_MISSING = """\
taskman-authz: error: `serve` needs the sidecar's libraries, and {library} is not installed
  hint: pip install 'taskman-authz[sidecar]'"""


def main(arguments: list[str]) -> int:
    """Hand `arguments` to the sidecar. Returns its exit status when it stops."""
    # Looked for by name, not by catching what the import raises: an import error inside the
    # sidecar is a fault of ours and must not be told as a missing extra.
    for library in ("taskman_authz_sidecar", "grpc", "google.protobuf"):
        if not _installed(library):
            print(_MISSING.format(library=library), file=sys.stderr)
            return 2
    from taskman_authz_sidecar.__main__ import main as serve

    return int(serve(arguments) or 0)


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False
