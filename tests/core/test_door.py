"""The core's door: which twin runs, and what it says of a core that is not whole."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from taskman_authz import _fast

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
OLD, NEW = 1_000_000_000, 2_000_000_000  # seconds since the epoch


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """A checkout with a core of two modules, `one` and `two`, and the real door."""
    (tmp_path / "setup.py").touch()
    folder = tmp_path / "src" / "house" / "_fast"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    shutil.copy(str(_fast.__file__), folder)
    for name in ("one", "two"):
        for suffix in (".py", ".pxd"):
            (folder / (name + suffix)).touch()
            os.utime(folder / (name + suffix), (OLD, OLD))
    return folder


def compile_(core: Path, *names: str, when: int = NEW) -> None:
    """Put a library (an empty one: nothing imports it) beside each module."""
    for name in names:
        (core / (name + SUFFIX)).touch()
        os.utime(core / (name + SUFFIX), (when, when))


def ask(core: Path, program: str, pure: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a program that imports `house._fast` in an interpreter of its own."""
    environment = dict(
        os.environ, PYTHONPATH=str(core.parents[1]), TASKMAN_AUTHZ_PURE="1" if pure else ""
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )


TWIN = "from house._fast import COMPILED, twin; print(twin(), COMPILED)"


def test_core_without_libraries_is_pure(core: Path):
    assert ask(core, TWIN).stdout == "pure False\n"


def test_an_interpreter_without_its_lock_is_refused_in_words():
    _fast._require_lock(None)
    _fast._require_lock(lambda: True)
    with pytest.raises(ImportError, match="free-threaded Python"):
        _fast._require_lock(lambda: False)


def test_core_with_all_libraries_is_compiled(core: Path):
    compile_(core, "one", "two")
    assert ask(core, TWIN).stdout == "compiled True\n"


def test_environment_forces_the_plain_twin_where_libraries_exist(core: Path):
    compile_(core, "one", "two")
    told = ask(core, f"{TWIN}; import house._fast.one as one; print(one.__file__)", pure=True)
    assert told.stdout == f"pure False\n{core / 'one.py'}\n"


def test_half_built_core_is_refused_in_words(core: Path):
    compile_(core, "one")
    told = ask(core, TWIN)
    assert told.returncode == 1
    assert "ImportError: the compiled core of taskman_authz is half built: two in" in told.stderr
    assert "TASKMAN_AUTHZ_PURE=1" in told.stderr


@pytest.mark.parametrize("source", ["one.py", "two.pxd", "native/__init__.pxd"])
def test_stale_core_is_refused_in_words(core: Path, source: str):
    (core / "native").mkdir()
    (core / "native" / "__init__.pxd").touch()
    os.utime(core / "native" / "__init__.pxd", (OLD, OLD))
    compile_(core, "one", "two")
    os.utime(core / source, (NEW + 1, NEW + 1))
    told = ask(core, TWIN)
    assert told.returncode == 1
    assert f"ImportError: the compiled core of taskman_authz is stale: {source} in" in told.stderr


def test_plain_twin_needs_no_whole_core(core: Path):
    compile_(core, "one")
    assert ask(core, TWIN, pure=True).stdout == "pure False\n"


def test_times_say_nothing_of_an_installed_core(core: Path):
    (core.parents[2] / "setup.py").unlink()
    compile_(core, "one", "two", when=OLD - 1)
    assert ask(core, TWIN).stdout == "compiled True\n"


def test_library_of_another_python_does_not_count(core: Path):
    (core / "one.cpython-27-x86_64-linux-gnu.so").touch()
    assert ask(core, TWIN).stdout == "pure False\n"


def test_this_core_is_whole():
    libraries = _fast.modules().values()
    assert _fast.twin() == ("compiled" if _fast.COMPILED else "pure")
    assert all(libraries) if _fast.COMPILED else True
