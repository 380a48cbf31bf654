"""What a sidecar is made of, how it starts and how it stops. Rooms meet here and nowhere else."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from taskman_authz.decision_log import DecisionLog
from taskman_authz.pdp import PDP, Shadow
from taskman_authz.store import FileStore
from taskman_authz.wire import SERVICE

from .authorization import Authorization
from .decisions import Decisions
from .door import Door
from .guards import only
from .health import POLICIES, Health
from .log import make_log
from .newest import Newest
from .policies import PolicyFollower
from .server import Server
from .settings import Settings

if TYPE_CHECKING:
    from taskman_authz.decision import Decision
    from taskman_authz.request import CheckRequest

Started = Callable[[list[str]], Awaitable[None]]


class Sidecar:
    """A decision point with its transport. Policies are loaded when it is made, so that one that
    has none never opens an address. Raises `StoreError`, `CompileError`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = make_log(settings)
        self.candidate = self._candidate()
        self.shadow = None
        if self.candidate is not None:
            self.shadow = Shadow(self.candidate.pdp, self._tell_difference)
        store = FileStore(settings.policies, verify_key=settings.verify_key)
        self.decisions = self._decision_log()
        make = partial(PDP, log=self.decisions, shadow=self.shadow)
        self.policies = PolicyFollower(store, self.log, self._tell_policies, make)
        self.health = Health()
        self.revisions = Newest(self.policies.pdp.policies.revision)

    async def run(self, started: Started | None = None) -> None:
        """Serve until SIGTERM or SIGINT. `started` is awaited with the opened addresses."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        settings = self.settings
        decisions = Decisions(self.policies.pdp, settings.limits)
        services = {SERVICE: Authorization(decisions, self.revisions).methods()}
        door = Door(self.log, [only("Explain", settings.explain_callers)])
        self.server = Server(services, door, settings, self.health)
        opened = await self.server.start(self.settings.listen)
        followed = [each for each in (self.policies, self.candidate) if each is not None]
        followers = [asyncio.create_task(self._follow(each)) for each in followed]
        try:
            await self._serve(opened, stop, started)
        finally:
            for follower in followers:
                follower.cancel()
            self.health.stop()
            self.revisions.end()
            await self.server.stop(self.settings.grace)
            self._end()

    async def _serve(self, opened: list[str], stop: asyncio.Event, started: Started | None) -> None:
        for service in ("", SERVICE, POLICIES):
            self.health.tell(service, True)
        self.log.info("serving", listen=opened, revision=self.policies.pdp.policies.revision)
        if started is not None:
            await started(opened)
        await stop.wait()
        self.log.info("stopping", grace=self.settings.grace)

    def _end(self) -> None:
        if self.decisions is not None:
            self.decisions.close()
            counts = {"written": self.decisions.written, "dropped": self.decisions.dropped}
            self.log.info("decision log closed", **counts)
        if self.shadow is not None:
            self.log.info("shadow policies", **msgspec.structs.asdict(self.shadow.counts))
        self.log.info("stopped")

    def _candidate(self) -> PolicyFollower | None:
        if self.settings.shadow_policies is None:
            return None
        log = self.log.bind(policies="shadow")
        return PolicyFollower(FileStore(self.settings.shadow_policies), log, _tell_nobody)

    def _decision_log(self) -> DecisionLog | None:
        settings = self.settings
        if settings.decision_log is None:
            return None
        return DecisionLog(
            settings.decision_log,
            mask=settings.decision_log_mask,
            full=settings.decision_log_full,
            limits=settings.limits,
            on_problem=self.log.error,
        )

    def _tell_difference(self, request: CheckRequest, live: Decision, found: Decision) -> None:
        self.log.info(
            "shadow policies decide otherwise",
            subject=f"{request.subject_type}:{request.subject_id}",
            action=request.action,
            resource=f"{request.resource_type}/{request.resource_id}",
            company_id=request.company_id,
            live=live.effect,
            shadow=found.effect,
            live_policies=[reason.policy for reason in live.reasons],
            shadow_policies=[reason.policy for reason in found.reasons],
            shadow_revision=found.revision,
        )

    async def _follow(self, policies: PolicyFollower) -> None:
        if self.settings.reload_interval > 0:
            await policies.follow(self.settings.reload_interval)

    async def _tell_policies(self, current: bool) -> None:
        self.health.tell(POLICIES, current)
        self.revisions.tell(self.policies.pdp.policies.revision)


async def _tell_nobody(_current: bool) -> None:
    """Nobody is answered by a candidate."""
