"""What a sidecar is made of, how it starts and how it stops. Rooms meet here and nowhere else."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from taskman_authz.attributes import EntityFiles
from taskman_authz.decision_log import DecisionLog
from taskman_authz.pdp import PDP, Shadow
from taskman_authz.store import FileStore
from taskman_authz.wire import SERVICE

from .authorization import Authorization, Method
from .decisions import Decisions
from .door import Door
from .entities import EntityFollower
from .ext_authz import SERVICE as EXT_AUTHZ
from .ext_authz import Denials, ExtAuthz, RoutesFollower
from .following import Follower
from .http.face import HTTPFace
from .log import make_log, take_over
from .log_writer import LogWriter
from .policies import PolicyFollower
from .security import SECURITY, Security
from .server import Face, Server
from .settings import Settings
from .telemetry import Facts, Telemetry

if TYPE_CHECKING:
    from taskman_authz.decision import Decision
    from taskman_authz.request import CheckRequest

# Serving: the policies in place are those in the folder. Not serving: they are the last good ones.
POLICIES = "taskman_authz.policies"
ROUTES = "taskman_authz.routes"  # the same of the table of routes

Started = Callable[[list[str]], Awaitable[None]]


class Sidecar:
    """A decision point with its transport. Policies are loaded when it is made, so that one that
    has none never opens an address. Raises `StoreError`, `CompileError`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.writer = LogWriter()
        self.log = make_log(settings, self.writer)
        self.security = Security(settings, self.log)
        self.candidate = self._candidate()
        self.shadow = None
        if self.candidate is not None:
            self.shadow = Shadow(self.candidate.pdp, self._tell_difference)
        store = FileStore(settings.policies, verify_key=settings.verify_key)
        self.decisions = self._decision_log()
        make = partial(PDP, log=self.decisions, shadow=self.shadow)
        self.policies = PolicyFollower(store, self.log, self._tell_policies, make)
        self.routes = self._routes()
        self.entities = None
        if settings.entities is not None:
            files = EntityFiles(settings.entities, settings.limits)
            self.entities = EntityFollower(files, self.log)
        self.telemetry = self._telemetry()

    async def run(self, started: Started | None = None) -> None:
        """Serve until SIGTERM or SIGINT. `started` is awaited with the opened addresses."""
        take_over(self.log)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        telemetry = self.telemetry
        complete = None if self.entities is None else self.entities.complete
        decisions = Decisions(
            self.policies.pdp, self.settings.limits, telemetry.told, complete=complete
        )
        services = {SERVICE: Authorization(decisions).methods()}
        faces: dict[str, Face] = {}
        if self.routes is not None:
            services[EXT_AUTHZ], faces[EXT_AUTHZ] = self._ext_authz(decisions, self.routes)
        door = Door(self.log, (*telemetry.guards, *self.security.guards), telemetry.watchers)
        self.server = Server(services, door, self.settings, self.security.listening, faces)
        parts = (decisions, self.entities, self.policies, door, self.settings)
        self.http = None
        if self.settings.http_listen:
            self.http = HTTPFace(*parts, self.security.listening, self.log)
        http = [] if self.http is None else self.http.open()
        opened = await self.server.start(self.settings.listen)
        interval = self.settings.reload_interval
        followers = [asyncio.create_task(each.follow(interval)) for each in self._followers()]
        followers.append(asyncio.create_task(self.security.follow(self.server.tell_health)))
        try:
            if self.http is not None:
                await self.http.start()
            await self._serve(opened, http, stop, started)
        finally:
            for follower in followers:
                follower.cancel()
            await self._stop()
            await telemetry.stop()
            self._end()

    async def _serve(
        self, opened: list[str], http: list[str], stop: asyncio.Event, started: Started | None
    ) -> None:
        metrics = self.telemetry.start()
        ours = ("", SERVICE, POLICIES)
        for service in ours if self.routes is None else (*ours, EXT_AUTHZ, ROUTES):
            await self.server.tell_health(service, True)
        await self.server.tell_health(SECURITY, not self.security.problems())
        shown = {} if metrics is None else {"metrics": metrics}
        revision = self.policies.pdp.policies.revision
        self.log.info("serving", listen=opened, http_listen=http, **shown, revision=revision)
        if started is not None:
            await started(opened)
        await stop.wait()
        self.log.info("stopping", grace=self.settings.grace)

    async def _stop(self) -> None:
        stopping = [self.server.stop(self.settings.grace)]
        if self.http is not None:
            stopping.append(self.http.stop())
        await asyncio.gather(*stopping)

    def _followers(self) -> list[Follower[Any]]:
        followed = (self.policies, self.candidate, self.entities, self.routes)
        return [each for each in followed if each is not None]

    def _end(self) -> None:
        if self.decisions is not None:
            self.decisions.close()
            counts = {"written": self.decisions.written, "dropped": self.decisions.dropped}
            self.log.info("decision log closed", **counts)
        if self.shadow is not None:
            self.log.info("shadow policies", **msgspec.structs.asdict(self.shadow.counts))
        self.log.info("stopped")
        self.writer.flush()

    def _candidate(self) -> PolicyFollower | None:
        if self.settings.shadow_policies is None:
            return None
        log = self.log.bind(policies="shadow")
        return PolicyFollower(FileStore(self.settings.shadow_policies), log)

    def _routes(self) -> RoutesFollower | None:
        path, trusted = self.settings.ext_authz_routes, self.settings.ext_authz_trusted_header
        if path is None:
            return None
        return RoutesFollower(path, trusted, self.log, self._tell_routes)

    def _ext_authz(
        self, decisions: Decisions, routes: RoutesFollower
    ) -> tuple[Mapping[str, Method], Face]:
        settings = self.settings
        denials = Denials(settings.ext_authz_reasons, settings.ext_authz_challenge)
        trusted = settings.ext_authz_trusted_header
        service = ExtAuthz(decisions, lambda: routes.table, denials, trusted)
        return service.methods(), Face("ext_authz", denials.refuse)

    def _telemetry(self) -> Telemetry:
        policies, looks = self.policies, self.settings.reload_interval > 0
        facts = Facts(
            lambda: policies.pdp.policies,
            (lambda: policies.confirmed) if looks else None,
            self.security.expires,
        )
        return Telemetry(self.settings, self.log, self.writer, facts, self.decisions)

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

    async def _tell_policies(self, current: bool) -> None:
        self.telemetry.tell_policies(current)
        await self.server.tell_health(POLICIES, current)

    async def _tell_routes(self, current: bool) -> None:
        await self.server.tell_health(ROUTES, current)
