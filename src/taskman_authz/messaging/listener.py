"""Events heard by one process, for as long as it lives: each process hears all of them.

The queue is the connection's own and ends with it, so events are missed while there is none. For
that there is `on_gap`: called whenever events may have been missed (at the start too), before what
is heard afterwards; it takes in how things are.

Laws: `behind` says for how long events may have been missed, and is zero only once `on_gap` is
through: who keeps what events would change asks it. That a connection is open proves nothing (a
broker that is frozen, an event that waits behind others): every `PULSE` seconds a message is sent
through the broker to the own queue, and what was sent before one that came back has been heard.
Who was behind and no longer is takes that for a gap: while a broker is away events wait with who
tells them, and come late.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NoReturn

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from ..errors import RequestError
from .consumer import TIMEOUT, Handler
from .events import Event
from .link import LOSSES, Link, Problem

PREFETCH = 200
PULSE = 0.5  # seconds
PULSES = 100  # of which one may still come back
SLACK = 2.0  # seconds that a pulse may be late; less than that nobody is behind


class Listener:
    """Hears the events that `patterns` name, by exchange, and gives them to `handler` one after
    the other."""

    def __init__(
        self,
        patterns: Mapping[str, Sequence[str]],
        handler: Handler,
        link: Link,
        on_gap: Callable[[], Awaitable[object]],
        *,
        clock: Callable[[], float] = time.monotonic,
        on_problem: Problem | None = None,
    ) -> None:
        self._patterns = patterns
        self._handler = handler
        self._link = link
        self._on_gap = on_gap
        self._clock = clock
        self._tell = on_problem
        self._is_current = False
        self._heard_until = -math.inf  # all that was told before has been heard
        self._pulses: dict[str, float] = {}  # those on their way, with when they were sent
        self.heard = self.failed = 0

    def behind(self) -> float:
        """For how many seconds events may have been missed; 0 where that is less than `SLACK`."""
        passed = self._clock() - self._heard_until
        return 0.0 if self._is_current and passed <= SLACK else passed

    async def run(self) -> NoReturn:
        """Listen, until cancelled."""
        await self._link.always(self._work, PREFETCH)

    async def _work(self, channel: AbstractChannel) -> None:
        queue = await channel.declare_queue(exclusive=True, auto_delete=True, timeout=TIMEOUT)
        for name, patterns in self._patterns.items():
            exchange = await channel.declare_exchange(
                name, aio_pika.ExchangeType.TOPIC, durable=True, timeout=TIMEOUT
            )
            for pattern in patterns:
                await queue.bind(exchange, pattern, timeout=TIMEOUT)
        waiting: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(waiting.put, timeout=TIMEOUT)
        pulses = asyncio.create_task(self._pulse(channel, queue.name))
        try:
            while True:
                # From here on all is heard, so what is found now lacks nothing that is not.
                began = self._clock()
                await self._on_gap()
                self._heard_until, self._is_current = began, True
                while await self._take(await waiting.get()):
                    continue
                self._is_current = False
        finally:
            self._is_current = False
            pulses.cancel()

    async def _pulse(self, channel: AbstractChannel, queue: str) -> None:
        """Send pulses until cancelled. Who gets none is behind, so a loss is not told here."""
        self._pulses.clear()
        while True:
            pulse, self._pulses = uuid.uuid4().hex, dict([*self._pulses.items()][-PULSES:])
            self._pulses[pulse] = self._clock()
            message = aio_pika.Message(b"", message_id=pulse)
            with contextlib.suppress(*LOSSES):
                await channel.default_exchange.publish(message, queue, timeout=TIMEOUT)
            await asyncio.sleep(PULSE)

    async def _take(self, message: AbstractIncomingMessage) -> bool:
        """Handle an event. Whether all is well: otherwise events count as missed."""
        sent = self._pulses.pop(message.message_id or "", None)
        if sent is not None:
            was_behind = self.behind() > 0
            self._heard_until = max(self._heard_until, sent)
            # Nobody may see that we are not behind before the gap was told.
            self._is_current = not (was_behind and self.behind() == 0)
            await message.ack()
            return self._is_current
        try:
            await self._handler(Event.decode(message.body))
        except RequestError as error:  # it will not become an event by being looked at again
            self._problem(message, error)
        except Exception as error:  # whatever it was, the next event must be heard
            self._problem(message, error)
            await message.ack()
            return False
        else:
            self.heard += 1
        await message.ack()
        return True

    def _problem(self, message: AbstractIncomingMessage, error: Exception) -> None:
        self.failed += 1
        if self._tell is not None:
            self._tell(
                "an event was not taken in",
                event_type=message.routing_key,
                id=message.message_id,
                why=str(error) if isinstance(error, RequestError) else type(error).__name__,
            )
