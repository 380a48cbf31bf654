"""The HTTP face of a service: liveness, readiness, metrics, and what the service adds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .metrics import Metrics

Ready = Callable[[], Awaitable[list[str]]]  # what does not answer


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the service's."""
        yield


class Http:
    """Serves at `listen` in the loop that is running."""

    def __init__(
        self,
        listen: str,
        metrics: Metrics,
        ready: Ready,
        routes: Sequence[Route] = (),
        middleware: Sequence[Middleware] = (),
    ) -> None:
        async def live(_request: Request) -> Response:
            return JSONResponse({"status": "live"})

        async def is_ready(_request: Request) -> Response:
            waiting = await ready()
            status = {"status": "waits" if waiting else "ready", "for": waiting}
            return JSONResponse(status, 503 if waiting else 200)

        async def exposed(_request: Request) -> Response:
            return Response(metrics.exposed(), media_type="text/plain; version=0.0.4")

        own = [
            Route("/health/live", live),
            Route("/health/ready", is_ready),
            Route("/metrics", exposed),
        ]
        host, _, port = listen.rpartition(":")
        self._socket = socket.create_server((host, int(port)), reuse_port=False)
        self.address = f"{host}:{self._socket.getsockname()[1]}"
        app = Starlette(routes=[*own, *routes], middleware=[*middleware])
        # Where a request comes from is what the connection says, not a header.
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", proxy_headers=False
        )
        self._server = _Uvicorn(config)
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to answer."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Answer what is under way, and end."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._socket.close()
