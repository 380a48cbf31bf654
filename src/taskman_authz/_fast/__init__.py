"""The compiled core: where a policy that was prepared meets a question that was asked.

Begin with `values` (what a value is, and the value that an error is), then `tree` (an expression),
`nodes` (what a planned expression runs as) and `decide` (how rows become one effect).

Every module with a `.pxd` beside it is one source with two speeds: Cython compiles the `.py` with
the header's types, and uncompiled the same file gives the same answers. `twin()` says which runs.
The exception is `native`, a few functions that stand in C in its headers.

Laws: the core imports nothing of the house but itself. All of it is compiled or none of it is: a
mixture, or libraries older than their sources, is refused here in words, because it would fail
later without any. So is an interpreter without its global lock, which the spare activations rely
on. `TASKMAN_AUTHZ_PURE=1` takes the plain twin even where the compiled one exists.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

__all__ = ["COMPILED", "modules", "twin"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_NATIVE = "native"  # its headers are compiled into the modules that read them
_REMEDY = (
    "build it again with `make build`, delete the libraries with `make clean`, or set "
    "TASKMAN_AUTHZ_PURE=1 to use the plain Python twin"
)


class _PlainFinder:
    """Finds the core's modules as Python source, before the import system finds a library."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, module = name.rpartition(".")
        if package != __name__:
            return None
        source = os.path.join(_FOLDER, f"{module}.py")
        if not os.path.exists(source):
            return None
        return spec_from_file_location(name, source)


def modules(folder: str = _FOLDER) -> dict[str, str]:
    """Every module of the core that has a header, with the file name of its library or ""."""
    names = set(os.listdir(folder))
    headers = sorted(name[:-4] for name in names if name.endswith(".pxd"))
    return {
        header: next((header + s for s in EXTENSION_SUFFIXES if header + s in names), "")
        for header in headers
    }


def _is_built(folder: str, checkout: bool) -> bool:
    """Whether the core in `folder` is compiled. Raises ImportError where it is so only in part,
    or, in a `checkout`, where a source was changed after it was compiled. (Elsewhere the times
    of files are the installer's, and say nothing.)"""
    found = modules(folder)
    missing = sorted(name for name, library in found.items() if not library)
    if len(missing) == len(found):
        return False
    if missing:
        raise ImportError(
            f"the compiled core of taskman_authz is half built: {', '.join(missing)} "
            f"in {folder} not compiled, the others are; {_REMEDY}"
        )
    stale = _newer(folder, found) if checkout else []
    if stale:
        raise ImportError(
            f"the compiled core of taskman_authz is stale: {', '.join(stale)} in {folder} changed "
            f"after it was compiled; {_REMEDY}"
        )
    return True


def _newer(folder: str, found: dict[str, str]) -> list[str]:
    """Sources newer than the oldest library: a header's change reaches every module that reads
    it, so the build stamps all libraries with one time and this compares with that."""

    def changed(name: str) -> int:
        return os.stat(os.path.join(folder, name)).st_mtime_ns

    built = min(changed(library) for library in found.values())
    sources = [name + suffix for name in found for suffix in (".py", ".pxd")]
    native = os.path.join(folder, _NATIVE)
    if os.path.isdir(native):
        headers = [name for name in os.listdir(native) if name.endswith(".pxd")]
        sources += [os.path.join(_NATIVE, name) for name in headers]
    return [name for name in sources if changed(name) > built]


def _require_lock(is_enabled: Callable[[], bool] | None) -> None:
    """Raises ImportError under an interpreter whose threads run at once. `is_enabled` is what says
    so, from Python 3.13 on."""
    if is_enabled is not None and not is_enabled():
        raise ImportError(
            "taskman_authz needs the global interpreter lock, which this free-threaded Python runs "
            "without; set PYTHON_GIL=1, or use a Python that has it"
        )


def _is_checkout(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "..", "..", "..", "setup.py"))


_require_lock(getattr(sys, "_is_gil_enabled", None))
if os.environ.get("TASKMAN_AUTHZ_PURE") == "1":
    COMPILED = False
    sys.meta_path.insert(0, _PlainFinder)
else:
    COMPILED = _is_built(_FOLDER, _is_checkout(_FOLDER))


def twin() -> str:
    """Which of the two runs: `compiled` or `pure`."""
    return "compiled" if COMPILED else "pure"
