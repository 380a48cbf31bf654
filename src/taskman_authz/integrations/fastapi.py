"""FastAPI: a dependency a route.

    guard = Guard(pdp, subject=current_user)

    @app.get("/tasks/{id}", dependencies=[Depends(guard("tasks:view", "tasks/{id}"))])
    def view(id: str): ...

`subject`, `context`, `company_id` and a resource that is no template are dependencies as any
other: what a route depends on too is read once a request. What they raise is FastAPI's to answer
(an `HTTPException` as that, anything else with 500), and the route does not run. What is refused
is an `HTTPException`, over a WebSocket a `WebSocketException`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, WebSocketException, routing, status
from fastapi.requests import HTTPConnection

from ..errors import RequestError
from .enforcement import (
    Check,
    DecisionPoint,
    Enforcement,
    Question,
    Readers,
    Refusal,
    Route,
    Template,
    mark,
    name_of,
    public,
)

__all__ = ["Guard", "list_routes", "public"]


class Guard:
    """Makes dependencies that ask `pdp`. `challenge` is what a 401 says of how to authenticate
    (RFC 9110, section 11.6.1)."""

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[..., Any],
        context: Callable[..., Any] | None = None,
        company_id: Callable[..., Any] | None = None,
        challenge: str = "Bearer",
    ) -> None:
        Readers(subject, context, company_id)  # refuses what FastAPI would only in a request
        self._enforcement = Enforcement(pdp)
        self._context = context or _nothing
        self._company_id = company_id or _nothing
        self._headers = {"WWW-Authenticate": challenge}

        async def known(connection: HTTPConnection, found: Any = Depends(subject)) -> Any:
            if found is None:  # before the resource is read
                self._refuse(Refusal.UNAUTHENTICATED, connection)
            return found

        self._subject = known

    def __call__(self, action: str, resource: str | Callable[..., Any]) -> Callable[..., Any]:
        """A dependency. `resource` is a template of path parameters (`tasks/{id}`) or a
        dependency that gives the resource. Raises ArgumentError."""
        check = Check.of(action, resource)
        given = _nothing if isinstance(check.resource, Template) else check.resource

        async def guarded(
            connection: HTTPConnection,
            subject: Any = Depends(self._subject),
            resource: Any = Depends(given),
            context: Any = Depends(self._context),
            company_id: Any = Depends(self._company_id),
        ) -> None:
            async def read() -> Question:
                found = resource
                if given is _nothing:
                    found = check.reader(_converted(connection))()
                return Question(subject, check.action, found, context, company_id)

            refusal = await self._enforcement.refusal_async(read)
            if refusal is not None:
                self._refuse(refusal, connection)

        return mark(guarded, check)

    def _refuse(self, refusal: Refusal, connection: HTTPConnection) -> None:
        if connection.scope["type"] == "websocket":
            raise WebSocketException(status.WS_1008_POLICY_VIOLATION, refusal.text)
        headers = self._headers if refusal is Refusal.UNAUTHENTICATED else None
        raise HTTPException(refusal.status, refusal.text, headers)


async def _nothing() -> None:
    return None


def _converted(connection: HTTPConnection) -> dict[str, Any]:
    """The path parameters as the route has them: one that takes an int acts on 7 where the path
    says `007`, so it is 7 that is asked about. Raises RequestError where it takes two for one."""
    found = dict(connection.path_params)
    known: dict[str, Any] = {}
    for field in _path_fields(getattr(connection.scope.get("route"), "dependant", None)):
        value, errors = field.validate(found.get(field.alias), {}, loc=("path", field.alias))
        if not errors:  # else FastAPI answers 422, and the route does not run
            if str(known.setdefault(field.alias, value)) != str(value):
                raise RequestError("resource", f"`{field.alias}` is of two types in this route")
    return found | known


def _path_fields(dependant: Any) -> Iterator[Any]:
    """The path parameters of a route, and of what it depends on."""
    yield from getattr(dependant, "path_params", ())
    for inner in getattr(dependant, "dependencies", ()):
        yield from _path_fields(inner)


def list_routes(app: FastAPI) -> Iterator[Route]:
    """Every route of an app, those of its included routers and mounted apps too."""
    yield from _walk(app.routes, "")


def _walk(routes: Iterable[Any], prefix: str) -> Iterator[Route]:
    # Newer versions keep included routers apart, and have this to see through them.
    flat = getattr(routing, "iter_route_contexts", None)
    for route in routes if flat is None else flat(routes):
        path = prefix + str(getattr(route, "path", ""))
        if inner := getattr(route, "routes", None):
            yield from _walk(inner, path)
            continue
        endpoint = getattr(route, "endpoint", None) or getattr(route, "app", route)
        calls = _calls(getattr(route, "dependant", None))
        yield Route.of(
            path, getattr(route, "methods", None) or (), name_of(endpoint), endpoint, *calls
        )


def _calls(dependant: Any) -> Iterator[Any]:
    for inner in getattr(dependant, "dependencies", ()):
        yield inner.call
        yield from _calls(inner)
