"""Those who are told things: a mail server, and a web server with a certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.taskman.stage.mailbox import Mailbox


class Refusing(Mailbox):
    """A mail server that answers the next ones with `refusals`."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        return await super().handle_DATA(server, session, envelope)


class Called(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Web:
    """A web server that keeps what it is asked; `statuses` are answers to the next ones, then
    204."""

    def __init__(self) -> None:
        self.calls: list[Called] = []
        self.statuses: list[int] = []
        self.url = ""
        self._came = asyncio.Condition()

    async def answer(self, request: Request) -> Response:
        called = Called(request.url.path, dict(request.headers), await request.body())
        async with self._came:
            self.calls.append(called)
            self._came.notify_all()
        status = self.statuses.pop(0) if self.statuses else 204
        where = {"location": f"{self.url}/elsewhere"} if status in (301, 302, 307) else {}
        return Response(status_code=status, headers=where)

    async def some(self, path: str, count: int = 1, patience: float = 30.0) -> list[Called]:
        """The calls of a path, once there are so many."""

        def found() -> list[Called]:
            return [each for each in self.calls if each.path == path]

        async with asyncio.timeout(patience), self._came:
            await self._came.wait_for(lambda: len(found()) >= count)
        return found()


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def web(key: Path, certificate: Path, port: Callable[[], int]) -> AsyncIterator[Web]:
    """A web server on the loopback, over TLS, as `localhost`."""
    made = Web()
    app = Starlette(routes=[Route("/{rest:path}", made.answer, methods=["POST"])])
    number = port()
    config = uvicorn.Config(
        app, host="127.0.0.1", port=number, log_config=None, lifespan="off",
        ssl_keyfile=str(key), ssl_certfile=str(certificate), ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )  # fmt: skip
    server = _Uvicorn(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the web server did not start"
        await asyncio.sleep(0.01)
    made.url = f"https://localhost:{number}"
    try:
        yield made
    finally:
        server.should_exit = True
        await serving
