"""Pending notifications are sent, and again later where that fails.

Laws: what cannot be sent now does not keep others waiting: it is tried after growing pauses, until
it is sent or given up. Each end is told as an event.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from prometheus_client import Counter

from ..chassis.errors import ServiceError
from .letters import Letter, NotSent
from .settings import NotificationSettings
from .store import Attempt, Notifications

LONGEST_PAUSE = 3_600.0  # seconds between attempts


Send = Callable[[Letter], Awaitable[None]]  # raises NotSent


class Sending:
    """Sends by the way of each type."""

    def __init__(
        self, ways: Mapping[str, Send], settings: NotificationSettings, ended: Counter, log: Any
    ) -> None:
        self._ways = ways
        self._settings = settings
        self._ended = ended  # by type and status
        self._log = log
        self._new = asyncio.Event()

    def wake(self) -> None:
        """There are new ones."""
        self._new.set()

    async def run(self, notifications: Notifications) -> NoReturn:
        """Send, several at once, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.senders):
                group.create_task(self._run(notifications))
        raise AssertionError("senders do not end")

    async def _run(self, notifications: Notifications) -> NoReturn:
        while True:
            self._new.clear()
            try:
                found = await notifications.send_one(self._try)
            except ServiceError as error:
                self._log.warning("Notifications wait", why=str(error))
                found = None
            if found is None:
                try:
                    await asyncio.wait_for(self._new.wait(), self._settings.send_interval)
                except TimeoutError:
                    continue
            elif found.status != "pending":
                self._ended.labels(found.type, found.status).inc()

    async def _try(self, letter: Letter) -> Attempt:
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                await self._ways[letter.type](letter)
        except TimeoutError:
            return self._failed(letter, NotSent("there was no answer in time"))
        except NotSent as error:
            return self._failed(letter, error)
        return Attempt("sent")

    def _failed(self, letter: Letter, error: NotSent) -> Attempt:
        said = {"id": letter.id, "type": letter.type, "why": str(error)}
        self._log.warning("A notification was not sent", **said, final=error.final)
        if error.final or letter.attempts + 1 >= self._settings.send_attempts:
            return Attempt("failed", str(error))
        pause = min(self._settings.send_pause * 2.0**letter.attempts, LONGEST_PAUSE)
        return Attempt("pending", str(error), pause * random.uniform(0.5, 1.0))
