"""How the authentication service is wired."""

from __future__ import annotations

from typing import Any

import jwt
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..chassis.attributes import about_subject
from ..chassis.client import Peer
from ..chassis.database import Database
from ..chassis.events import once
from ..chassis.keys import Keys, Secret
from ..chassis.service import Definition, House, Wiring
from ..user.v1 import user_pb2
from ..user.v1.user_pb2_grpc import UserServiceStub
from . import events
from .api import OPEN, SERVICE, AuthenticationService, Find, Sign
from .domain import Account
from .factors import Factors
from .keys import SigningKeys
from .oauth import JWKS, OAuth
from .settings import AuthenticationSettings
from .store import Accounts
from .throttle import Throttle
from .v1.authentication_pb2_grpc import add_AuthenticationServiceServicer_to_server

USERS = "taskman.user.v1.UserService"


def keys(settings: AuthenticationSettings, database: Database) -> Keys:
    """What verifies the tokens that this service signs."""
    if settings.jwt_algorithm == "HS256" and settings.jwt_secret is not None:
        return Secret(settings.jwt_secret.get_secret_value())
    return SigningKeys(settings, database)


def finder(peer: Peer) -> Find:
    """Finds users by their addresses, where they are kept."""
    stub: Any = UserServiceStub(peer.channel)

    async def find(email: str) -> Account:
        answer = await peer.ask(stub.GetUser, user_pb2.GetUserRequest(email=email))
        user = answer.user
        return Account(user.id, user.company_id, user.email, user.is_active)

    return find


def signer(settings: AuthenticationSettings, signing: Keys) -> Sign:
    """Signs access tokens, by the settings' algorithm."""
    if isinstance(signing, SigningKeys):
        return signing.sign

    async def sign(claims: dict[str, Any]) -> str:
        assert settings.jwt_secret is not None  # the settings' own law
        return jwt.encode(claims, settings.jwt_secret.get_secret_value(), "HS256")

    return sign


def wire(house: House) -> Wiring:
    """Sessions, passwords, and the public keys of tokens."""
    accounts, throttle = Accounts(house.database, house.cache), Throttle(house.database)
    users = house.peer("user-service", [(USERS, "GetUser")])
    signing = house.tokens.keys
    logins = Counter(
        "taskman_logins_total",
        "Attempts to sign in",
        ("company", "success"),
        registry=house.metrics.registry,
    )
    service = AuthenticationService(
        house.settings,
        accounts,
        Factors(house.database, house.settings.key_secret.get_secret_value().encode()),
        throttle,
        house.pep(about_subject(users)),
        house.tokens,
        signer(house.settings, signing),
        finder(users),
        logins,
    )

    async def jwks(_request: Request) -> Response:
        found = await signing.published() if isinstance(signing, SigningKeys) else {"keys": []}
        return JSONResponse(found, headers={"cache-control": "max-age=30"})

    oauth = OAuth(service, house.tokens, house.metrics, house.log, house.settings.issuer)
    jobs = [service.send_resets, service.tidy]
    if isinstance(signing, SigningKeys):
        jobs.append(signing.keep_turning)
    return Wiring(
        servicers=((add_AuthenticationServiceServicer_to_server, service, SERVICE),),
        subscriptions=(
            once(house.database, events.USERS, accounts.user_gone),
            once(house.database, events.ROLES, accounts.take_roles),
        ),
        routes=(Route(JWKS, jwks), *oauth.routes()),
        open_methods=OPEN,
        jobs=jobs,
    )


SERVICE_DEFINITION = Definition(
    "authentication-service",
    "taskman.authentication",
    (events.EXCHANGE, "user.events", "iam.events"),
    wire,
    AuthenticationSettings,
    keys,
    "auth",
)
