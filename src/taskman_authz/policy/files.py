"""Policy documents on a disk: which files they are, and what is in them.

In a folder these are `*.yaml` and `*.yml` at any depth, but neither policy tests (`*_test.yaml`)
nor anything hidden. A single file is taken whatever it is called.

Laws: the order is that of the names. Reading raises `StoreError` and nothing else; of a folder in
which anything cannot be read nothing is given, because a missing policy may be one that denies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError
from ..limits import DEFAULT, Limits

SUFFIXES = (".yaml", ".yml")
TEST_ENDINGS = tuple(f"_test{suffix}" for suffix in SUFFIXES)


def find_documents(path: str | os.PathLike[str]) -> list[Path]:
    """The files of policy documents at `path`, sorted. Raises StoreError where there are none."""
    root = Path(path)
    try:
        if root.is_file():
            return [root]
        if not root.is_dir():
            raise StoreError(f"no file or folder `{root}`")
        found = sorted(_walk(root, set()))
    except OSError as error:
        raise StoreError(f"cannot read `{root}`: {_why(error)}") from error
    if not found:
        raise StoreError(f"no policy documents (*.yaml, *.yml) in `{root}`")
    return found


def read_documents(path: str | os.PathLike[str], limits: Limits = DEFAULT) -> list[tuple[str, str]]:
    """Name and text of every policy document at `path`. Raises StoreError."""
    texts: list[tuple[str, str]] = []
    problems: list[str] = []
    for file in find_documents(path):
        try:
            if file.stat().st_size > limits.document_bytes:
                problems.append(f"`{file}` is larger than {limits.document_bytes} bytes")
            else:
                texts.append((str(file), file.read_bytes().decode()))
        except OSError as error:
            problems.append(f"cannot read `{file}`: {_why(error)}")
        except UnicodeDecodeError as error:
            problems.append(f"`{file}` is no UTF-8 text: byte {error.start}")
    if problems:
        raise StoreError("\n".join(problems))
    return texts


def _walk(folder: Path, above: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link to a folder that it is in
        return
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, above | {real})
        elif entry.name.endswith(SUFFIXES) and not entry.name.endswith(TEST_ENDINGS):
            yield entry


def _why(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
