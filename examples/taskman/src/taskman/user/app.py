"""How the user service is wired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import Gauge

from taskman_authz.v1.attributes_pb2_grpc import add_AttributeServiceServicer_to_server

from ..chassis import attributes as pip
from ..chassis.caller import Caller
from ..chassis.service import Definition, House, Wiring
from .api import SERVICE, UserService
from .events import EXCHANGE
from .store import Users
from .v1.user_pb2_grpc import add_UserServiceServicer_to_server


def wire(house: House) -> Wiring:
    """Users, and their attributes. What is known of a caller it knows itself."""
    users = Users(house.database, house.cache)
    total = Gauge("taskman_users_total", "Users", ("company",), registry=house.metrics.registry)

    async def about(who: Caller) -> Mapping[str, Any]:
        return (await service.attributes(who.company, [who.id])).get(who.id, {"is_active": False})

    service = UserService(users, house.pep(about), total)
    return Wiring(
        servicers=(
            (add_UserServiceServicer_to_server, service, SERVICE),
            (
                add_AttributeServiceServicer_to_server,
                pip.Attributes({"user": service.attributes}),
                pip.SERVICE,
            ),
        )
    )


SERVICE_DEFINITION = Definition("user-service", "taskman.user", (EXCHANGE,), wire)
