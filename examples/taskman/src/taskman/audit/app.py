"""How the audit service is wired."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from prometheus_client import Counter

from taskman_authz.messaging import Event, Queue

from ..chassis.attributes import SERVICE as ATTRIBUTES
from ..chassis.attributes import about_subject
from ..chassis.caller import Caller
from ..chassis.database import Transaction
from ..chassis.errors import ServiceError
from ..chassis.events import once
from ..chassis.service import Definition, House, Wiring
from .api import SERVICE, AuditService
from .settings import AuditSettings
from .store import Trails
from .v1.audit_pb2_grpc import add_AuditServiceServicer_to_server

EXCHANGES = ("auth.events", "user.events", "iam.events", "task.events", "notification.events")
EVERYTHING = Queue("audit.everything", dict.fromkeys(EXCHANGES, ("#",)))
LOOK = 3_600.0  # seconds between looks at what is too old, and at the month that comes


def wire(house: House) -> Wiring:
    """Trails of everything that is told."""
    trails = Trails(house.database)
    users = house.peer("user-service", [(ATTRIBUTES, "GetAttributes")])
    about_user = about_subject(users)
    heard = Counter(
        "taskman_audit_events_total",
        "Events that were written down",
        ("event_type",),
        registry=house.metrics.registry,
    )

    async def about(who: Caller) -> Mapping[str, Any]:
        return await about_user(who)

    async def hear(transaction: Transaction, event: Event) -> None:
        await trails.hear(transaction, event)
        heard.labels(event.type.partition(".")[0]).inc()  # families are few, and ours

    async def keep() -> NoReturn:
        """Make partitions and drop old ones, until cancelled."""
        while True:
            oldest = datetime.now(UTC) - timedelta(days=house.settings.retention_days)
            try:
                dropped = await trails.keep(oldest)
            except ServiceError as error:
                house.log.warning("Partitions were not kept", why=str(error))
                await asyncio.sleep(5)
                continue
            if dropped:
                house.log.info("What was too old is gone", partitions=dropped)
            await asyncio.sleep(LOOK)

    return Wiring(
        servicers=(
            (add_AuditServiceServicer_to_server, AuditService(trails, house.pep(about)), SERVICE),
        ),
        subscriptions=(once(house.database, EVERYTHING, hear),),
        jobs=(keep,),
    )


SERVICE_DEFINITION = Definition("audit-service", "taskman.audit", EXCHANGES, wire, AuditSettings)
