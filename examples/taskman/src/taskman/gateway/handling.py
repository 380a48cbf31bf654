"""The way of one request: id, firewall, limits, token, message, decision, answer.

Law: what goes wrong on the way is a problem, whatever it was; what nobody foresaw is in the log and
not in the answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from ..chassis.caller import Caller, Tokens, enter
from ..chassis.client import Peer
from ..chassis.errors import Denied, ServiceError, Unauthenticated
from ..chassis.metrics import Metrics
from ..chassis.pep import Pep
from ..chassis.tracing import Traces
from .asking import Facts
from .firewall import inspect, read_body
from .keeping import Keeping, Kept
from .limits import Limit, Limits
from .problems import JSON, Problem, problem, problem_of
from .reading import json_of, message_of
from .routes import SERVICES, Route, Seen
from .settings import GatewaySettings

NOTHING = Kept(None, "")
Handle = Callable[[Request], Awaitable[Response]]


class Gateway:
    """Answers requests by the services behind."""

    def __init__(
        self,
        settings: GatewaySettings,
        tokens: Tokens,
        peers: Mapping[str, Peer],
        facts: Facts,
        pep: Pep,
        limits: Limits,
        keeping: Keeping,
        metrics: Metrics,
        traces: Traces,
        log: Any,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._peers = peers
        self._facts = facts
        self._pep = pep
        self._limits = limits
        self._keeping = keeping
        self._metrics = metrics
        self._traces = traces
        self._log = log

    def handler(self, route: Route) -> Handle:
        """What answers the requests of a route."""
        service = SERVICES[route.service]
        stubs = import_module(f"{service.package}_grpc")
        peer = self._peers[service.peer]
        stub = getattr(stubs, f"{service.full_name.rpartition('.')[2]}Stub")(peer.channel)
        method = getattr(stub, route.rpc)

        async def forward(message: Any, token: str) -> Any:
            return await peer.ask(method, message, token=token)

        async def handle(request: Request) -> Response:
            return await self.answer(
                request, route.name, lambda headers: self._routed(route, request, headers, forward)
            )

        return handle

    async def answer(
        self,
        request: Request,
        name: str,
        respond: Callable[[dict[str, str]], Awaitable[Response]],
    ) -> Response:
        """What `respond` answers, who fills headers; or the problem. `name` is for metrics."""
        began = time.perf_counter()
        id, trace = (request.headers.get(name, "") for name in ("x-request-id", "traceparent"))
        left = self._settings.call_timeout
        structlog.contextvars.clear_contextvars()
        with self._traces.answering(name, id, trace, left) as calling:
            headers = {"X-Request-Id": calling.request_id, "Cache-Control": "no-store"}
            try:
                async with asyncio.timeout(left):
                    inspect(request)
                    response = await respond(headers)
            except Exception as error:
                response = problem(self._problem(error), calling.request_id)
        for key, value in headers.items():
            response.headers.setdefault(key, value)
        kind = "" if response.status_code < 400 else str(response.status_code)
        seconds = time.perf_counter() - began
        self._metrics.answered(name, str(response.status_code), seconds, kind)
        self._log.info(
            "Request answered",
            method=name,
            status=response.status_code,
            duration_ms=round(seconds * 1_000, 3),
        )
        return response

    async def _routed(
        self,
        route: Route,
        request: Request,
        headers: dict[str, str],
        forward: Callable[[Any, str], Awaitable[Any]],
    ) -> Response:
        seen = Seen(
            address_of(request, self._settings.proxies), request.headers.get("user-agent", "")
        )
        limits = [Limit(f"address:{seen.address}", self._settings.rate_of_address)]
        if route.public:
            limits.append(Limit(f"{route.name}:{seen.address}", self._settings.rate_of_route))
        with self._traces.part("count"):
            headers |= await self._limits.take(limits)
        with self._traces.part("verify token"):
            who, token = (None, "") if route.public else await self._caller(request)
        if who is not None:
            user = f"{who.company_id}:{who.id}"
            limits = [
                Limit(f"user:{user}", self._settings.rate_of_user),
                Limit(f"{route.name}:{user}", self._settings.rate_of_route),
            ]
            with self._traces.part("count"):
                headers |= await self._limits.take(limits)
        body = await read_body(request)
        query = request.query_params.multi_items()
        message = message_of(route, request.path_params, query, body)
        if route.adds is not None:
            route.adds(message, seen)
        if who is None:
            return Response(json_of(await forward(message, "")), media_type=JSON)
        await self._require(route, who, message)
        return await self._told(route, request, who, lambda: forward(message, token))

    async def _caller(self, request: Request) -> tuple[Caller, str]:
        """Who asks, and by which token. Raises Unauthenticated."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("expected a token: Authorization: Bearer ...")
        who = await self._tokens.read(token)
        if who.kind != "user":
            raise Denied("this door is for users")
        structlog.contextvars.bind_contextvars(user_id=who.id, company_id=who.company_id)
        enter(who)
        return who, token

    async def _require(self, route: Route, who: Caller, message: Any) -> None:
        """Raises Denied where the policies do not let the caller, NotFound."""
        assert route.asks is not None
        with self._traces.part("look up what policies read"):
            questions = await route.asks(who, message, self._facts)
        with self._traces.part("ask the policies"):
            await self._pep.require_all(who, questions)

    async def _told(
        self, route: Route, request: Request, who: Caller, ask: Callable[[], Awaitable[Any]]
    ) -> Response:
        """The answer, kept or fresh."""
        address = f"{request.url.path}?{request.url.query}"
        wants_fresh = "no-cache" in request.headers.get("cache-control", "")  # RFC 9111 5.2.1.4
        is_kept = route.keeps and not wants_fresh
        kept = await self._keeping.find(who, address) if is_kept else NOTHING
        if kept.text is not None:
            return Response(kept.text, media_type=JSON, headers={"X-Cache": "hit"})
        try:
            text = json_of(await ask())
        finally:
            if route.verb != "GET":  # who failed may have changed something all the same
                await self._keeping.changed(who)
        if is_kept:
            await self._keeping.keep(who, address, kept, text, route.keeps)
        return Response(text, media_type=JSON)

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, ServiceError):
            return problem_of(error)
        if isinstance(error, TimeoutError):
            return Problem(504, "there was no answer in time")
        self._log.error("A request failed", exc_info=error)
        return Problem(500, "internal error")


def address_of(request: Request, proxies: int) -> str:
    """Where a request comes from. Of what it says itself only what `proxies` of ours have added
    counts."""
    told = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    if proxies and len(told) >= proxies and told[-proxies]:
        return told[-proxies][:64]
    return request.client.host if request.client else ""
