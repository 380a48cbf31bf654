"""What tests ask sidecars, and how they wait for an answer to become another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from taskman_authz.errors import StoreError
from taskman_authz.v1 import authorization_pb2 as pb
from tests.sidecar.process import Sidecar
from tests.sidecar.telemetry.samples import look

T = TypeVar("T")

USER = "sidecar"  # as whom sidecars connect to the database
PATIENCE = 30.0  # seconds until a test gives up waiting
# Within which a change is in force where RabbitMQ tells of it, on a machine that does other things
# besides.
SOON = 5.0


def answer(
    sidecar: Sidecar, action: str, role: str = "dev", company: str = "", token: str = ""
) -> pb.CheckResponse:
    """What a sidecar answers to a subject of a role."""
    request = pb.CheckRequest(
        subject="user:1", action=action, resource=f"{action.partition(':')[0]}/1"
    )
    request.company_id = company
    request.subject_properties["roles"] = [role]
    data = sidecar.call("Check", request.SerializeToString(), token=token)
    return pb.CheckResponse.FromString(data)


def allowed(
    sidecar: Sidecar, action: str, role: str = "dev", company: str = "", token: str = ""
) -> bool:
    """Whether a subject of a role may do that."""
    return answer(sidecar, action, role, company, token).allowed


async def until(holds: Callable[[], object], patience: float = PATIENCE) -> float:
    """Wait until something holds, which is asked for in a thread. How many seconds it took."""
    began = time.monotonic()
    while not await asyncio.to_thread(holds):
        assert time.monotonic() - began < patience, "it did not come"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def persist(write: Callable[[], Awaitable[T]]) -> T:
    """What a write gives that is tried again while the database is away. It must be one that may be
    made twice."""
    began = time.monotonic()
    while True:
        try:
            return await write()
        except StoreError:
            assert time.monotonic() - began < PATIENCE, "the database did not come back"
            await asyncio.sleep(0.05)


def metric(address: str, name: str, **labels: str) -> float:
    """That of the decision point with this name and these labels, -1 where nothing is said of
    it."""
    return look(address).get((f"taskman_authz_{name}", frozenset(labels.items())), -1.0)
