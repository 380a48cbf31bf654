"""How the gateway is wired: no database and no events, one HTTP address, the services as peers."""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter
from redis.asyncio import Redis
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from ..chassis.cache import LOSSES
from ..chassis.caller import Tokens
from ..chassis.client import Peer
from ..chassis.http import Http
from ..chassis.keys import PublicKeys, Secret
from ..chassis.pep import Pep
from ..chassis.service import Definition, House, Service, Wiring
from .asking import Facts
from .handling import Gateway
from .keeping import Keeping
from .limits import Limits
from .openapi import document
from .problems import Problem
from .routes import ROUTES, SERVICES
from .settings import GatewaySettings

SHOWN = ["X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"]


class GatewayService(Service):
    """The gateway, running."""

    settings: GatewaySettings

    async def _start(self) -> None:
        settings = self.settings
        self.redis = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=1.0)
        self._stack.push_async_callback(self.redis.aclose)
        secret = settings.jwt_secret
        keys = Secret(secret.get_secret_value()) if secret else PublicKeys(settings.jwks_url)
        tokens = Tokens(self.definition.name, settings.service_secret.get_secret_value(), keys)
        peers = {
            each.peer: Peer(each.peer, settings, tokens, self.traces) for each in SERVICES.values()
        }
        facts = Facts(peers["user-service"], peers["task-service"])
        pep = Pep(settings, self.metrics, self.traces, facts.about)
        for closing in (pep.close, *(peer.close for peer in peers.values())):
            self._stack.push_async_callback(closing)
        uncounted = Counter(
            "taskman_uncounted_requests_total",
            "Requests that no limit was counted for, as Redis did not answer",
            registry=self.metrics.registry,
        )
        limits = Limits(self.redis, settings.rate_window, uncounted)
        keeping = Keeping(self.redis)
        gateway = Gateway(
            settings,
            tokens,
            peers,
            facts,
            pep,
            limits,
            keeping,
            self.metrics,
            self.traces,
            self.log,
        )
        http = Http(
            settings.http_listen, self.metrics, self._lacking, paths(gateway), middleware(settings)
        )
        self._stack.push_async_callback(http.stop)
        http.start()
        self.http_address = http.address
        self.log.info("Serving", http=self.http_address)

    async def _lacking(self) -> list[str]:
        try:
            await self.redis.ping()
        except LOSSES:
            return ["redis"]
        return []


def paths(gateway: Gateway) -> list[Path]:
    """The routes of the table, its description, and an answer to every other address."""
    told = document(ROUTES)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(told)

    async def nowhere(request: Request) -> Response:
        async def respond(_headers: dict[str, str]) -> Response:
            raise Problem(404, "there is no such address")

        return await gateway.answer(request, "other", respond)

    verbs: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        verbs.setdefault(route.path, {})[route.verb] = gateway.handler(route)

    def one_of(handlers: dict[str, Any]) -> Any:
        async def dispatch(request: Request) -> Response:
            handler = handlers.get(request.method)
            if handler is not None:
                found: Response = await handler(request)
                return found

            async def respond(_headers: dict[str, str]) -> Response:
                allowed = ", ".join(sorted(handlers))
                raise Problem(405, f"expected {allowed}", headers={"Allow": allowed})

            return await gateway.answer(request, "other", respond)

        return dispatch

    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    # Paths without parameters first: `/users/search` is no user.
    ordered = sorted(verbs, key=lambda path: path.count("{"))
    return [
        Path("/openapi.json", openapi),
        *(Path(path, one_of(verbs[path]), methods=every) for path in ordered),
        Path("/{rest:path}", nowhere, methods=every),
    ]


def middleware(settings: GatewaySettings) -> list[Middleware]:
    """Pages of other origins may call it where the settings name them."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
            expose_headers=SHOWN,
            max_age=600,
        )
    ]


def nothing(_house: House) -> Wiring:
    """It is wired by itself."""
    return Wiring(())


SERVICE_DEFINITION = Definition(
    "api-gateway", "taskman.gateway", (), nothing, GatewaySettings, kind=GatewayService
)
