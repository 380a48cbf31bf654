"""The RPCs of audit, each in five beats: who, find, require, decide, save and say."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict

from ..chassis.caller import caller
from ..chassis.errors import InvalidInput
from ..chassis.fields import (
    page_token,
    read_choice,
    read_id,
    read_page,
    read_text,
    read_time,
    stamp,
)
from ..chassis.pep import Pep
from . import access
from .chain import Entry, without_secrets
from .reports import FORMATS, Report, written
from .store import Trails, Wanted
from .v1 import audit_pb2 as wire
from .v1 import audit_pb2_grpc as rpc

SERVICE = "taskman.audit.v1.AuditService"
RESULTS = ("success", "failure")


class AuditService(rpc.AuditServiceServicer):
    """Answers for trails."""

    def __init__(self, trails: Trails, pep: Pep) -> None:
        self._trails = trails
        self._pep = pep

    async def LogEvent(self, request: wire.LogEventRequest, _: Any) -> wire.LogEventResponse:
        """Write down what a service says."""
        who = caller()
        await self._pep.require(who, access.LOG, access.events(who.company))
        type = read_text("event_type", request.event_type, 100)
        entry = Entry(
            id=str(uuid.uuid4()),
            event_type=type,
            company_id=who.company,
            action=type.rpartition(".")[2],
            result=read_choice("result", request.result, RESULTS),
            timestamp=datetime.now(UTC),
            actor_id=_id("actor_id", request.actor_id),
            actor_email=read_text("actor_email", request.actor_email, 255, 0),
            target_type=read_text("target_type", request.target_type, 100, 0),
            target_id=_id("target_id", request.target_id) or "",
            ip_address=read_text("ip_address", request.ip_address, 50, 0),
            user_agent=read_text("user_agent", request.user_agent, 1_000, 0),
            metadata={**without_secrets(MessageToDict(request.metadata)), "told_by": who.name},
        )
        return wire.LogEventResponse(event=message(await self._trails.add(entry)))

    async def QueryEvents(
        self, request: wire.QueryEventsRequest, _: Any
    ) -> wire.QueryEventsResponse:
        """A page of what happened."""
        who = caller()
        page = read_page(request.page_size, request.page_token)
        wanted = Wanted(
            read_text("event_type", request.event_type, 100, 0),
            _id("actor_id", request.actor_id),
            read_text("target_type", request.target_type, 100, 0),
            read_text("target_id", request.target_id, 255, 0),
            read_choice("result", request.result, RESULTS) if request.result else "",
            _time("from", request),
            _time("until", request),
        )
        await self._pep.require(who, access.QUERY, access.events(who.company))
        found = await self._trails.page(who.company, wanted, page)
        return wire.QueryEventsResponse(**_page(found, page.size))

    async def GetComplianceReport(
        self, request: wire.GetComplianceReportRequest, _: Any
    ) -> wire.GetComplianceReportResponse:
        """What happened in a time, counted."""
        who = caller()
        since, until = _time("from", request), _time("until", request)
        if since is None or until is None or since >= until:
            raise InvalidInput("until", "expected two times, the later one here")
        format = read_choice("format", request.format or "json", FORMATS)
        await self._pep.require(who, access.REPORT, access.report(who.company))
        counts = await self._trails.counts(who.company, since, until)
        broken = await self._trails.broken_at(who.company)
        report = Report(who.company, since, until, counts, broken)
        return wire.GetComplianceReportResponse(
            content=written(report, format),
            media_type=FORMATS[format],
            events=report.events,
            is_whole=not broken,
            broken_at=broken,
        )

    async def GetUserActivity(
        self, request: wire.GetUserActivityRequest, _: Any
    ) -> wire.GetUserActivityResponse:
        """A page of what a user did."""
        who = caller()
        user_id = read_id("user_id", request.user_id)
        page = read_page(request.page_size, request.page_token)
        await self._pep.require(who, access.ACTIVITY, access.activity(who.company, user_id))
        found = await self._trails.page(who.company, Wanted(actor_id=user_id), page)
        return wire.GetUserActivityResponse(**_page(found, page.size))


def _id(field: str, text: str) -> str | None:
    return read_id(field, text) if text else None


def _time(field: str, request: Any) -> datetime | None:
    return read_time(field, getattr(request, field)) if request.HasField(field) else None


def _page(entries: list[Entry], size: int) -> dict[str, Any]:
    shown = entries[:size]
    token = page_token(shown[-1].timestamp, shown[-1].id) if len(entries) > size else ""
    return {"events": [message(entry) for entry in shown], "next_page_token": token}


def message(entry: Entry) -> wire.AuditEvent:
    """An entry on the wire."""
    same = (
        *("id", "event_type", "actor_email", "target_type", "target_id", "company_id", "action"),
        *("result", "ip_address", "user_agent", "sequence", "hash"),
    )
    made = wire.AuditEvent(
        **{name: getattr(entry, name) for name in same},
        actor_id=entry.actor_id or "",
        timestamp=stamp(entry.timestamp),
    )
    made.metadata.update(entry.metadata)
    return made
