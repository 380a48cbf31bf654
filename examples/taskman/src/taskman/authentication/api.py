"""The RPCs of authentication."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from prometheus_client import Counter

from ..chassis.caller import Caller, Tokens, caller, enter, user_of
from ..chassis.errors import (
    InvalidInput,
    NotFound,
    ServiceError,
    TooMany,
    Unauthenticated,
)
from ..chassis.fields import is_id, read_email, read_id, read_text, stamp
from ..chassis.pep import Pep
from . import access, domain, events
from .domain import Account, Session
from .factors import Factors
from .passwords import Passwords, read_password
from .settings import AuthenticationSettings
from .store import Accounts
from .throttle import Attempt, Throttle
from .v1 import authentication_pb2 as wire
from .v1 import authentication_pb2_grpc as rpc

SERVICE = "taskman.authentication.v1.AuthenticationService"
OPEN = ("Login", "RefreshToken", "ResetPassword")
NO = "wrong e-mail or password"
WRONG_CODE = "wrong code"
RESETS = 1_000  # that wait to be looked at; more are as if they had been lost on the way
Sign = Callable[[dict[str, Any]], Awaitable[str]]
Find = Callable[[str], Awaitable[Account]]  # by e-mail; raises NotFound


class AuthenticationService(rpc.AuthenticationServiceServicer):
    """Signs users in and out."""

    def __init__(
        self,
        settings: AuthenticationSettings,
        accounts: Accounts,
        factors: Factors,
        throttle: Throttle,
        pep: Pep,
        tokens: Tokens,
        sign: Sign,
        find: Find,
        logins: Counter,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._factors = factors
        self._throttle = throttle
        self._pep = pep
        self._tokens = tokens
        self._sign = sign
        self._find = find
        self._logins = logins  # by company and success
        self._passwords = Passwords(settings.bcrypt_cost)
        self._resets: asyncio.Queue[str] = asyncio.Queue(RESETS)

    # -- signing in and out ----------------------------------------------------------------------

    async def Login(self, request: wire.LoginRequest, _: Any) -> wire.LoginResponse:
        """Begin a session."""
        who, ip = caller(), _place(caller(), request.ip_address)
        email = read_email("email", request.email)
        read_text("user_agent", request.user_agent, 1_000, 0)
        attempt = await self._attempt(who, email, ip)
        account = await self._checked(email, request.password, ip)
        passes = await self._factors.passes(account, request.code)
        if passes is False:
            await self._failed(email, account, ip)
            raise Unauthenticated(WRONG_CODE if request.code else "a code is needed, too")
        await self._throttle.succeeded(attempt)
        return await self._begun(account, ip, request.user_agent, mfa=bool(passes))

    async def _attempt(self, who: Caller, email: str, ip: str) -> Attempt:
        """Count one. Raises TooMany."""
        attempt = await self._throttle.attempt(email, ip)
        context = {"failed_logins": attempt.failed}
        anonymous = Caller("anonymous", who.id)
        if attempt.is_storm or not await self._pep.allows(
            anonymous, access.LOGIN, access.NEW, context
        ):
            raise TooMany("too many failures; try again later")
        return attempt

    async def _failed(self, email: str, account: Account | None, ip: str) -> None:
        self._logins.labels(account.company_id if account else "", "false").inc()
        await self._accounts.failed(events.failed(email, account, ip))

    async def _checked(self, email: str, password: str, ip: str) -> Account:
        """Whose address and password these are. Raises Unauthenticated."""
        account: Account | None = None
        with suppress(NotFound):
            account = await self._find(email)
        hashed = await self._accounts.password(account) if account else None
        fits = await self._passwords.fits(password, hashed)
        if account is None or not fits or not account.is_active:
            await self._failed(email, account, ip)
            raise Unauthenticated(NO)
        return account

    async def _begun(
        self, account: Account, ip: str, user_agent: str, *, mfa: bool
    ) -> wire.LoginResponse:
        now = datetime.now(UTC)
        life = self._settings.session_life
        session, token = domain.begin(account, ip, user_agent, now, life, mfa)
        await self._accounts.begin(session)
        self._logins.labels(account.company_id, "true").inc()
        tokens = await self._made(session, token, now)
        return wire.LoginResponse(tokens=tokens, user_id=account.user_id)

    async def Logout(self, _request: wire.LogoutRequest, _: Any) -> wire.LogoutResponse:
        """End the session of the caller's token."""
        who = caller()
        session = await self._own(who)
        await self._pep.require(who, access.LOGOUT, access.resource(session, who))
        await self._accounts.end(session)
        return wire.LogoutResponse()

    async def _own(self, who: Caller) -> Session:
        """The session of a caller's token. Raises NotFound."""
        session = await self._accounts.session(who.session_id) if is_id(who.session_id) else None
        if session is None or session.company_id != who.company_id:
            raise NotFound("there is no such session")
        return session

    async def revoke(self, token: str) -> None:
        """End the session that an access or refresh token is of, whoever shows it; one that is good
        for nothing is no error (RFC 7009 section 2.2)."""
        with suppress(Unauthenticated, NotFound, InvalidInput):
            if token.count(".") == 2:  # a JWT
                enter(user_of(await self._tokens.claims(token)))
            else:
                enter((await self._session_of(token)).caller())
            await self.Logout(wire.LogoutRequest(), None)

    # -- tokens ----------------------------------------------------------------------------------

    async def RefreshToken(
        self, request: wire.RefreshTokenRequest, _: Any
    ) -> wire.RefreshTokenResponse:
        """New tokens for a refresh token that is good."""
        given = read_text("refresh_token", request.refresh_token, 512)
        session = await self._session_of(given)
        now = datetime.now(UTC)
        roles = await self._accounts.roles(session.company_id, session.user_id)
        who = session.caller([role.name for role in roles])
        await self._pep.require(who, access.REFRESH, access.resource(session, who))
        token = await self._accounts.rotate(session, now)
        if token is None:  # somebody else was quicker with the same one
            await self._reused(session)
        return wire.RefreshTokenResponse(tokens=await self._made(session, token, now))

    async def _session_of(self, token: str) -> Session:
        """The session whose refresh token this is. Raises Unauthenticated; one that was used
        before ends it."""
        id = token.partition(".")[0]
        session = await self._accounts.session(id) if is_id(id) else None
        if session is None:
            raise Unauthenticated("the refresh token is not good")
        if not secrets.compare_digest(domain.digest(token), session.refresh_token):
            if await self._accounts.was_used(session, token):
                await self._reused(session)
            raise Unauthenticated("the refresh token is not good")
        return session

    async def _reused(self, session: Session) -> NoReturn:
        await self._accounts.end(session, why="refresh token reused")
        raise Unauthenticated("the refresh token was used before; the session has ended")

    async def VerifyToken(
        self, request: wire.VerifyTokenRequest, _: Any
    ) -> wire.VerifyTokenResponse:
        """Whose an access token is."""
        who = caller()
        claims = await self._tokens.claims(read_text("access_token", request.access_token, 8_192))
        user = user_of(claims)
        session = None
        if is_id(user.session_id):
            session = await self._accounts.going_on(user.session_id, user.company_id)
        if session is None:
            raise Unauthenticated("the session has ended")
        await self._pep.require(who, access.VERIFY, access.resource(session, who))
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        return wire.VerifyTokenResponse(
            user_id=user.id,
            company_id=user.company_id,
            email=str(claims.get("email", "")),
            roles=user.roles,
            expires_at=stamp(ends),
        )

    async def _made(self, session: Session, refresh_token: str, now: datetime) -> wire.Tokens:
        roles = await self._accounts.roles(session.company_id, session.user_id)
        claims = domain.claims(session, roles, now, self._settings.access_life)
        return wire.Tokens(
            access_token=await self._sign(claims),
            refresh_token=refresh_token,
            expires_at=stamp(datetime.fromtimestamp(claims["exp"], UTC)),
        )

    # -- second factors --------------------------------------------------------------------------

    async def EnrollSecondFactor(
        self, request: wire.EnrollSecondFactorRequest, _: Any
    ) -> wire.EnrollSecondFactorResponse:
        """A secret for an authenticator."""
        who = caller()
        session = await self._own(who)
        await self._require_factor(who, access.ENROL, who.id)
        attempt = await self._attempt(who, session.email, session.ip_address)
        account = Account(who.id, who.company, session.email, True)
        hashed = await self._accounts.password(account)
        if not await self._passwords.fits(request.password, hashed):
            raise Unauthenticated("wrong password")
        await self._throttle.succeeded(attempt)
        secret = await self._factors.begin(session)
        return wire.EnrollSecondFactorResponse(secret=secret.text, uri=secret.uri)

    async def ConfirmSecondFactor(
        self, request: wire.ConfirmSecondFactorRequest, _: Any
    ) -> wire.ConfirmSecondFactorResponse:
        """A code of it: the session is a confirmed one. Whoever has a session guesses no better
        than who signs in."""
        who = caller()
        code = read_text("code", request.code, 6)
        session = await self._own(who)
        await self._require_factor(who, access.CONFIRM, who.id)
        attempt = await self._attempt(who, session.email, session.ip_address)
        if not await self._factors.confirm(session, code):
            raise Unauthenticated(WRONG_CODE)
        await self._throttle.succeeded(attempt)
        return wire.ConfirmSecondFactorResponse()

    async def RemoveSecondFactor(
        self, request: wire.RemoveSecondFactorRequest, _: Any
    ) -> wire.RemoveSecondFactorResponse:
        """A password is enough again."""
        who = caller()
        user_id = read_id("user_id", request.user_id) if request.user_id else who.id
        await self._require_factor(who, access.REMOVE, user_id)
        await self._factors.remove(who.company, user_id, f"user:{who.id}")
        return wire.RemoveSecondFactorResponse()

    async def _require_factor(self, who: Caller, action: str, user_id: str) -> None:
        counts = await self._factors.counts(who.company, user_id)
        about = access.factor(who.company, user_id, counts=counts)
        await self._pep.require(who, action, about, {"mfa": who.mfa})

    # -- passwords -------------------------------------------------------------------------------

    async def ResetPassword(
        self, request: wire.ResetPasswordRequest, _: Any
    ) -> wire.ResetPasswordResponse:
        """Ask for a token, or set a password by one."""
        if request.WhichOneof("step") == "email":
            # Looked at afterwards, so that the answer takes as long for an address that is known.
            with suppress(asyncio.QueueFull):
                self._resets.put_nowait(read_email("email", request.email))
        elif request.WhichOneof("step") == "set":
            await self._set(request.set.token, read_password("set.password", request.set.password))
        else:
            raise InvalidInput("step", "expected an e-mail address, or a token and a password")
        return wire.ResetPasswordResponse()

    async def _set(self, token: str, password: str) -> None:
        account = await self._accounts.reset_of(token)
        if account is None:
            raise Unauthenticated("the token is not good")
        context = {"reset_token_for": account.user_id}
        anonymous = Caller("anonymous", caller().id)
        await self._pep.require(anonymous, access.RESET, access.user(account.user_id), context)
        hashed = await self._passwords.hash(password)
        await self._accounts.set_password(account, token, hashed)

    async def send_resets(self) -> NoReturn:
        """Look at the addresses that tokens were asked for, until cancelled."""
        while True:
            email = await self._resets.get()
            # Who asked is answered already; they will ask again.
            with suppress(ServiceError):
                account = await self._find(email)
                if account.is_active and await self._throttle.may_reset(email):
                    ends = datetime.now(UTC) + timedelta(seconds=self._settings.reset_life)
                    await self._accounts.ask_reset(account, secrets.token_urlsafe(32), ends)

    async def tidy(self) -> NoReturn:
        """Delete from time to time what has ended, until cancelled."""
        while True:
            with suppress(ServiceError):
                await self._accounts.forget_old()
                await self._throttle.forget_old()
            await asyncio.sleep(600)


def _place(who: Caller, said: str) -> str:
    """Where a call comes from: as a service says, which saw it, or as the connection does."""
    ip = said if who.kind == "service" and said else who.ip
    try:
        return str(ipaddress.ip_address(ip)) if ip else ""
    except ValueError:
        raise InvalidInput("ip_address", "expected an IP address") from None
