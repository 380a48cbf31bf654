"""What a running sidecar is told to do: by signals, or by the process that started it.

SIGTERM or SIGINT: stop, calls in flight end within the grace. A second one: at once. A third one
kills. SIGHUP: read again now what is followed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

STOPPING = (signal.SIGTERM, signal.SIGINT)

Stop = Callable[[float], Awaitable[None]]


class Orders:
    """Given in one event loop; `reload` is awaited at each order to read again."""

    def __init__(self, reload: Callable[[], Awaitable[None]]) -> None:
        self.stopping = asyncio.Event()
        self.at_once = asyncio.Event()
        self._reload = reload
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def take_signals(self) -> None:
        """Signals of this process are orders from now on."""
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def stop(self) -> None:
        """Stop in order; the second time at once."""
        if not self.stopping.is_set():
            self.stopping.set()
        else:
            self.end()

    def end(self) -> None:
        """Stop at once."""
        self.stopping.set()
        self.at_once.set()
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.remove_signal_handler(number)

    def reload(self) -> None:
        """Read again, when what is being read has been."""
        task = asyncio.create_task(self._reload_in_turn())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reload_in_turn(self) -> None:
        async with self._reloading:
            await self._reload()

    async def drain(self, stops: Sequence[Stop], grace: float) -> None:
        """Stop everything with a grace of seconds, which an order to stop at once cuts short."""
        draining = asyncio.ensure_future(_all(stops, grace))
        at_once = asyncio.create_task(self._wait_at_once())
        await asyncio.wait({draining, at_once}, return_when=asyncio.FIRST_COMPLETED)
        at_once.cancel()
        if not draining.done():
            draining.cancel()
            await _all(stops, 0)
        else:
            draining.result()

    async def _wait_at_once(self) -> None:
        await self.at_once.wait()


async def _all(stops: Sequence[Stop], grace: float) -> None:
    await asyncio.gather(*(stop(grace) for stop in stops))
