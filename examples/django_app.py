"""A Django app in one file whose views ask before they run, and none of which is forgotten.

.venv/bin/python examples/django_app.py [PORT]
curl -H 'Authorization: Bearer ann' http://127.0.0.1:8000/tasks/1
"""

from __future__ import annotations

import sys
from typing import Any
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from tasks import POLICIES, TASKS, user_of  # type: ignore[import-not-found]  # beside this file

from taskman_authz import PDP
from taskman_authz.integrations.django import Guard, public

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=["taskman_authz.integrations.django.GuardedOnly"],
)


def current_user(request: HttpRequest) -> Any:
    """Who asks. None is answered with 401."""
    return user_of(request.headers.get("Authorization"))


def task_of(_request: HttpRequest, id: str) -> Any:
    """The task of a path."""
    if id not in TASKS:
        raise Http404
    return TASKS[id]


guard = Guard(PDP.from_path(POLICIES), subject=current_user)


class Task(View):  # type: ignore[misc]  # Django has no types of its own
    """Each method of a view asks its own question."""

    @method_decorator(guard("tasks:view", "tasks/{id}"))  # type: ignore[untyped-decorator]
    def get(self, _request: HttpRequest, id: str) -> HttpResponse:
        """Asks about the name alone."""
        return JsonResponse(TASKS.get(id, {}))

    @method_decorator(guard("tasks:edit", task_of))  # type: ignore[untyped-decorator]
    def put(self, request: HttpRequest, id: str) -> HttpResponse:
        """Asks about the task with its attributes: the policy reads its owner."""
        return JsonResponse({**TASKS[id], "title": request.GET["title"]})


@guard("tasks:view", "tasks/{id}")
async def title(_request: HttpRequest, id: str) -> HttpResponse:
    """An async view."""
    return HttpResponse(TASKS.get(id, {}).get("title", ""))


def forgotten(_request: HttpRequest) -> HttpResponse:
    """Nothing guards this: the middleware answers 403."""
    return HttpResponse("secret")


@public
def health(_request: HttpRequest) -> HttpResponse:
    """For everybody."""
    return HttpResponse("ok")


urlpatterns = [
    path("tasks/<str:id>", Task.as_view()),
    path("tasks/<str:id>/title", title),
    path("forgotten", forgotten),
    path("health", health),
]
app = get_wsgi_application()

if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8000, app) as server:
        print(f"running on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
