"""A worker's place: what it is given, and what it and the supervisor tell each other.

A socket that keeps messages apart, JSON in each. Its end is the end of the other process: a worker
whose supervisor is gone stops in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from taskman_authz.policy import PolicySet
from taskman_authz.store import Compiled

from ..health import Health
from ..newest import Newest
from ..orders import Orders
from ..policies import FollowedStore

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


class SupervisedStore(FollowedStore, Compiled, Protocol):
    """A store that a supervisor reads."""


class LoadedStore:
    """A store, and the last good policies that the supervisor read from it. A worker begins with
    these, which it shares with others, and asks the store itself afterwards. Making one loads them:
    raises StoreError, CompileError."""

    def __init__(self, store: SupervisedStore) -> None:
        self._store = store
        self._read, self._policies = store.fingerprint(), store.policies()
        self._is_left = True  # the worker has not begun

    @property
    def age(self) -> float:
        """For how many seconds what is given has not been known to be current."""
        return float(getattr(self._store, "age", 0.0))

    @property
    def revision(self) -> str:
        """Of the policies that a worker begins with."""
        return self._policies.revision

    def read_again(self) -> None:
        """Load what is in the store now. Raises StoreError, CompileError; then all stays."""
        read = self._store.fingerprint()
        self._policies, self._read = self._store.policies(), read

    def leave(self) -> None:
        """Begin with what is in the store."""
        self._is_left = False

    def load(self) -> list[tuple[str, str]]:
        """What the store gives."""
        return self._store.load()

    def fingerprint(self) -> str:
        """Of the policies that a worker begins with until they are taken, then the store's: where
        that is another one, the worker finds so at its first look."""
        return self._read if self._is_left else self._store.fingerprint()

    def policies(self) -> PolicySet:
        """Those that a worker begins with, once; then the store's. Raises StoreError,
        CompileError."""
        if not self._is_left:
            return self._store.policies()
        self._is_left = False
        return self._policies


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

    async def follow(self, health: Health, orders: Orders, revisions: Newest[str]) -> None:
        """Report what changes, and hear what the supervisor says, until it is gone or this is
        cancelled."""
        self._link.setblocking(False)

        async def report(changing: Newest[Any]) -> None:
            async for _ in changing.follow():
                await self._send(Report(True, dict(health.conditions.value), revisions.value))

        reporting = [
            asyncio.create_task(report(changing)) for changing in (health.conditions, revisions)
        ]
        try:
            await self._hear(health, orders)
        finally:
            for task in reporting:
                task.cancel()

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
