"""How IAM administration is wired."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from taskman_authz.messaging import Event
from taskman_authz.v1.attributes_pb2_grpc import add_BindingServiceServicer_to_server

from ..chassis.attributes import ROLES as BINDINGS
from ..chassis.attributes import SERVICE as ATTRIBUTES
from ..chassis.attributes import about_subject
from ..chassis.database import Transaction
from ..chassis.errors import ServiceError
from ..chassis.events import once
from ..chassis.service import Definition, House, Wiring
from .api import SERVICE, IamAdminService
from .bindings import Bindings
from .events import EXCHANGE, USERS
from .forwarding import Forwarding
from .settings import IamSettings
from .store import Roles
from .v1.iam_admin_pb2_grpc import add_IAMAdminServiceServicer_to_server


def wire(house: House) -> Wiring:
    """Who holds roles, and the way to those who keep policies."""
    settings: IamSettings = house.settings
    roles = Roles(house.database)
    about = about_subject(house.peer("user-service", [(ATTRIBUTES, "GetAttributes")]))
    token = settings.authz_token.get_secret_value()
    forwarding = Forwarding(house.peer("authorization-service"), token, about)

    async def hear(transaction: Transaction, event: Event) -> None:
        if event.type == "user.created":
            await roles.welcome(transaction, event, settings.default_role)
        else:
            await roles.forget(transaction, event)

    async def expire() -> NoReturn:
        """Take back what has ended, until cancelled."""
        while True:
            try:
                found = await roles.expire()
            except ServiceError as error:
                house.log.warning("Roles that ended were not taken back", why=str(error))
                found = 0
            await asyncio.sleep(0 if found else settings.expiry_interval)

    service = IamAdminService(roles, forwarding, house.pep(about), about)
    return Wiring(
        servicers=(
            (add_IAMAdminServiceServicer_to_server, service, SERVICE),
            (add_BindingServiceServicer_to_server, Bindings(roles), BINDINGS),
        ),
        subscriptions=(once(house.database, USERS, hear),),
        jobs=(expire,),
    )


SERVICE_DEFINITION = Definition(
    "iam-admin-service", "taskman.iam_admin", (EXCHANGE, "user.events"), wire, IamSettings
)
