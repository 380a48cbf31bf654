"""What a sidecar is made of, how it starts and how it stops. Rooms meet here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from taskman_authz.decision_log import DecisionLog
from taskman_authz.pdp import PDP, Shadow
from taskman_authz.store import FileStore
from taskman_authz.wire import SERVICE

from .authorization import Authorization, Served
from .decisions import Decisions
from .door import Door
from .ext_authz import SERVICE as EXT_AUTHZ
from .ext_authz import Denials, ExtAuthz, RoutesFollower
from .health import POLICIES, ROUTES, Health
from .log import make_log
from .logged import follow_log
from .newest import Newest
from .notify import notify
from .orders import Orders
from .policies import PolicyFollower
from .security import SECURITY, OnlyCallers, Security
from .server import Face, Server
from .settings import Settings

if TYPE_CHECKING:
    from taskman_authz.decision import Decision
    from taskman_authz.request import CheckRequest

    from .workers.seat import Seat


def make_store(settings: Settings) -> FileStore:
    """Where the policies are."""
    return FileStore(settings.policies, verify_key=settings.verify_key)


Started = Callable[[list[str]], Awaitable[None]]


class Sidecar:
    """A decision point with its transport, in a process of its own or at a worker's `seat`.
    Policies are loaded when it is made, so that one that has none never opens an address. Raises
    `StoreError`, `CompileError`."""

    def __init__(self, settings: Settings, seat: Seat | None = None) -> None:
        self.settings = settings
        self.log = make_log(settings)
        if seat is not None:
            self.log = self.log.bind(worker=seat.number)
        self.seat = seat
        self.health = Health()
        self.security = Security(settings, self.log)
        self.candidate = self._candidate()
        self.shadow = None
        if self.candidate is not None:
            self.shadow = Shadow(self.candidate.pdp, self._tell_difference)
        store = make_store(settings) if seat is None else seat.store
        self.decisions = self._decision_log()
        make = partial(PDP, log=self.decisions, shadow=self.shadow)
        self.policies = PolicyFollower(store, self.log, self._tell_policies, make)
        self.routes = self._routes()
        found = (self.policies, self.candidate, self.routes)
        self.followed = [each for each in found if each is not None]
        self.revisions = Newest(self._revision())

    async def run(self, started: Started | None = None) -> None:
        """Serve until told to stop. `started` is awaited with the opened addresses."""
        orders = Orders(self._reload)
        orders.take_signals()
        services, faces = self._services()
        parts = self.security.listening, faces
        self.server = Server(services, self._door(), self.settings, self.health, *parts)
        opened = await self.server.start(self.settings.listen)
        tasks = [asyncio.create_task(task) for task in self._tasks(orders)]
        try:
            await self._serve(opened, orders, started)
        finally:
            self.health.stop()
            self.revisions.end()
            await orders.drain([self.server.stop], self.settings.grace)
            for task in tasks:
                task.cancel()
            self._end()

    def _services(self) -> tuple[Mapping[str, Mapping[str, Served]], Mapping[str, Face]]:
        decisions = Decisions(self.policies.pdp, self.settings.limits)
        services = {SERVICE: Authorization(decisions, self.revisions).methods()}
        if self.routes is None:
            return services, {}
        service, face = self._ext_authz(decisions, self.routes)
        return {**services, EXT_AUTHZ: service}, {EXT_AUTHZ: face}

    def _door(self) -> Door:
        explain = OnlyCallers("Explain", self.settings.explain_callers)
        return Door(self.log, [*self.security.guards, explain])

    def _tasks(self, orders: Orders) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on while calls are answered."""
        if self.settings.reload_interval > 0:
            for followed in self.followed:
                yield followed.follow(self.settings.reload_interval)
        yield self.security.follow(self.health.tell)
        if self.decisions is not None:
            yield follow_log(self.decisions, self.health)
        if self.seat is not None:
            yield self.seat.follow(self.health, orders, self.revisions)

    async def _serve(self, opened: list[str], orders: Orders, started: Started | None) -> None:
        self.health.tell(POLICIES, True)
        self.health.tell(SECURITY, not self.security.problems())
        if self.routes is not None:
            self.health.tell(ROUTES, True)
        self.health.serve(SERVICE, *(() if self.routes is None else (EXT_AUTHZ,)))
        # The supervisor of workers speaks for all of them.
        message = "serving" if self.seat is None else "worker serving"
        self.log.info(message, listen=opened, revision=self._revision())
        if self.seat is None:
            notify("READY=1")
        if started is not None:
            await started(opened)
        await orders.stopping.wait()
        if self.seat is None:
            notify("STOPPING=1")
        self.log.info("stopping", grace=self.settings.grace)

    async def _reload(self) -> None:
        """Read again now what is followed."""
        self.security.reload()
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

    def _candidate(self) -> PolicyFollower | None:
        if self.settings.shadow_policies is None:
            return None
        log = self.log.bind(policies="shadow")
        return PolicyFollower(FileStore(self.settings.shadow_policies), log, _tell_nobody)

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
        self.health.tell(POLICIES, current)
        self.revisions.tell(self._revision())

    async def _tell_routes(self, current: bool) -> None:
        self.health.tell(ROUTES, current)


async def _tell_nobody(_current: bool) -> None:
    """Nobody is answered by a candidate."""
