"""Asks at a pace, over several connections, and says of every answer what it was."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import grpc

from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import SERVICE

from .questions import QUESTIONS, Expected

CONNECTIONS = 8  # the kernel divides them among the workers
CALLERS = 32  # calls at a time, at most
BATCH = 20
EVERY = 20  # so many calls are one batch
TIMEOUT = 5.0  # seconds
# A connection is known to be gone so long after its worker was killed.
NOTICED = 0.5  # seconds

OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50)]


class Load:
    """Asks the sidecar at `address`, in TLS where there is a `root` of it. `counts` says what came
    of it: right, wrong, failed (with the status), or open when a worker was killed."""

    def __init__(
        self, address: str, root: bytes | None, expected: Expected, killed: Sequence[float]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._expected = expected
        self._killed = killed
        self._channels = [_channel(address, root) for _ in range(CONNECTIONS)]
        self._methods: list[tuple[Any, ...]] = [
            tuple(
                channel.unary_unary(f"/{SERVICE}/{name}", None, None)
                for name in ("Check", "BatchCheck")
            )
            for channel in self._channels
        ]
        self._numbers = itertools.count()
        self._random = random.Random(1)

    async def run(self, seconds: float, rate: float | None = None) -> float:
        """Ask for so many seconds, `rate` calls a second (None: as many as there can be). Gives how
        many calls a second there were."""
        began = time.monotonic()
        done = itertools.count()
        callers = [self._call(began, seconds, rate, done) for _ in range(CALLERS)]
        await asyncio.gather(*callers)
        return next(done) / (time.monotonic() - began)

    async def close(self) -> None:
        """Give the connections up."""
        for channel in self._channels:
            await channel.close(None)

    async def _call(self, began: float, seconds: float, rate: float | None, done: Any) -> None:
        pause = CALLERS / rate if rate else 0.0
        due = began + self._random.random() * pause
        while (now := time.monotonic()) < began + seconds:
            if due > now:
                await asyncio.sleep(due - now)
            due += pause
            await self._ask(next(self._numbers))
            next(done)

    async def _ask(self, number: int) -> None:
        check, batch_check = self._methods[number % CONNECTIONS]
        began = time.monotonic()
        options = {"timeout": TIMEOUT, "wait_for_ready": True}
        try:
            if number % EVERY:
                asked = [number % QUESTIONS]
                data = await check(self._expected.messages[asked[0]], **options)
                answers = [pb.CheckResponse.FromString(data)]
            else:
                asked = [(number + each) % QUESTIONS for each in range(BATCH)]
                distinct = number % (2 * EVERY) == 0
                data = await batch_check(self._expected.batch(asked, distinct), **options)
                reply = pb.BatchCheckResponse.FromString(data)
                answers = [reply.results[place] for place in reply.places or range(BATCH)]
        except grpc.RpcError as error:
            self.counts[self._fault(error, began)] += 1
            return
        self._compare(asked, answers)

    def _compare(self, asked: Sequence[int], answers: Sequence[pb.CheckResponse]) -> None:
        for number, answer in itertools.zip_longest(asked, answers):
            is_right = None not in (number, answer) and self._expected.is_right(number, answer)
            self.counts["right" if is_right else "wrong"] += 1
        if len({answer.revision for answer in answers}) != 1:
            self.counts["wrong: revisions mixed in a batch"] += 1

    def _fault(self, error: grpc.RpcError, began: float) -> str:
        now = time.monotonic()
        was_open = any(began <= killed + NOTICED and now >= killed for killed in self._killed)
        if was_open and error.code() is grpc.StatusCode.UNAVAILABLE:
            return "open when a worker was killed"
        return f"failed: {error.code().name}: {error.details()}"


def _channel(address: str, root: bytes | None) -> grpc.aio.Channel:
    if root is None:
        return grpc.aio.insecure_channel(address, OPTIONS)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root), OPTIONS)
