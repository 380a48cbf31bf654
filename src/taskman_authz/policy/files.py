"""Policy documents on a disk: which files they are, and what is in them.

In a folder these are `*.yaml` and `*.yml` at any depth, but neither policy tests (`*_test.yaml`)
and their fixtures (`*_fixtures.yaml`) nor anything hidden. A single file is taken whatever it is
called. A `schema.yaml` is among them: the compiler knows it by its name.

Laws: the order is that of the names. Reading raises `StoreError` and nothing else; of a folder in
which anything cannot be read nothing is given, because a missing policy may be one that denies.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import StoreError
from ..issues import Issue, Place
from ..limits import DEFAULT, Limits

SUFFIXES = (".yaml", ".yml")
BUNDLE_SUFFIX = ".bundle"
TEST_ENDINGS = tuple(f"_{kind}{suffix}" for kind in ("test", "fixtures") for suffix in SUFFIXES)


def is_bundle(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a bundle (`bundle`), by its name."""
    return os.fspath(path).endswith(BUNDLE_SUFFIX)


def find_documents(path: str | os.PathLike[str]) -> list[Path]:
    """The files of policy documents at `path`, sorted. Raises StoreError where there are none."""
    found = find_files(path)
    if not found:
        raise StoreError(f"no policy documents (*.yaml, *.yml) in `{Path(path)}`")
    return found


def find_files(path: str | os.PathLike[str], others: tuple[str, ...] = ()) -> list[Path]:
    """The files of policy documents at `path` and those that end in one of `others`, sorted. Raises
    StoreError where `path` is nothing or cannot be read."""
    root = Path(path)
    try:
        if root.is_file():
            return [root]
        if not root.is_dir():
            raise StoreError(f"no file or folder `{root}`")
        return sorted(_walk(root, set(), SUFFIXES + others))
    except OSError as error:
        raise StoreError(f"cannot read `{root}`: {_why(error)}") from error


def read_documents(path: str | os.PathLike[str], limits: Limits = DEFAULT) -> list[tuple[str, str]]:
    """Name and text of every policy document at `path`. Raises StoreError."""
    texts, issues = read_what_can_be(path, limits)
    if issues:
        raise StoreError("\n".join(issue.message for issue in issues))
    return texts


def read_what_can_be(
    path: str | os.PathLike[str], limits: Limits = DEFAULT
) -> tuple[list[tuple[str, str]], list[Issue]]:
    """Name and text of every policy document at `path` that can be read, and why others cannot."""
    texts: list[tuple[str, str]] = []
    issues: list[Issue] = []
    try:
        for file in find_documents(path):
            try:
                texts.append((str(file), read_text(file, limits)))
            except StoreError as error:
                issues.append(unreadable(file, error))
    except StoreError as error:
        issues.append(unreadable(path, error))
    return texts, issues


def read_text(file: Path, limits: Limits = DEFAULT) -> str:
    """The text of a file. Raises StoreError."""
    if is_bundle(file):
        raise StoreError(f"`{file}` is a bundle, whose policies are compiled already")
    try:
        return read_bytes(file, limits.document_bytes).decode()
    except UnicodeDecodeError as error:
        raise StoreError(f"`{file}` is no UTF-8 text: byte {error.start}") from error


def read_bytes(file: Path, most: int) -> bytes:
    """The bytes of a file that has at most so many. Raises StoreError."""
    try:
        if file.stat().st_size > most:
            raise StoreError(f"`{file}` is larger than {most} bytes")
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read `{file}`: {_why(error)}") from error


def unreadable(path: str | os.PathLike[str], error: StoreError) -> Issue:
    """That a file cannot be read, as an issue among others."""
    return Issue(Place(str(path)), "unreadable", str(error))


def fingerprint(files: Callable[[], Iterable[Path]]) -> str:
    """A text that is another one once a file was added, removed or written, told from names, sizes,
    times and inodes, without reading; also when they cannot be found any more. Never raises."""
    digest = hashlib.sha256()
    try:
        for file in files():
            state = file.stat()
            parts = (str(file), state.st_ino, state.st_size, state.st_mtime_ns)
            digest.update(repr(parts).encode())
    except (StoreError, OSError) as error:
        digest.update(type(error).__name__.encode())
    return digest.hexdigest()


def _walk(folder: Path, above: set[Path], endings: tuple[str, ...]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link to a folder that it is in
        return
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, above | {real}, endings)
        elif entry.name.endswith(endings) and not entry.name.endswith(TEST_ENDINGS):
            yield entry


def _why(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
