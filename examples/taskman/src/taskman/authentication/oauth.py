"""OAuth 2.0 for programs that speak it: token (RFC 6749), revoke (RFC 7009), introspect (RFC 7662),
metadata (RFC 8414). The same sessions, asked for as forms over HTTP.

Laws: what is answered is what the RPC behind answers, by the same throttle and policies. There are
no registered clients: a token is of its user, who shows a password (TaskMan's own programs) or a
refresh token. Who may look at tokens is a service.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..chassis.caller import ANONYMOUS, Caller, Tokens, enter
from ..chassis.errors import (
    Denied,
    InvalidInput,
    NotFound,
    ServiceError,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from ..chassis.metrics import Metrics
from .api import AuthenticationService
from .v1 import authentication_pb2 as wire

TOKEN, REVOKE, INTROSPECT = "/oauth/token", "/oauth/revoke", "/oauth/introspect"
METADATA, JWKS = "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"
GRANTS = ("password", "refresh_token")
LONGEST = 16 * 1024  # bytes of a form
# RFC 6749 section 5.2, and what HTTP has for what is not in it.
_ERRORS: Mapping[type[ServiceError], tuple[int, str]] = {
    InvalidInput: (400, "invalid_request"),
    Unauthenticated: (400, "invalid_grant"),
    NotFound: (400, "invalid_grant"),
    Denied: (400, "unauthorized_client"),
    TooMany: (429, "temporarily_unavailable"),
    Unavailable: (503, "temporarily_unavailable"),
}
Form = Mapping[str, str]


class OAuth:
    """The endpoints, over the RPCs of `service`. `issuer` is the URL that they are below; "": the
    one that is asked."""

    def __init__(
        self,
        service: AuthenticationService,
        tokens: Tokens,
        metrics: Metrics,
        log: Any,
        issuer: str,
    ) -> None:
        self._service = service
        self._tokens = tokens
        self._metrics = metrics
        self._log = log
        self._issuer = issuer.rstrip("/")

    def routes(self) -> list[Route]:
        """Where they are."""
        forms = {TOKEN: self._token, REVOKE: self._revoke, INTROSPECT: self._introspect}
        posts = [
            Route(path, self._form(path, make), methods=["POST"]) for path, make in forms.items()
        ]
        return [*posts, Route(METADATA, self._metadata)]

    def _form(
        self, path: str, make: Callable[[Request, Form], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            began = time.perf_counter()
            enter(
                Caller("anonymous", ANONYMOUS.id, ip=request.client.host if request.client else "")
            )
            try:
                status, said = 200, await make(request, await _read(request))
            except Exception as error:
                status, said = self._told(error)
            seconds = time.perf_counter() - began
            kind = "" if status < 400 else said["error"]
            self._metrics.answered(f"POST {path}", str(status), seconds, kind)
            return JSONResponse(said, status, {"Cache-Control": "no-store", "Pragma": "no-cache"})

        return answer

    def _told(self, error: Exception) -> tuple[int, dict[str, Any]]:
        for kind, (status, code) in _ERRORS.items():
            if isinstance(error, kind):
                return status, {"error": code, "error_description": error.text}
        if isinstance(error, _Refused):
            return error.status, {"error": error.code}
        self._log.error("A request failed", exc_info=error)
        return 500, {"error": "server_error"}

    async def _token(self, request: Request, form: Form) -> dict[str, Any]:
        grant = _needed(form, "grant_type")
        if grant == "refresh_token":
            asked = wire.RefreshTokenRequest(refresh_token=_needed(form, "refresh_token"))
            return _answer((await self._service.RefreshToken(asked, None)).tokens)
        if grant != "password":
            raise _Refused(400, "unsupported_grant_type")
        login = wire.LoginRequest(
            email=_needed(form, "username"),
            password=_needed(form, "password"),
            code=form.get("otp", ""),
            user_agent=request.headers.get("user-agent", "")[:1_000],
        )
        return _answer((await self._service.Login(login, None)).tokens)

    async def _revoke(self, _request: Request, form: Form) -> dict[str, Any]:
        await self._service.revoke(_needed(form, "token"))
        return {}

    async def _introspect(self, request: Request, form: Form) -> dict[str, Any]:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        try:
            enter(await self._tokens.read(shown if scheme.lower() == "bearer" else ""))
        except Unauthenticated:
            raise _Refused(401, "invalid_client") from None
        asked = wire.VerifyTokenRequest(access_token=_needed(form, "token"))
        try:
            found = await self._service.VerifyToken(asked, None)
        except (Unauthenticated, InvalidInput):
            return {"active": False}
        return {
            "active": True,
            "token_type": "Bearer",
            "sub": found.user_id,
            "username": found.email,
            "exp": found.expires_at.seconds,
            "company_id": found.company_id,
            "roles": list(found.roles),
        }

    async def _metadata(self, request: Request) -> Response:
        issuer = self._issuer or str(request.base_url).rstrip("/")
        none = ["none"]  # no client authenticates itself
        return JSONResponse(
            {
                "issuer": issuer,
                "token_endpoint": issuer + TOKEN,
                "revocation_endpoint": issuer + REVOKE,
                "introspection_endpoint": issuer + INTROSPECT,
                "jwks_uri": issuer + JWKS,
                "grant_types_supported": list(GRANTS),
                "response_types_supported": [],
                "token_endpoint_auth_methods_supported": none,
                "revocation_endpoint_auth_methods_supported": none,
            }
        )


class _Refused(Exception):
    """An error of OAuth that no RPC has."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def _answer(tokens: wire.Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": max(0, tokens.expires_at.seconds - int(time.time())),
        "refresh_token": tokens.refresh_token,
    }


async def _read(request: Request) -> Form:
    """The form of a request. Raises InvalidInput."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput("content-type", "expected application/x-www-form-urlencoded")
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                raise InvalidInput("body", f"expected at most {LONGEST} bytes")
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=20)
    except (ValueError, ClientDisconnect):
        raise InvalidInput("body", "expected a form") from None
    form = dict(pairs)
    if len(form) != len(pairs):  # RFC 6749 section 3.2
        raise InvalidInput("body", "expected each parameter once")
    return form


def _needed(form: Form, name: str) -> str:
    if not form.get(name):
        raise InvalidInput(name, "expected one")
    return form[name]
