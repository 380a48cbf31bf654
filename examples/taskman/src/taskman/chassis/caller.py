"""Who calls: a user by the access token that authentication gave them, a service by a token of
its own.

Laws: who somebody is comes from a verified token and from nowhere else; other metadata only name
the request. A service's role is its name, whatever its token says. A user without a company is
nobody.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any

import jwt
import msgspec

from .errors import Denied, Unauthenticated
from .keys import Keys

USERS = "taskman"  # audiences of tokens
SERVICES = "taskman-services"
SERVICE_KEY = "service"  # the key id of a service's token
LIFE = 60  # seconds of a service's token


class Caller(msgspec.Struct, frozen=True):
    """A user or service, in a company (a service perhaps in none)."""

    kind: str  # `user`, `service`, `anonymous`
    id: str
    company_id: str = ""
    roles: tuple[str, ...] = ()
    session_id: str = ""
    ip: str = ""
    mfa: bool = False  # the session was confirmed by a second factor

    @property
    def name(self) -> str:
        """`type:id`, as events and policies name it."""
        return f"{self.kind}:{self.id}"

    @property
    def company(self) -> str:
        """The company. Raises Denied where there is none."""
        if not self.company_id:
            raise Denied("no company context")
        return self.company_id


ANONYMOUS = Caller("anonymous", "anonymous")
_CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller:
    """Who makes the call that is being answered."""
    found = _CALLER.get()
    if found is None:
        raise Unauthenticated("no token")
    return found


def enter(who: Caller) -> None:
    """From here on, in this task, `who` is the caller."""
    _CALLER.set(who)


def service_token(name: str, secret: str, company_id: str = "", life: int = LIFE) -> str:
    """A token of a service for a company (or ""), good for `life` seconds."""
    claims: dict[str, Any] = {"iss": name, "sub": name, "aud": SERVICES, "company_id": company_id}
    claims["iat"] = now = int(time.time())
    claims["exp"] = now + life
    return jwt.encode(claims, secret, "HS256", headers={"kid": SERVICE_KEY})


class Tokens:
    """Reads the tokens of callers, and makes those of the service `name`."""

    def __init__(self, name: str, service_secret: str, keys: Keys) -> None:
        self._name = name
        self._secret = service_secret
        self.keys = keys

    def own(self, company_id: str) -> str:
        """A token by which this service calls another one, for a company (or "")."""
        return service_token(self._name, self._secret, company_id)

    async def read(self, token: str) -> Caller:
        """Who a token is of. Raises Unauthenticated, Unavailable (where keys cannot be had)."""
        try:
            if jwt.get_unverified_header(token).get("kid") == SERVICE_KEY:
                return _service(jwt.decode(token, self._secret, ["HS256"], audience=SERVICES))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("the token is not valid") from error
        return user_of(await self.claims(token))

    async def claims(self, token: str) -> dict[str, Any]:
        """What the token of a user says. Raises as `read`."""
        try:
            header = jwt.get_unverified_header(token)
            key, algorithm = await self.keys.find(str(header.get("kid", "")))
            required: Any = {"require": ["exp", "sub", "company_id", "jti"]}
            claims: dict[str, Any] = jwt.decode(
                token, key, [algorithm], audience=USERS, options=required
            )
            user_of(claims)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("the token is not valid") from error
        return claims


def _service(claims: dict[str, Any]) -> Caller:
    name = str(claims["iss"])
    return Caller("service", name, str(claims.get("company_id", "")), (name,))


def user_of(claims: dict[str, Any]) -> Caller:
    """The user whose token says this. Raises ValueError."""
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise ValueError("roles")
    company = claims["company_id"]
    if not company or not isinstance(company, str):
        raise ValueError("company_id")
    methods = claims.get("amr", [])  # RFC 8176
    mfa = isinstance(methods, list) and "mfa" in methods
    sid = str(claims.get("sid", ""))
    return Caller("user", str(claims["sub"]), company, tuple(roles), sid, mfa=mfa)
