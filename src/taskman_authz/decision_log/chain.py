"""Lines that hang together: each ends with its own hash and begins with that of the line before.

    {"previous":"<hash of the line before>", ..., "hash":"<SHA-256 of this line without this part>"}

Laws: a line that is changed, moved, inserted or taken out breaks the chain, over files as well.
(Whoever can write all lines can write another chain: keep the last hash elsewhere.) A hash is 64
hexadecimal digits; the first line of a chain follows `START`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..limits import DEFAULT, Limits

START = "0" * 64
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


def verify(paths: Iterable[str | os.PathLike[str]], limits: Limits = DEFAULT) -> Verification:
    """Verify files in the order in which they were written. Raises OSError."""
    count, first, last = 0, "", ""
    for path in paths:
        for number, line in enumerate(_lines(path, limits.log_line_bytes + _AROUND), 1):
            why, begin, end = _parts(line)
            if not why and last and begin != last:
                why = "does not follow the line before: lines were taken out, put in, or moved"
            if why:
                return Verification(count, first, last, Break(os.fspath(path), number, why))
            first, last, count = first or begin, end, count + 1
    return Verification(count, first, last, None)


def _lines(path: str | os.PathLike[str], most: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while line := file.readline(most):
            yield line


def _parts(line: bytes) -> tuple[str, str, str]:
    """What is wrong with a line by itself, the hash that it follows, and its own."""
    if not line.endswith(b"\n"):
        return "is torn: its end was never written", "", ""
    begin, end = _BEGIN.match(line), _END.search(line[:-1])
    if begin is None or end is None or not _is_object(line):
        return "is no line of a decision log, or a torn one", "", ""
    found = hashlib.sha256(line[: end.start()] + b"}").hexdigest()
    if found != end[1].decode():
        return "was changed: its hash is another", "", ""
    return "", begin[1].decode(), found


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
    why, _, found = _parts(line)
    whole = line.endswith(b"\n")
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest() if why else found, whole
