"""A worker's place: what it is given, and what it and the supervisor tell each other.

A socket that keeps messages apart, JSON in each. Its end is the end of the other process: a worker
whose supervisor is gone stops in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from taskman_authz.policy import PolicySet
from taskman_authz.store import FileStore

from ..health import Health
from ..orders import Orders

LONGEST = 65_536  # bytes of a message; one has some hundred


class Report(msgspec.Struct, frozen=True):
    """What a worker tells: whether it answers, what holds of it, and by which policies."""

    serving: bool = False
    conditions: dict[str, bool] = {}
    revision: str = ""


class Word(msgspec.Struct, frozen=True):
    """What the supervisor tells: an order, or what holds of all workers."""

    order: Literal["", "stop", "end", "reload"] = ""
    conditions: dict[str, bool] = {}


class LoadedStore:
    """A store whose policies were loaded before the worker was there. They are taken once, and if
    they are still what is in the store."""

    def __init__(self, store: FileStore) -> None:
        self._store = store
        self._read = store.fingerprint()
        self._policies: PolicySet | None = store.policies()

    def load(self) -> list[tuple[str, str]]:
        """What the store gives."""
        return self._store.load()

    def fingerprint(self) -> str:
        """What the store gives."""
        return self._store.fingerprint()

    def policies(self) -> PolicySet:
        """The policies. Raises StoreError, CompileError."""
        loaded, self._policies = self._policies, None
        if loaded is not None and self._store.fingerprint() == self._read:
            return loaded
        return self._store.policies()


class Seat:
    """The place of worker `number` (from 1), which `is_new` if no worker had it before."""

    def __init__(self, number: int, store: LoadedStore, link: socket.socket, is_new: bool) -> None:
        self.number = number
        self.is_new = is_new
        self.store = store
        self._link = link

    def own(self, path: Path) -> Path:
        """The file of this worker's own for one that only one process may write:
        `decisions.jsonl` is `decisions.1.jsonl`."""
        return path.with_name(f"{path.stem}.{self.number}{path.suffix}")

    async def follow(self, health: Health, orders: Orders, revision: Callable[[], str]) -> None:
        """Report, and hear what the supervisor says, until it is gone or this is cancelled."""
        self._link.setblocking(False)
        reporting = asyncio.create_task(self._report(health, revision))
        try:
            await self._hear(health, orders)
        finally:
            reporting.cancel()

    async def _report(self, health: Health, revision: Callable[[], str]) -> None:
        async for conditions in health.conditions.follow():
            await self._send(Report(True, dict(conditions), revision()))

    async def _send(self, report: Report) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone: `_hear` learns it too
            await asyncio.get_running_loop().sock_sendall(self._link, msgspec.json.encode(report))

    async def _hear(self, health: Health, orders: Orders) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._link, LONGEST):
            word = msgspec.json.decode(data, type=Word)
            if word.order:
                {"stop": orders.stop, "end": orders.end, "reload": orders.reload}[word.order]()
            else:
                health.tell_others(word.conditions)
        if not orders.stopping.is_set():
            orders.stop()
