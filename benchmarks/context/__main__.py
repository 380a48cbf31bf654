"""`python -m benchmarks.context`: measure, and print the table. Needs a Redis server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import grpc
import uvloop
from taskman_authz_sidecar.gathering import Gathering, Remembering
from taskman_authz_sidecar.sources import RemoteSource

from taskman_authz import PDP, make_request
from taskman_authz.attributes import CachedSource, Gatherer, Source
from taskman_authz.decision_cache import DecisionCache
from taskman_authz.remembered import Cache, MemoryCache
from taskman_authz.remembered.redis import RedisCache
from tools.servers import Redis

POLICIES = Path(__file__).parents[2] / "policies" / "taskman"
USER = {"type": "user", "id": "123", "roles": ["developer"]}
BARE = make_request(USER, "tasks:edit", "tasks/456", company_id="acme")
FULL = make_request(
    {**USER, "department": "engineering"},
    "tasks:edit",
    {"type": "tasks", "id": "456", "owner": "123", "status": "open"},
    company_id="acme",
)

Work = Callable[[], Awaitable[object]]


class Clock(NamedTuple):
    """How often is measured."""

    rounds: int = 9
    calls: int = 500

    async def microseconds(self, work: Work) -> float:
        """What a call takes, in the median of rounds."""
        took = []
        for _ in range(self.rounds):
            began = time.perf_counter()
            for _ in range(self.calls):
                await work()
            took.append((time.perf_counter() - began) / self.calls * 1e6)
        return median(took)


def decider(pdp: PDP, source: Source, attributes: Cache | None, decisions: Cache | None) -> Work:
    """Decides the question that lacks attributes, with these caches."""
    if attributes is not None:
        source = CachedSource(source, attributes, lambda _one: 600.0)
    gatherer = Gatherer({("subject", "user"): source, ("resource", "tasks"): source}, 5.0)
    cached = None if decisions is None else Remembering(DecisionCache(decisions))
    gathering = Gathering(gatherer, cached)

    async def decide() -> None:
        _, decision = await gathering.decide(pdp, BARE, pdp.policies, None)
        assert decision.allowed

    return decide


async def measure(port: int, redis_url: str, clock: Clock) -> list[tuple[str, float]]:
    """What each way takes, in microseconds."""
    pdp = PDP.from_path(POLICIES)
    redis = RedisCache(redis_url)

    async def given() -> None:
        assert pdp.decide(FULL).allowed

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        source = RemoteSource(channel)
        found = [
            ("the request gives all attributes", await clock.microseconds(given)),
            ("source asked each time", await clock.microseconds(decider(pdp, source, None, None))),
        ]
        memory = MemoryCache
        for name, attributes, decisions in (
            ("attributes in memory", memory(), None),
            ("attributes in Redis", redis, None),
            ("decisions in memory", None, memory()),
            ("decisions in Redis", None, redis),
            ("attributes in memory, decisions in memory", memory(), memory()),
            ("attributes in memory, decisions in Redis", memory(), redis),
        ):
            found.append(
                (name, await clock.microseconds(decider(pdp, source, attributes, decisions)))
            )
    await redis.close()
    return found


FULLY = Clock()


def main(clock: Clock = FULLY) -> int:
    """Measure and print."""
    command = [sys.executable, "-m", "benchmarks.context.source"]
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(Path(folder) / "redis")
        Path(folder).chmod(0o755)
        redis.start()
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as source:
            assert source.stdout is not None
            port = int(source.stdout.readline())
            try:
                found = uvloop.run(measure(port, redis.url(), clock))
            finally:
                source.terminate()
                redis.kill()
    print("| deciding, where | µs |\n|---|---:|")
    for name, took in found:
        print(f"| {name} | {took:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
