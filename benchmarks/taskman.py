"""`python -m benchmarks.taskman`: GET /tasks/{id} through TaskMan's gateway, by h2load, with where
the time goes; prints tables and writes them to `benchmarks/results/`.

Everything runs here, on the same cores: servers, decision point, services, gateway and h2load. The
token is verified, the policies are asked by the gateway and again by the service. First as many as
there can be (each client asks when it is answered), then half of that at a steady rate; of the
latter a share of the requests is traced, which is where the table of hops is from.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from examples.taskman.stage.__main__ import company_on
from examples.taskman.stage.company import Person, bearer
from examples.taskman.stage.services import Running, running
from tests.sidecar.telemetry.collector import GrpcCollector

from .__main__ import RESULTS
from .sidecar.load import LoadError, latencies, require_h2load

CLIENTS = 8
TASKS = 200
SHARE = 0.05  # of the requests that are traced
KINDS = {2: "answers", 3: "asks"}  # of spans: SERVER, CLIENT


class Load(NamedTuple):
    """What clients saw."""

    what: str
    rps: float
    p50: float  # seconds
    p99: float


class Hop(NamedTuple):
    """A part of the way; those that are parts of another one follow it, indented."""

    name: str
    spans: int
    p50: float  # seconds
    p99: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status: 2 when h2load is not here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.taskman", description=__doc__)
    parser.add_argument("--seconds", type=int, default=15, help="of each load")
    parser.add_argument("--tasks", type=int, default=TASKS, help="that are asked for in turn")
    options = parser.parse_args(arguments)
    try:
        require_h2load()
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with GrpcCollector() as spans, tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            f"TASKMAN_RATE_OF_{name}": "10000000" for name in ("ADDRESS", "USER", "ROUTE")
        }
        os.environ |= {"TASKMAN_OTLP_ENDPOINT": spans.endpoint, "TASKMAN_TRACE_SHARE": str(SHARE)}
        with running(0, _tell) as stage:
            _tell(f"adding {options.tasks} tasks")
            person, paths = asyncio.run(_tasks(stage, options.tasks))
            loads = _measured(stage, person, paths, options.seconds, Path(folder), spans)
        hops = _hops(spans)
    text = _markdown(loads, hops)
    print(text)
    path = RESULTS / f"taskman-{date.today().isoformat()}.md"
    path.write_text(text, encoding="utf-8")
    _tell(f"written: {path}")
    return 0


async def _tasks(stage: Running, count: int) -> tuple[Person, list[str]]:
    """A developer, and the paths of tasks in a project of theirs."""
    async with company_on(stage) as (web, company):
        admin = await company.first_admin("admin@example.com")
        mia = await company.hire(admin, "mia", "project-manager", "engineering")
        dan = await company.hire(admin, "dan", "developer", "engineering")
        body: dict[str, Any] = {"name": "Apollo", "members": [dan.id]}
        project = (await web.post("/projects", json=body, headers=bearer(mia))).json()["project"]
        body = {"title": "Land on the moon", "project_id": project["id"]}

        async def add(turn: int) -> list[str]:
            return [await _add(web, dan, body) for _ in range(turn, count, 4)]

        return dan, sum(await asyncio.gather(*map(add, range(4))), [])


async def _add(web: httpx.AsyncClient, who: Person, body: dict[str, Any]) -> str:
    answer = await web.post("/tasks", json=body, headers=bearer(who))
    answer.raise_for_status()
    return f"/tasks/{answer.json()['task']['id']}"


def _measured(
    stage: Running, who: Person, paths: list[str], seconds: int, folder: Path, spans: Any
) -> list[Load]:
    urls = folder / "urls"
    urls.write_text("".join(f"{stage.url}{path}\n" for path in paths))
    _tell("warming up")
    _load(who, urls, 2, folder)
    _tell("as many as there can be")
    most = _load(who, urls, seconds, folder, what="as many as there can be")
    asyncio.run(asyncio.sleep(6))  # until spans of before are told
    spans.found.clear()
    _tell("half of that")
    half = _load(who, urls, seconds, folder, most.rps / 2, "half of that, at a steady rate")
    asyncio.run(asyncio.sleep(6))
    _tell("answers that are kept")
    what = "as many as there can be of answers that are kept for 5 s"
    kept = _load(who, urls, seconds, folder, what=what, is_fresh=False)
    return [most, half, kept]


def _load(
    who: Person,
    urls: Path,
    seconds: int,
    folder: Path,
    rate: float = 0,
    what: str = "",
    is_fresh: bool = True,
) -> Load:
    log = folder / "requests.tsv"
    log.unlink(missing_ok=True)
    command = [require_h2load(), "--h1", f"--clients={CLIENTS}", f"--duration={seconds}"]
    command += [f"--input-file={urls}", f"--log-file={log}", "--threads=1"]
    command += [f"--header=authorization: Bearer {who.token}"]
    if is_fresh:
        command.append("--header=cache-control: no-cache")
    if rate:
        command.append(f"--rps={rate / CLIENTS:.2f}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode:
        raise LoadError(f"h2load ended with status {done.returncode}: {done.stderr.strip()}")
    times = sorted(latencies(log.read_text()))
    return Load(what, len(times) / seconds, _at(times, 0.5), _at(times, 0.99))


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


def _hops(spans: Any) -> list[Hop]:
    """The parts of the requests that were traced whole, by where they are."""
    by_id = {span.span_id: span for span in spans.found}
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for span in spans.found:
        place = []
        above = span
        while above is not None:
            place.append(f"{KINDS.get(above.kind, '')} {above.name}".strip())
            above = by_id.get(above.parent_span_id)
        if place[-1].startswith("answers GET"):
            name = "  " * (len(place) - 1) + place[0]
            times[" > ".join(reversed(place)), name].append(_seconds(span))
    return [
        Hop(name, len(found), _at(sorted(found), 0.5), _at(sorted(found), 0.99))
        for (_, name), found in sorted(times.items())
    ]


def _seconds(span: Any) -> float:
    return float(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9


def _markdown(loads: Sequence[Load], hops: Sequence[Hop]) -> str:
    where = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}; {CLIENTS} clients of h2load"
    )
    lines = [
        f"# GET /tasks/{{id}} through the gateway, {date.today().isoformat()}",
        "",
        f"{where}, all services and all servers on the same cores.",
        "",
        "| load | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|",
        *(
            f"| {load.what} | {load.rps:.0f} | {load.p50 * 1e3:.1f} | {load.p99 * 1e3:.1f} |"
            for load in loads
        ),
        "",
        "Where the time goes at half of the most:",
        "",
        "| part | spans | p50 ms | p99 ms |",
        "|---|---|---|---|",
        *(
            f"| {re.sub('^ +', lambda m: '&nbsp;' * 2 * len(m[0]), hop.name)} | {hop.spans} "
            f"| {hop.p50 * 1e3:.2f} | {hop.p99 * 1e3:.2f} |"
            for hop in hops
        ),
        "",
    ]
    return "\n".join(lines)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
