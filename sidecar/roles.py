"""Who holds which role, as its owner tells: a snapshot now and then (`BindingService`), events in
between. A request that gives no roles is given those that its subject holds.

Laws: before the first snapshot nobody is asked for a decision that could need it, because a deny
policy of a role that is not known would not deny. While the owner does not answer, the last that is
known stays, and `age` says how old it is.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import msgspec
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from taskman_authz.bindings import Bindings, Held, HeldRole, SubjectRoles
from taskman_authz.errors import AuthzError, RequestError, UnavailableError
from taskman_authz.limits import Limits
from taskman_authz.request import CheckRequest
from taskman_authz.v1 import attributes_pb2 as pb

from .sources import Metadata, nothing, status_of_call
from .status import Code, Refusal

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

# The roles that are known are those that their owner told when last asked.
ROLES = "taskman_authz.roles"
EVENTS = ("iam.role.assigned", "iam.role.revoked")
SILENCE = 10.0  # seconds in which a snapshot may stand still
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds until an owner that failed is asked again

Subjects = Iterable[tuple[str, str]]  # company and `type:id`
Changed = Callable[[Subjects], Awaitable[object]]


class Roles:
    """Keeps the roles that the owner behind `channel` tells. `changed` learns of each subject whose
    roles became others; `told` whether the last snapshot could be taken."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        interval: float,
        limits: Limits,
        log: FilteringBoundLogger,
        changed: Changed,
        told: Callable[[bool], object],
        shown: Callable[[], Metadata] = nothing,
    ) -> None:
        self._ask = channel.unary_stream(  # for bytes, as a source is
            "/taskman_authz.v1.BindingService/Snapshot", pb.SnapshotRequest.SerializeToString, None
        )
        self._interval = interval
        self._limits = limits
        self._log = log
        self._changed = changed
        self._told = told
        self._shown = shown
        self._bindings = Bindings(limits)
        self._changing = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._taken = time.monotonic()
        self._answers = True
        self.loaded = asyncio.Event()

    def __len__(self) -> int:
        return len(self._bindings)

    @property
    def age(self) -> float:
        """Seconds since the last snapshot, or since we began."""
        return time.monotonic() - self._taken

    def complete(self, request: CheckRequest) -> CheckRequest:
        """The request with the roles of its subject, where it gives none. Raises Refusal before
        the first snapshot."""
        given = request.subject
        if isinstance(given, Mapping) and given.get("roles") is not None:
            return request
        roles = list(self.held(request).roles)
        return msgspec.structs.replace(
            request, roles=None, subject={**(given or {}), "roles": roles}
        )

    def held(self, request: CheckRequest) -> Held:
        """The roles that the subject of a request holds. Raises Refusal as `complete`."""
        if not self._bindings.is_loaded:
            raise Refusal(Code.UNAVAILABLE, "who holds which role is not known yet")
        subject = f"{request.subject_type}:{request.subject_id}"
        return self._bindings.held(request.company_id, subject, request.now)

    async def take(self, data: dict[str, Any]) -> None:
        """Take in what an event tells. Raises RequestError for what cannot be read."""
        told = SubjectRoles.of(data)
        async with self._changing:
            is_news = self._bindings.apply(told)
        if is_news:
            await self._changed([(told.company_id, told.subject)])

    def want_snapshot(self) -> None:
        """Take a snapshot soon: an event may have been missed."""
        self._wanted.set()

    async def follow(self) -> NoReturn:
        """Take snapshots, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            self._wanted.clear()
            try:
                await self._take_snapshot()
            except AuthzError as error:
                self._failed(error)
                wait, pause = pause, min(pause * 2, LONGEST_PAUSE)
            except Exception as error:  # whatever it was, the next one must still be taken
                self._log.error("taking in roles failed", exc_info=error)
                wait = LONGEST_PAUSE
            else:
                self._succeeded()
                wait, pause = self._interval, FIRST_PAUSE
            await self._wait(wait * random.uniform(0.9, 1.1), self._answers)

    async def _wait(self, seconds: float, may_be_sooner: bool) -> None:
        if not may_be_sooner:
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            pass

    async def _take_snapshot(self) -> None:
        self._bindings.begin_snapshot()
        began = time.monotonic()
        snapshot = await self._read()
        async with self._changing:
            # In a thread: a million of them take seconds. Who asks meanwhile gets old or new ones.
            changed = await asyncio.to_thread(self._bindings.replace, snapshot)
        self._taken = began
        await self._changed(changed)

    async def _read(self) -> list[SubjectRoles]:
        found: list[SubjectRoles] = []
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SILENCE) as patience:
                async for told in self._ask(pb.SnapshotRequest(), metadata=self._shown()):
                    patience.reschedule(loop.time() + SILENCE)
                    found.append(_subject(pb.SubjectRoles.FromString(told)))
                    if len(found) > self._limits.bindings:
                        most = self._limits.bindings
                        raise RequestError("bindings", f"more than {most} (bindings)")
        except grpc.RpcError as error:
            raise UnavailableError(status_of_call(error)) from None
        except DecodeError:
            raise UnavailableError("what it tells cannot be parsed") from None
        except TimeoutError:
            raise UnavailableError("too late") from None
        return found

    def _failed(self, error: AuthzError) -> None:
        if self._answers:
            kept = "the last ones stay" if self._bindings.is_loaded else "there are none"
            self._log.error(f"roles cannot be read, {kept}", why=str(error))
        self._answers = False
        self._told(False)

    def _succeeded(self) -> None:
        if not self._answers or not self.loaded.is_set():
            self._log.info("roles loaded", subjects=len(self._bindings))
        self._answers = True
        self.loaded.set()
        self._told(True)


def _subject(told: pb.SubjectRoles) -> SubjectRoles:
    """What a message says. Raises RequestError."""
    roles = tuple(
        HeldRole(role.name, _time(role.expires_at) if role.HasField("expires_at") else None)
        for role in told.roles
    )
    return SubjectRoles(told.company_id, told.subject, told.version, roles)


def _time(stamp: Timestamp) -> datetime:
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise RequestError("expires_at", "expected a time that there is") from None
