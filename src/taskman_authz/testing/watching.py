"""Whether the files that a run reads have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

State = frozenset[tuple[str, int, int]]  # name, size, time of the last change in nanoseconds
SUFFIXES = (".yaml", ".yml")


def watched_files(paths: Iterable[str]) -> State:
    """The state of every YAML file in the folders of some paths, and in theirs: tests, policies and
    fixtures stand beside each other. Two states are equal if nothing has changed."""
    folders = {path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths}
    return frozenset(_files(folders))


def _files(folders: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    for folder in folders:
        for path in Path(folder).rglob("*"):
            if path.suffix in SUFFIXES:
                try:
                    found = path.stat()
                except OSError:  # it went away meanwhile
                    continue
                yield str(path), found.st_size, found.st_mtime_ns
