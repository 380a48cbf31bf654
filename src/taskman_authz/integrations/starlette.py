"""Starlette: a decorator a route, and a middleware that answers 403 where there is none.

    guard = Guard(pdp, subject=current_user)

    @guard("tasks:view", "tasks/{id}")
    async def view(request: Request) -> Response: ...

    app = Starlette(routes=[Route("/tasks/{id}", view)], middleware=[Middleware(GuardedOnly)])

`subject`, `context`, `company_id` are functions of the connection, and a resource that is no
template one of the connection and the path parameters; all may be async. They may raise
`HTTPException`, which is answered as any other.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ..errors import ArgumentError
from .enforcement import (
    Check,
    DecisionPoint,
    Enforcement,
    Readers,
    Refusal,
    Route,
    is_marked,
    mark,
    name_of,
    public,
)

__all__ = ["Guard", "GuardedOnly", "list_routes", "public"]

POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # an HTTPEndpoint's


class Guard:
    """Makes decorators of endpoints that ask `pdp`. `challenge` is what a 401 says of how to
    authenticate (RFC 9110, section 11.6.1)."""

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[..., Any],
        context: Callable[..., Any] | None = None,
        company_id: Callable[..., Any] | None = None,
        challenge: str = "Bearer",
    ) -> None:
        self._readers = Readers(subject, context, company_id)
        self._enforcement = Enforcement(pdp, (HTTPException, WebSocketException))
        self._headers = {"WWW-Authenticate": challenge}

    def __call__(
        self, action: str, resource: str | Callable[..., Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator of an endpoint, or of a method of an `HTTPEndpoint`. Raises
        ArgumentError."""
        check = Check.of(action, resource)

        def decorate(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            if not inspect.isfunction(endpoint):
                raise ArgumentError.of("endpoint", "a function", endpoint)

            @functools.wraps(endpoint)
            async def guarded(*args: Any, **kwargs: Any) -> Any:
                connections = (each for each in args if isinstance(each, HTTPConnection))
                await self._require(check, next(connections))
                if inspect.iscoroutinefunction(endpoint):
                    return await endpoint(*args, **kwargs)
                return await run_in_threadpool(endpoint, *args, **kwargs)

            return mark(guarded, check)

        return decorate

    async def _require(self, check: Check, connection: HTTPConnection) -> None:
        resource = check.reader(connection.path_params, connection)
        refusal = await self._enforcement.refusal_async(
            lambda: self._readers.read_async(check.action, resource, connection)
        )
        if refusal is None:
            return
        if connection.scope["type"] == "websocket":
            raise WebSocketException(POLICY_VIOLATION, refusal.text)
        headers = self._headers if refusal is Refusal.UNAUTHENTICATED else None
        raise HTTPException(refusal.status, refusal.text, headers)


class GuardedOnly:
    """A middleware of an app, a `Mount`, a `Router` or a `Route`: what is neither guarded nor
    public there answers 403."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _may_run(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
        else:
            refusal = Refusal.FORBIDDEN
            await PlainTextResponse(refusal.text, refusal.status)(scope, receive, send)


def _may_run(scope: Mapping[str, Any]) -> bool:
    """Whether what comes next is marked. That is for the routes of the app to say, and where a
    router of it was passed already, for those of the route that it took."""
    routes, endpoint = scope["app"].routes, scope.get("endpoint")
    taken = None if endpoint is None else _find(routes, endpoint)
    if taken is None:  # an app that is mounted has the endpoint of a route of another app
        return _is_open(routes, scope)
    if inner := getattr(taken, "routes", None):
        return _is_open(inner, scope)
    return is_marked(endpoint) or is_marked(_handler(endpoint, scope))


def _find(routes: Iterable[Any], endpoint: Any) -> Any:
    for route in routes:
        if endpoint in (getattr(route, "endpoint", None), getattr(route, "app", None)):
            return route
        if (found := _find(getattr(route, "routes", None) or (), endpoint)) is not None:
            return found
    return None


def _is_open(routes: Iterable[BaseRoute], scope: Mapping[str, Any]) -> bool:
    """Whether the route that the router will take is marked, or there is none."""
    for route in routes:
        match, found = route.matches(dict(scope))
        if match is Match.FULL:
            if inner := getattr(route, "routes", None):
                return _is_open(inner, {**scope, **found})
            endpoint = found.get("endpoint")
            return is_marked(endpoint) or is_marked(_handler(endpoint, scope))
    return True


def _handler(endpoint: Any, scope: Mapping[str, Any]) -> Any:
    """The method of an endpoint class that answers."""
    if scope["type"] == "websocket":
        return getattr(endpoint, "on_connect", None)
    method = str(scope["method"]).lower()
    found = getattr(endpoint, method, None)
    return getattr(endpoint, "get", None) if found is None and method == "head" else found


def list_routes(app: Starlette) -> Iterator[Route]:
    """Every route of an app, those of its mounted apps too."""
    yield from _walk(app.routes, "")


def _walk(routes: Iterable[Any], prefix: str) -> Iterator[Route]:
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        if inner := getattr(route, "routes", None):
            yield from _walk(inner, path)
            continue
        endpoint = getattr(route, "endpoint", None) or getattr(route, "app", route)
        methods = getattr(route, "methods", None) or ()
        if inspect.isclass(endpoint):
            yield from _of_class(path, endpoint)
        else:
            yield Route.of(path, methods, name_of(endpoint), endpoint)


def _of_class(path: str, endpoint: Any) -> Iterator[Route]:
    for method in _METHODS:
        if handler := getattr(endpoint, method.lower(), None):
            yield Route.of(path, (method,), name_of(handler), handler, endpoint)
    if handler := getattr(endpoint, "on_connect", None):
        yield Route.of(path, (), name_of(endpoint), handler, endpoint)
