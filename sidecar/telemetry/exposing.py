"""`/metrics` over HTTP: a route for any Starlette application, and a listener of its own.

Laws: the listener lives in the loop that decides, and has an address that no caller of decisions
uses. A look that fails is a 500 for who looked, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import uvicorn
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..http_connection import HTTPConnection
from ..sockets import open_host
from .scrape import Scrape
from .shared import shared_folder

CONNECTIONS = 64  # of scrapers at a time; a Prometheus needs one
WAIT = 75  # seconds between two looks at most: a Prometheus looks every minute at the latest
CLOSING = 1  # seconds that an answer has to get out when stopping


def metrics_route(scrape: Scrape) -> Route:
    """`GET /metrics`, in the text format of Prometheus or as OpenMetrics, as is asked for."""

    async def metrics(request: Request) -> Response:
        began = time.perf_counter()
        await asyncio.sleep(0)  # one turn of the loop: what was waiting has been answered now
        scrape.loop_delay = time.perf_counter() - began
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(scrape.registry), headers={"content-type": content_type})

    return Route("/metrics", metrics)


class Listener:
    """Answers `/metrics` at `address` (host:port). Processes that share their counts share it."""

    def __init__(self, scrape: Scrape, address: str) -> None:
        self._address = address
        config = uvicorn.Config(
            Starlette(routes=[metrics_route(scrape)]),
            http=HTTPConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=WAIT,
            timeout_graceful_shutdown=CLOSING,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> str:
        """Open the address and begin to answer. Returns it with its port filled in. Raises OSError
        naming the address."""
        opened = _open(self._address)
        self._task = asyncio.create_task(self._server.serve(sockets=[opened]))
        host = self._address.rpartition(":")[0]
        return f"{host}:{opened.getsockname()[1]}"

    async def stop(self) -> None:
        """Answer no more."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the sidecar's."""
        yield


def _open(address: str) -> socket.socket:
    try:
        opened = open_host(address, shares=shared_folder() is not None)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), address) from None
    opened.setblocking(False)
    return opened
