"""`python -m benchmarks.soak SECONDS`: soak, print what came of it. Exit status 1 if an answer was
wrong, a call failed that was not open when a worker was killed, a process grew, a decision log is
not whole, or nothing of the trouble came about."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvloop

from taskman_authz.decision_log import verify

from .hostile import Hostile
from .load import Load
from .questions import NONSENSE, Expected, document
from .sidecar import Sidecar

CALIBRATION = 5.0  # seconds to find out what the maximum is
WARM = 10.0  # seconds until the memory of a process is looked at: caches fill
KILL = 60.0  # seconds between two workers that are killed; less where the whole is short
BROKEN = 10  # every so many changes of the policies do not compile
GROWTH = 1.10  # a process may be so much larger at the end,
SLACK = 4_194_304  # and so many bytes: what an allocator keeps differs from moment to moment
MEBIBYTE = 1_048_576


def main() -> int:
    """Soak. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--rate", type=float, help="calls a second (default: half of what it can)")
    without = "without a decision log: then questions are decided as their messages stand"
    parser.add_argument("--no-log", action="store_true", help=without)
    parser.add_argument("--tls", action="store_true", help="speak TLS")
    arguments = parser.parse_args()
    seconds, rate = arguments.seconds, arguments.rate
    with tempfile.TemporaryDirectory() as folder:
        logs, tls = not arguments.no_log, arguments.tls
        sidecar = Sidecar(Path(folder), document(0), logs, tls)
        try:
            faults = uvloop.run(_soak(sidecar, seconds, rate))
            status = sidecar.stop()
        finally:
            sidecar.kill()
        if status != 0:
            faults.append(f"it ended with status {status}")
        faults += _logs(Path(folder))
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


async def _soak(sidecar: Sidecar, seconds: float, rate: float | None) -> list[str]:
    expected = Expected()
    address, root = sidecar.address, sidecar.root
    load = Load(address, root, expected, sidecar.killed)
    most = await load.run(CALIBRATION)
    rate = rate or most / 2
    print(f"at most {most:,.0f} calls a second; asking {rate:,.0f} for {seconds:.0f} s", flush=True)
    memory: dict[int, int] = {}
    trouble = [
        asyncio.create_task(Hostile(address, root, expected.messages, load.counts).run()),
        asyncio.create_task(_change(sidecar)),
        asyncio.create_task(_kill(sidecar, min(KILL, seconds / 3))),
        asyncio.create_task(_weigh(sidecar, memory, min(WARM, seconds / 4))),
    ]
    reached = await load.run(seconds, rate)
    for task in trouble:
        task.cancel()
    await load.close()
    print(f"asked {reached:,.0f} a second")
    for what, count in load.counts.most_common():
        print(f"  {count:>10,}  {what}")
    for what, count in sidecar.said.most_common():
        print(f"  {count:>10,}  {what}")
    print(f"  {sidecar.transport} speaks gRPC")
    bad = [f"{count} {what}" for what, count in load.counts.items() if _is_bad(what)]
    return [*bad, *grown(memory, sidecar.memory()), *_missed(sidecar)]


def _is_bad(what: str) -> bool:
    return what.startswith(("wrong", "failed"))


async def _change(sidecar: Sidecar) -> None:
    """Change the policies every second; some changes do not compile."""
    number = 0
    while True:
        await asyncio.sleep(1.0)
        number += 1
        sidecar.reload(NONSENSE if number % BROKEN == 0 else document(number % 2))


async def _kill(sidecar: Sidecar, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        sidecar.kill_worker()


async def _weigh(sidecar: Sidecar, memory: dict[int, int], warm: float) -> None:
    """Each process' memory when it is warm, the first time that it is seen so."""
    while True:
        there = set(sidecar.memory())
        await asyncio.sleep(warm)
        for process, size in sidecar.memory().items():
            if process in there:
                memory.setdefault(process, size)


def grown(before: dict[int, int], after: dict[int, int]) -> Iterator[str]:
    """Processes that grew, from when they were warm to the end."""
    for process, size in after.items():
        began = before.get(process)
        if began is None:
            continue  # too young
        told = (
            f"process {process}: {began / MEBIBYTE:.1f} MiB warm, {size / MEBIBYTE:.1f} at the end"
        )
        print(f"  {told}")
        if size > began * GROWTH + SLACK:
            yield f"{told}: it grew"


def _missed(sidecar: Sidecar) -> Iterator[str]:
    """What should have come about and did not."""
    if not sidecar.killed:
        yield "no worker was killed"
    if sidecar.said["worker ended, another one is started"] != len(sidecar.killed):
        yield "not every worker that was killed was replaced, or others ended"
    if not sidecar.said["policies loaded"]:
        yield "no change of the policies was taken"
    if sidecar.said["call failed"]:
        yield f"{sidecar.said['call failed']} calls failed inside"


def _logs(folder: Path) -> Iterator[str]:
    """Decision logs that do not hang together."""
    for file in sorted(folder.glob("decisions.*.jsonl")):
        found = verify([file])
        print(f"  {found.lines:>10,}  lines in {file.name}")
        if found.broken is not None:
            yield f"{file.name}: line {found.broken.line} {found.broken.why}"


if __name__ == "__main__":
    sys.exit(main())
