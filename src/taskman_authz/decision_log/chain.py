"""Lines that hang together: each ends with its own hash and begins with that of the line before.

    {"previous":"<hash of the line before>", ..., "hash":"<SHA-256 of this line without this part>"}

Laws: a line that is changed, moved, inserted or taken out breaks the chain, over files as well. A
line that a crash tore does not, where the next one follows its bytes. (Who cuts lines off the end
leaves a whole chain, and who can write all lines can write another: keep the last hash elsewhere.)
A hash is 64 hexadecimal digits; the first line of a chain follows `START`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import ArgumentError
from ..limits import DEFAULT, Limits

START = "0" * 64
_HASH = re.compile("[0-9a-f]{64}")
_BEGIN = re.compile(rb'\{"previous":"([0-9a-f]{64})",')
_END = re.compile(rb',"hash":"([0-9a-f]{64})"\}\Z')
_BLOCK = 65_536  # bytes that are read at once
_AROUND = 65_536  # bytes of a line besides its attributes: names, reasons, hashes


def chained(record: bytes, previous: str) -> tuple[bytes, str]:
    """The line of a JSON object that follows the line with the hash `previous`, and its hash."""
    begun = b'{"previous":"%b",%b' % (previous.encode(), record[1:])
    found = hashlib.sha256(begun).hexdigest()
    return b'%b,"hash":"%b"}\n' % (begun[:-1], found.encode()), found


class Break(NamedTuple):
    """The first line that does not hang together with those before it."""

    file: str
    line: int  # from 1
    why: str


class Verification(NamedTuple):
    """What was found: how many lines hang together, the hashes at both ends, the first break."""

    lines: int
    first: str  # what the first line follows: START, or the last hash of an earlier file
    last: str
    broken: Break | None
    torn: int = 0  # of the lines: those that a crash tore, and that were followed


class _Line(NamedTuple):
    """What a line follows, its own hash, what is wrong with it by itself, and whether that may be
    because a crash tore it."""

    begin: str
    end: str
    why: str = ""
    is_torn: bool = False


_MOVED = "does not follow the line before: lines were taken out, put in, or moved"
_CUT = "is missing: no line has the hash that was kept"


def verify(
    paths: Iterable[str | os.PathLike[str]], limits: Limits = DEFAULT, *, kept: str | None = None
) -> Verification:
    """Verify files in the order in which they were written. `kept` is a hash that one of the lines
    must have, or the first one follow; without it, nobody can tell that lines were cut off the
    end. Raises OSError, and ArgumentError for a `kept` that is no hash."""
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise ArgumentError.of("paths", "a list of paths", paths)
    if kept is not None and not _HASH.fullmatch(kept):
        raise ArgumentError("kept", "a hash of 64 hexadecimal digits", f"`{kept}`")
    found = whole = Verification(0, "", "", None)
    torn: Break | None = None  # the line before, which is whole only if the next one follows it
    file, number, is_kept = "", 0, kept is None
    for file, number, line in _numbered(paths, limits.log_line_bytes + _AROUND):
        follows = found.last in ("", line.begin)
        if torn is not None and not follows:
            return whole._replace(broken=torn)
        why = line.why or ("" if follows else _MOVED)
        if why and not (line.is_torn and follows):
            return found._replace(broken=Break(file, number, why))
        torn, whole = Break(file, number, why) if why else None, found
        first, count = found.first or line.begin, found.lines + 1
        found = Verification(count, first, line.end, None, found.torn + line.is_torn)
        is_kept = is_kept or kept in (line.begin, line.end)
    if torn is not None:
        return whole._replace(broken=torn)
    return found if is_kept else found._replace(broken=Break(file, number + 1, _CUT))


def _numbered(
    paths: Iterable[str | os.PathLike[str]], most: int
) -> Iterator[tuple[str, int, _Line]]:
    """Each line of some files, with its file and its number in it."""
    for path in paths:
        with open(path, "rb") as file:
            lines = iter(lambda: file.readline(most), b"")
            for number, line in enumerate(lines, 1):
                yield os.fspath(path), number, _read(line)


def _read(line: bytes) -> _Line:
    """A line by itself. A torn one has the hash of its bytes."""
    if not line.endswith(b"\n"):
        return _Line("", "", "is torn: its end was never written")
    begin, end = _BEGIN.match(line), _END.search(line[:-1])
    if begin is None or end is None or not _is_object(line):
        why = "is no line of a decision log, or a torn one"
        return _Line(begin[1].decode() if begin else "", _digest(line[:-1]), why, begin is not None)
    found = _digest(line[: end.start()] + b"}")
    if found != end[1].decode():
        return _Line("", found, "was changed: its hash is another")
    return _Line(begin[1].decode(), found)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_object(line: bytes) -> bool:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict)


def last_hash(fd: int) -> tuple[str, bool]:
    """What the next line of an open file follows ("" where the file is empty), and whether its
    last line is whole. A torn line has no hash; what follows it follows the hash of its bytes."""
    size = os.fstat(fd).st_size
    if size == 0:
        return "", True
    tail = b""
    while size > 0 and b"\n" not in tail[:-1]:
        start = max(0, size - _BLOCK)
        tail, size = os.pread(fd, size - start, start) + tail, start
    line = tail[tail[:-1].rfind(b"\n") + 1 :]
    is_whole = line.endswith(b"\n")
    return _read(line if is_whole else line + b"\n").end, is_whole
