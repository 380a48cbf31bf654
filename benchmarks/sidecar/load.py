"""One sample: h2load sends one question again and again, and tells of every request."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .questions import Question
from .servers import Server
from .usage import cpu_seconds, resident_bytes

PACKAGE = "nghttp2-client"  # of Debian and Ubuntu
HEADERS = ("content-type: application/grpc", "te: trailers")


class LoadError(Exception):
    """h2load, or the server under it, did not do what is measured; the text says what."""


class UnansweredError(LoadError):
    """The time was too short for an answer."""


@dataclass(frozen=True)
class Sample:
    """What was seen in some seconds."""

    rps: float  # requests a second
    p50: float  # seconds of a request
    p99: float
    cpu: float  # seconds of a request that the server's processes used
    rss: int  # bytes, at the end


def require_h2load() -> str:
    """Its path. Raises LoadError saying how to install it."""
    path = shutil.which("h2load")
    if path is None:
        raise LoadError(f"`h2load` is not installed: apt-get install {PACKAGE}")
    return path


def frame(message: bytes) -> bytes:
    """A message as gRPC frames it: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def sample(server: Server, question: Question, clients: int, seconds: int, folder: Path) -> Sample:
    """Warm up for a second, then measure: once how many requests there are, and once how long each
    takes, since h2load's log of them costs it up to a seventh of its time. `folder` is for files in
    between."""
    (folder / "request").write_bytes(frame(question.data))
    log = folder / "requests.tsv"
    log.unlink(missing_ok=True)
    _h2load(server, question, clients, 1, folder)
    before = cpu_seconds(server.pid)
    said = _h2load(server, question, clients, seconds, folder)
    used = cpu_seconds(server.pid) - before
    count = answered(said, server.reply_bytes)
    said = _h2load(server, question, clients, seconds, folder, log)
    answered(said, server.reply_bytes)
    times = sorted(latencies(log.read_text()))
    return Sample(
        count / seconds,
        times[len(times) // 2],
        times[len(times) * 99 // 100],
        used / count,
        resident_bytes(server.pid),
    )


def _h2load(
    server: Server,
    question: Question,
    clients: int,
    seconds: int,
    folder: Path,
    log: Path | None = None,
) -> str:
    """Ask for so long, with one line a request in `log`. Gives what h2load says."""
    command = [require_h2load(), f"--clients={clients}", f"--duration={seconds}"]
    command += ["--threads=1", "--max-concurrent-streams=1", f"--data={folder / 'request'}"]
    command += [f"--header={header}" for header in HEADERS]
    if log is not None:
        command.append(f"--log-file={log}")
    command.append(f"{server.url}{question.path}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode:
        raise LoadError(f"h2load ended with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def answered(said: str, reply_bytes: int) -> int:
    """How many requests were answered, of what h2load says. Raises LoadError where some were not: a
    gRPC error is an HTTP success without data, so as many bytes must have come as answers."""
    counts = re.search(r"(\d+) done, (\d+) succeeded", said)
    data = re.search(r"\((\d+)\) data", said)
    if not counts or not data or counts[1] == "0":
        raise UnansweredError("h2load had no answers in its time")
    if counts[1] != counts[2]:
        raise LoadError(f"not every request was answered: {counts[0]}")
    count = int(counts[1])
    expected = count * (reply_bytes + 5)
    if int(data[1]) < 0.99 * expected:
        raise LoadError(f"{count} answers of {expected} bytes, and only {data[1]} came")
    return count


def latencies(log: str) -> list[float]:
    """Seconds of each request of a log. Raises LoadError for one that failed."""
    rows = [line.split("\t") for line in log.splitlines()]
    if any(row[1] != "200" for row in rows):
        raise LoadError("not every request was answered")
    return [int(row[2]) / 1e6 for row in rows]
