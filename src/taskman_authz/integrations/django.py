"""Django: a decorator a view, and a middleware that answers 403 where there is none.

    guard = Guard(pdp, subject=current_user)  # of the request; None where nobody is logged in

    @guard("tasks:view", "tasks/{id}")
    def view(request, id): ...

    MIDDLEWARE = [..., "taskman_authz.integrations.django.GuardedOnly"]
    TASKMAN_AUTHZ_PUBLIC = ["admin"]  # names of views, or their namespaces, that need no check

Views may be async. Class-based ones are guarded with `method_decorator` on their methods, or as
`guard(...)(View.as_view())`. `subject`, `context`, `company_id` are functions of the request,
and a resource that is no template one of the request and the view's parameters; for async views
they may be async. They may raise `Http404` and `PermissionDenied`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, get_resolver
from django.utils.deprecation import MiddlewareMixin

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

__all__ = ["Guard", "GuardedOnly", "list_routes", "public"]

PUBLIC = "TASKMAN_AUTHZ_PUBLIC"
_OWN = (Http404, PermissionDenied)


class Guard:
    """Makes decorators of views that ask `pdp` (an `AsyncClient`: async views only). `challenge`
    is what a 401 says of how to authenticate (RFC 9110, section 11.6.1)."""

    def __init__(
        self,
        pdp: DecisionPoint,
        *,
        subject: Callable[..., Any],
        context: Callable[..., Any] | None = None,
        company_id: Callable[..., Any] | None = None,
        challenge: str = "Bearer",
    ) -> None:
        self._pdp = pdp
        self._readers = Readers(subject, context, company_id)
        self._enforcement = Enforcement(pdp, _OWN)
        self._challenge = challenge

    def __call__(
        self, action: str, resource: str | Callable[..., Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator of a view. Raises ArgumentError."""
        check = Check.of(action, resource)

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            made = self._async_view if inspect.iscoroutinefunction(view) else self._view
            return mark(functools.wraps(view)(made(check, view)), check)

        return decorate

    def _view(self, check: Check, view: Callable[..., Any]) -> Callable[..., Any]:
        enforcement = Enforcement(self._pdp, _OWN, sync=True)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            resource = check.reader(kwargs, request)
            read = functools.partial(self._readers.read, check.action, resource, request)
            refusal = enforcement.refusal(read)
            if refusal is not None:
                return self._response(refusal)
            return view(request, *args, **kwargs)

        return guarded

    def _async_view(self, check: Check, view: Callable[..., Any]) -> Callable[..., Any]:
        async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            resource = check.reader(kwargs, request)
            read = functools.partial(self._readers.read_async, check.action, resource, request)
            refusal = await self._enforcement.refusal_async(read)
            if refusal is not None:
                return self._response(refusal)
            return await view(request, *args, **kwargs)

        return guarded

    def _response(self, refusal: Refusal) -> HttpResponse:
        response = HttpResponse(refusal.text, status=refusal.status, content_type="text/plain")
        if refusal is Refusal.UNAUTHENTICATED:
            response["WWW-Authenticate"] = self._challenge
        return response


class GuardedOnly(MiddlewareMixin):  # type: ignore[misc]  # Django has no types of its own
    """A middleware: a view that is neither guarded nor public answers 403."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """What Django calls before a view."""
        match = request.resolver_match
        target = _target(view, str(request.method))
        if _is_open(target, {match.view_name, *match.namespaces}):
            return None
        refusal = Refusal.FORBIDDEN
        return HttpResponse(refusal.text, status=refusal.status, content_type="text/plain")


def _target(view: Any, method: str) -> Any:
    """What answers a method: of a class-based view that is not guarded as a whole, its own."""
    if is_marked(view):
        return view
    offered, name = getattr(view, "view_class", None), method.lower()
    if name == "head" and not hasattr(offered, name):
        name = "get"  # which Django calls then
    return getattr(offered, name, view)


def _is_open(view: Any, names: set[str]) -> bool:
    return is_marked(view) or not names.isdisjoint(names_of(getattr(settings, PUBLIC, ())))


def list_routes(_app: Any = None) -> Iterator[Route]:
    """Every route of `settings.ROOT_URLCONF`, those that are included too."""
    yield from _walk(get_resolver().url_patterns, "/", [])


def _walk(patterns: Any, prefix: str, namespaces: list[str]) -> Iterator[Route]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            names = {":".join([*namespaces, each.name or ""]), *namespaces}
            yield from _of_view(path, each.callback, names)
        else:
            inner = [*namespaces, each.namespace] if each.namespace else namespaces
            yield from _walk(each.url_patterns, path, inner)


def _of_view(path: str, view: Any, names: set[str]) -> Iterator[Route]:
    offered = getattr(view, "view_class", None)
    methods = [name for name in getattr(offered, "http_method_names", ()) if hasattr(offered, name)]
    for method in methods or [""]:
        if method != "options":  # Django's own: it tells which methods there are
            target = _target(view, method) if method else view
            found = Route.of(path, filter(None, [method.upper()]), name_of(target), target)
            is_open = _is_open(target, names)
            yield found._replace(is_public=found.check is None and is_open)
