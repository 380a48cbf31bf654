"""Flask: a decorator a view, and an extension that answers 403 where there is none.

    guard = Guard(pdp, subject=current_user)

    @app.get("/tasks/<id>")
    @guard("tasks:view", "tasks/{id}")
    def view(id): ...

    guard.init_app(app)  # every view is guarded or `@public`

`subject`, `context`, `company_id` are functions without arguments (`flask.request` and `flask.g`
are there), and a resource that is no template one of the view's parameters. They may `abort`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

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
    names_of,
    public,
)

__all__ = ["Guard", "list_routes", "public"]

_KEY = "taskman_authz"


class Guard:
    """Makes decorators of views that ask `pdp`: a `PDP` or a `Client`. `challenge` is what a 401
    says of how to authenticate (RFC 9110, section 11.6.1)."""

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[[], Any],
        context: Callable[[], Any] | None = None,
        company_id: Callable[[], str | None] | None = None,
        challenge: str = "Bearer",
    ) -> None:
        self._readers = Readers(subject, context, company_id)
        self._enforcement = Enforcement(pdp, (HTTPException,), sync=True)
        self._challenge = challenge

    def __call__(
        self, action: str, resource: str | Callable[..., Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator of a view, below the route's. Raises ArgumentError."""
        check = Check.of(action, resource)

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                # What the view is called with, not what the address held: it acts on the former.
                resource = check.reader(kwargs)
                read = functools.partial(self._readers.read, check.action, resource)
                refusal = self._enforcement.refusal(read)
                if refusal is not None:
                    return self._response(refusal)
                return current_app.ensure_sync(view)(*args, **kwargs)

            return mark(guarded, check)

        return decorate

    def init_app(self, app: Flask, public: str | Iterable[str] = ()) -> None:
        """Answer 403 for every view that is neither guarded nor public. `public` are endpoints
        that no decorator reaches: `["static"]`."""
        app.extensions[_KEY] = names_of(public)

        @app.before_request
        def only_guarded() -> Response | None:
            if request.endpoint is None or _is_open(app, request.endpoint):
                return None  # or 404, which is Flask's to say
            return self._response(Refusal.FORBIDDEN)

    def _response(self, refusal: Refusal) -> Response:
        response = Response(refusal.text, refusal.status, mimetype="text/plain")
        if refusal is Refusal.UNAUTHENTICATED:
            response.headers["WWW-Authenticate"] = self._challenge
        return response


def _is_open(app: Flask, endpoint: str) -> bool:
    return endpoint in app.extensions.get(_KEY, ()) or is_marked(app.view_functions.get(endpoint))


def list_routes(app: Flask) -> Iterator[Route]:
    """Every route of an app, those of its blueprints too."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found = Route.of(rule.rule, methods, name_of(view), view)
        yield found._replace(is_public=found.check is None and _is_open(app, rule.endpoint))
