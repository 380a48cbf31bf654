"""What a sidecar is made of, how it starts and how it stops. Rooms meet here and nowhere else."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from taskman_authz.store import FileStore
from taskman_authz.wire import SERVICE

from .authorization import Authorization
from .log import make_log
from .policies import PolicyFollower
from .server import Server
from .settings import Settings

# Serving: the policies in place are those in the folder. Not serving: they are the last good ones.
POLICIES = "taskman_authz.policies"

Started = Callable[[list[str]], Awaitable[None]]


class Sidecar:
    """A decision point with its transport. Policies are loaded when it is made, so that one that
    has none never opens an address. Raises `StoreError`, `CompileError`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = make_log(settings)
        store = FileStore(settings.policies, verify_key=settings.verify_key)
        self.policies = PolicyFollower(store, self.log, self._tell_policies)

    async def run(self, started: Started | None = None) -> None:
        """Serve until SIGTERM or SIGINT. `started` is awaited with the opened addresses."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        authorization = Authorization(self.policies.pdp, self.settings.limits)
        self.server = Server(SERVICE, authorization.methods(), self.settings, self.log)
        opened = await self.server.start(self.settings.listen)
        follower = asyncio.create_task(self._follow())
        try:
            await self._serve(opened, stop, started)
        finally:
            follower.cancel()
            await self.server.stop(self.settings.grace)
            self.log.info("stopped")

    async def _serve(self, opened: list[str], stop: asyncio.Event, started: Started | None) -> None:
        for service in ("", SERVICE, POLICIES):
            await self.server.tell_health(service, True)
        self.log.info("serving", listen=opened, revision=self.policies.pdp.policies.revision)
        if started is not None:
            await started(opened)
        await stop.wait()
        self.log.info("stopping", grace=self.settings.grace)

    async def _follow(self) -> None:
        if self.settings.reload_interval > 0:
            await self.policies.follow(self.settings.reload_interval)

    async def _tell_policies(self, current: bool) -> None:
        await self.server.tell_health(POLICIES, current)
