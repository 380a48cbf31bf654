"""The HTTP application: which path is what, and what all answers have in common. It knows no
socket, and can be mounted into another one.

Laws: every call of AuthZEN passes the door. `X-Request-ID` is on every answer to a request that had
one. An error's body is its message, a JSON string.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..door import Call, Caller, Door
from ..status import Status, http_headers
from . import metadata
from .answers import write_json
from .authzen import AuthZEN, Later, Method, Posted
from .health import Readiness
from .server import NAMES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON = "application/json"
TENANT = "/{company_id}"
# At a time: they compete with decisions for the interpreter.
SEARCHES = 2
METADATA_SECONDS = 3_600  # that what the point says of itself may be kept
REQUEST_ID = re.compile(r"[ -~]{1,256}")

Endpoint = Callable[[Request], Awaitable[Response]]


class Facts:
    """What the application is told besides what it asks: its base URL ("": it does not say what it
    is), whether it knows entities, and how long a body may be and take."""

    def __init__(
        self, base_url: str, knows_entities: bool, body_bytes: int, body_seconds: float
    ) -> None:
        self.base_url = base_url
        self.knows_entities = knows_entities
        self.body_bytes = body_bytes
        self.body_seconds = body_seconds


def make_app(
    authzen: AuthZEN,
    door: Door,
    readiness: Readiness,
    facts: Facts,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application: AuthZEN, its metadata, health, and other `routes`."""
    searches = ThreadPoolExecutor(SEARCHES, "search")
    faces: dict[str, tuple[str, Method | Later, Executor | None]] = {
        metadata.EVALUATION: ("evaluation", authzen.methods[0], None),
        metadata.EVALUATIONS: ("evaluations", authzen.methods[1], None),
        metadata.SEARCH_ACTION: ("search_action", authzen.search("action"), searches),
    }
    if facts.knows_entities:
        faces[metadata.SEARCH_SUBJECT] = ("search_subject", authzen.search("subject"), searches)
        faces[metadata.SEARCH_RESOURCE] = ("search_resource", authzen.search("resource"), searches)
    own = [
        Route(f"{tenant}{path}", _poster(door, facts, *face), methods=["POST"])
        for path, face in faces.items()
        for tenant in ("", TENANT)
    ]
    if facts.base_url:
        describe = _describer(facts)
        own += [Route(metadata.WELL_KNOWN + tenant, describe) for tenant in ("", TENANT)]
    own += [Route("/health/live", _live), Route("/health/ready", _ready(readiness))]
    return Starlette(routes=[*routes, *own], middleware=[Middleware(_Echo)])


def _poster(
    door: Door, facts: Facts, name: str, method: Method | Later, searches: Executor | None
) -> Endpoint:
    """What answers a call. `searches` are threads for one that takes long, so that others need not
    wait; None: it does not."""

    async def post(request: Request) -> Response:
        try:
            async with asyncio.timeout(facts.body_seconds):
                body = await _read(request, facts.body_bytes)
        except ClientDisconnect:
            return Response()  # nobody is there to read it
        except TimeoutError:
            return _error(408, "the body took too long", {"Connection": "close"})
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        posted = Posted(body, media_type, request.path_params.get("company_id"))
        call = _call(name, request)
        if isinstance(method, Later):
            answer = await door.answer_later(call, method.method, posted)
        elif searches is not None:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(searches, door.answer, call, method, posted)
        else:
            answer = door.answer(call, method, posted)
        if isinstance(answer, Status):
            return _error(answer.code.http, answer.message, http_headers(answer))
        return Response(answer, media_type=JSON)

    return post


def _call(name: str, request: Request) -> Call:
    return Call(
        "http",
        name,
        Caller(request.scope.get(NAMES, ())),
        request_id=_request_id(request.scope).decode("latin-1"),
        traceparent=request.headers.get("traceparent", ""),
        authorization=request.headers.get("authorization", ""),
        tracestate=request.headers.get("tracestate", ""),
        min_revision=request.headers.get("min-revision", ""),
    )


async def _read(request: Request, most: int) -> bytes:
    """The body; of one that is too long no more than what shows that it is. (The rest is let by:
    who is still sending would not see the answer.)"""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: most + 1 - len(body)]
    return bytes(body)


def _error(status: int, message: str, headers: dict[str, str]) -> Response:
    return Response(write_json(message), status, headers, JSON)


def _describer(facts: Facts) -> Endpoint:
    async def describe(request: Request) -> Response:
        company = request.path_params.get("company_id")
        found = metadata.describe(facts.base_url, company, facts.knows_entities)
        headers = {"Cache-Control": f"public, max-age={METADATA_SECONDS}"}
        return Response(write_json(found), headers=headers, media_type=JSON)

    return describe


async def _live(_request: Request) -> Response:
    return Response(write_json({"live": True}), media_type=JSON)


def _ready(readiness: Readiness) -> Endpoint:
    async def ready(_request: Request) -> Response:
        status = 503 if readiness.why_not() else 200
        return Response(write_json(readiness.describe()), status, media_type=JSON)

    return ready


class _Echo:
    """Puts the request's `X-Request-ID` on every answer, if it is one that may stand in a log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _request_id(scope)
        if not given:
            await self._app(scope, receive, send)
            return

        async def echo(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = list(message.get("headers", ()))
                message["headers"] = [*headers, (b"x-request-id", given)]
            await send(message)

        await self._app(scope, receive, echo)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope.get("headers", ()):
        if name == b"x-request-id":
            found: bytes = value
            return found if REQUEST_ID.fullmatch(found.decode("latin-1")) else b""
    return b""
