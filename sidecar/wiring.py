"""What a sidecar is made of, how it starts and how it stops. Rooms meet here and nowhere else."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
from structlog import WriteLogger

from taskman_authz.attributes import EntityFiles
from taskman_authz.decision_log import DecisionLog
from taskman_authz.errors import AuthzError
from taskman_authz.pdp import PDP, Shadow
from taskman_authz.policy import PolicySet
from taskman_authz.store import FileStore
from taskman_authz.wire import SERVICE

from . import health_service
from .at_least import at_least
from .authorization import Authorization, Served
from .decisions import Decisions
from .door import Door, Guard
from .entities import EntityFollower
from .ext_authz import SERVICE as EXT_AUTHZ
from .ext_authz import Denials, ExtAuthz, RoutesFollower
from .faces import Face
from .following import Follower
from .health import POLICIES, ROUTES, Health
from .http.face import HTTPFace
from .knowledge import Knowledge
from .log import make_log, take_over
from .log_writer import LogWriter
from .logged import follow_log
from .newest import Newest
from .notify import notify
from .orders import Orders
from .policies import PolicyFollower
from .security import SECURITY, OnlyCallers, Security
from .settings import Settings
from .telemetry import Facts, Telemetry
from .transports import choose

if TYPE_CHECKING:
    from taskman_authz.decision import Decision
    from taskman_authz.request import CheckRequest

    from .database import Control, RevisionStore
    from .workers.seat import Seat


def make_store(settings: Settings) -> FileStore | RevisionStore:
    """Where the policies are, for who reads them before there are workers."""
    if settings.database is None:
        return FileStore(settings.policies, verify_key=settings.verify_key)
    log = make_log(settings, WriteLogger(sys.stderr))
    store: RevisionStore = database_module().make_revision_store(settings, log)
    return store


def database_module() -> ModuleType:
    """What policies in a database need. Raises AuthzError where it is not installed."""
    try:
        return import_module(f"{__package__}.database.control")
    except ImportError as error:
        raise AuthzError(f"--database: {error}") from error


Started = Callable[[list[str]], Awaitable[None]]


class Sidecar:
    """A decision point with its transport, in a process of its own or at a worker's `seat`.
    Policies are loaded when it is made, so that one that has none never opens an address. Raises
    `StoreError`, `CompileError`."""

    def __init__(self, settings: Settings, seat: Seat | None = None) -> None:
        self.settings = settings
        self.writer = LogWriter()
        self.log = make_log(settings, self.writer)
        if seat is not None:
            self.log = self.log.bind(worker=seat.number)
        self.seat = seat
        self.health = Health()
        self.security = Security(settings, self.log)
        self.candidate = self._candidate()
        self.shadow = None
        if self.candidate is not None:
            self.shadow = Shadow(self.candidate.pdp, self._tell_difference)
        self.decisions = self._decision_log()
        make = partial(PDP, log=self.decisions, shadow=self.shadow)
        self.control: Control | None = None
        self.policies = self._policies(make)
        self.routes = self._routes()
        self.entities = None
        if settings.entities is not None:
            files = EntityFiles(settings.entities, settings.limits)
            self.entities = EntityFollower(files, self.log)
        self.telemetry = self._telemetry()
        if self.control is not None:
            self.control.relay(self.telemetry.tell_relay)
        elif settings.relay or settings.administration:
            raise AuthzError("--relay and --administration need --database")
        self.knowledge = Knowledge(settings, self.log, self.health)
        found = (self.policies, self.candidate, self.entities, self.routes)
        self.followed: list[Follower[Any]] = [each for each in found if each is not None]
        self.revisions = Newest(self._revision())

    async def run(self, started: Started | None = None) -> None:
        """Serve until told to stop. `started` is awaited with the opened addresses."""
        take_over(self.log)
        orders = Orders(self._reload)
        orders.take_signals()
        settings, listening = self.settings, self.security.listening
        decisions, door = self._decisions(), self._door()
        services, faces = self._services(decisions)
        self.server = choose(settings, self.log)(services, door, settings, listening, faces)
        self.http = None
        if settings.http_listen:
            parts = (decisions, self.entities, self.policies, door, settings, listening)
            self.http = HTTPFace(*parts, self.log, not_yet=self.knowledge.why_not)
        http = [] if self.http is None else self.http.open()
        opened = await self.server.start(settings.listen)
        tasks = [asyncio.create_task(task) for task in self._tasks(orders)]
        try:
            if self.http is not None:
                await self.http.start()
            await self._serve(opened, http, orders, started)
        finally:
            await self._stop(orders)
            for task in tasks:
                task.cancel()
            await self.knowledge.close()
            if self.control is not None:
                await self.control.close()
            await self.telemetry.stop()
            self._end()

    def _decisions(self) -> Decisions:
        stored = None if self.entities is None else self.entities.complete
        complete, gathering = self.knowledge.open(stored)
        self.telemetry.follow(self.knowledge)
        pdp, limits = self.policies.pdp, self.settings.limits
        made = Decisions(
            pdp, limits, self.telemetry.told, complete, gathering, self.telemetry.count
        )
        if made.is_alone and limits.answer_memory:
            self.telemetry.follow_answers(made)
        return made

    def _services(
        self, decisions: Decisions
    ) -> tuple[Mapping[str, Mapping[str, Served]], Mapping[str, Face]]:
        services = {
            SERVICE: Authorization(decisions, self.revisions).methods(),
            health_service.SERVICE: health_service.HealthService(self.health).methods(),
        }
        faces = {health_service.SERVICE: health_service.FACE}
        if self.control is not None:
            services |= self.control.administration(decisions)
        if self.routes is None:
            return services, faces
        service, face = self._ext_authz(decisions, self.routes)
        return {**services, EXT_AUTHZ: service}, {**faces, EXT_AUTHZ: face}

    def _door(self) -> Door:
        explain = OnlyCallers("Explain", self.settings.explain_callers)
        newest = at_least(None if self.control is None else self.control.policies)
        guards: list[Guard] = [*self.telemetry.guards, *self.security.guards, explain, newest]
        return Door(self.log, guards, self.telemetry.watchers)

    def _tasks(self, orders: Orders) -> Iterator[Coroutine[Any, Any, object]]:
        """What goes on while calls are answered."""
        for followed in self.followed:
            yield followed.follow(self.settings.reload_interval)
        yield self.security.follow(self.health.tell)
        yield from self.knowledge.tasks()
        if self.control is not None:
            yield from self.control.tasks()
        if self.knowledge.why_not():
            yield self._serve_when_ready()
        if self.decisions is not None:
            yield follow_log(self.decisions, self.health)
        if self.seat is not None:
            yield self.seat.follow(self.health, orders, self.revisions)

    async def _serve(
        self, opened: list[str], http: list[str], orders: Orders, started: Started | None
    ) -> None:
        metrics = self.telemetry.start()
        shown = {} if metrics is None else {"metrics": metrics}
        self._tell_health()
        if not self.knowledge.why_not():
            self._tell_ready()
        # The supervisor of workers speaks for all of them.
        message = "serving" if self.seat is None else "worker serving"
        shown["revision"] = self._revision()
        transport = self.server.transport
        self.log.info(message, listen=opened, transport=transport, http_listen=http, **shown)
        # What is there now stays: the collector, which a batch of hundreds of requests sets off,
        # need not look at it again.
        gc.collect()
        gc.freeze()
        if started is not None:
            await started(opened)
        await orders.stopping.wait()
        if self.seat is None:
            notify("STOPPING=1")
        self.log.info("stopping", grace=self.settings.grace)

    def _tell_health(self) -> None:
        self.health.tell(POLICIES, self.policies.current)
        self.health.tell(SECURITY, not self.security.problems())
        if self.routes is not None:
            self.health.tell(ROUTES, True)

    async def _serve_when_ready(self) -> None:
        """Say that we serve, once there is what decisions cannot do without."""
        await self.knowledge.ready()
        self._tell_ready()

    def _tell_ready(self) -> None:
        self.health.serve(SERVICE, *(() if self.routes is None else (EXT_AUTHZ,)))
        if self.seat is None:
            notify("READY=1")

    async def _stop(self, orders: Orders) -> None:
        self.health.stop()
        self.revisions.end()
        stops = [self.server.stop] if self.http is None else [self.server.stop, self.http.stop]
        await orders.drain(stops, self.settings.grace)

    async def _reload(self) -> None:
        """Read again now what is followed."""
        self.security.reload()
        self.knowledge.reload()
        for followed in self.followed:
            try:
                await followed.reload()
            except Exception as error:  # the others are read all the same
                self.log.error("reading again failed", exc_info=error)

    def _revision(self) -> str:
        return self.policies.pdp.policies.revision

    def _end(self) -> None:
        if self.decisions is not None:
            self.decisions.close()
            counts = {"written": self.decisions.written, "dropped": self.decisions.dropped}
            self.log.info("decision log closed", **counts)
        if self.shadow is not None:
            self.log.info("shadow policies", **msgspec.structs.asdict(self.shadow.counts))
        self.log.info("stopped")
        self.writer.flush()

    def _policies(self, make: Callable[[PolicySet], PDP]) -> PolicyFollower:
        settings, seat, tell = self.settings, self.seat, self._tell_policies
        if settings.database is None:
            store = make_store(settings) if seat is None else seat.store
            return PolicyFollower(store, self.log, tell, make)
        made: Control = database_module().Control(settings, self.log, seat, tell, make)
        self.control = made
        return made.policies

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
    ) -> tuple[Mapping[str, Served], Face]:
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
        path = settings.decision_log
        return DecisionLog(
            path if self.seat is None else self.seat.own(path),
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
        self.health.tell(POLICIES, current)
        self.revisions.tell(self._revision())

    async def _tell_routes(self, current: bool) -> None:
        self.health.tell(ROUTES, current)
