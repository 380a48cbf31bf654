"""Which files are policy tests."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

SUFFIXES = ("_test.yaml", "_test.yml")


def find_test_files(paths: Iterable[str]) -> list[str]:
    """The test files among `paths`, in the order of their names: a file is one whatever its name,
    a folder stands for every `*_test.yaml` in it and below, hidden folders left out.

    Raises OSError for a path that is not there.
    """
    found: set[str] = set()
    for path in paths:
        if os.path.isdir(path):
            found.update(_below(path))
        elif os.path.exists(path):
            found.add(os.path.normpath(path))
        else:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return sorted(found)


def _below(folder: str) -> Iterable[str]:
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.endswith(SUFFIXES):
                yield os.path.normpath(os.path.join(parent, name))


def _raise(error: OSError) -> None:
    raise error
