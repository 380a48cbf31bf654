"""What is neither guarded nor public answers 403, and `list_routes` finds it, wherever it hangs."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any

import pytest
from django.test import RequestFactory, override_settings
from django.urls import include, path, resolve
from django.utils.decorators import method_decorator
from django.views import View
from fastapi import APIRouter, Depends, FastAPI, Path, WebSocket
from flask import Blueprint, Flask
from flask.views import MethodView
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router, WebSocketRoute

from taskman_authz import PDP, ArgumentError
from taskman_authz.decision import Decision
from taskman_authz.integrations import django as for_django
from taskman_authz.integrations import fastapi as for_fastapi
from taskman_authz.integrations import flask as for_flask
from taskman_authz.integrations import starlette as for_starlette
from taskman_authz.integrations.enforcement import is_marked, public
from tests.integrations.app import ROOT
from tests.integrations.guarded import asgi

PDP_OF_TASKS = PDP.from_path(ROOT / "policies" / "taskman")


def viewer() -> Any:
    return {"type": "user", "id": "vic", "roles": ["viewer"]}


def listed(routes: Any) -> dict[str, str]:
    """Path → what guards it."""
    return {
        f"{' '.join(each.methods)} {each.path}".strip(): each.check
        or ("public" if each.is_public else "NOTHING")
        for each in routes
    }


def plain(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("ran")


def starlette_app() -> Starlette:
    guard = for_starlette.Guard(PDP_OF_TASKS, subject=lambda connection: viewer())

    class Tasks(HTTPEndpoint):
        @guard("tasks:view", "tasks/{id}")
        async def get(self, request: Any) -> PlainTextResponse:
            return PlainTextResponse("ran")

        async def delete(self, request: Any) -> PlainTextResponse:
            return PlainTextResponse("ran")

    @guard("tasks:edit", "tasks/{id}")
    async def denied(socket: WebSocket) -> None:
        raise AssertionError("it ran")

    @guard("tasks:view", "tasks/{id}")
    async def allowed(socket: WebSocket) -> None:
        await socket.accept()

    class Socket(WebSocketEndpoint):
        @guard("tasks:view", "tasks/{id}")
        async def on_connect(self, websocket: WebSocket) -> None:
            await websocket.accept()

    inner = [
        Route("/{id}", Tasks),
        WebSocketRoute("/{id}/class", Socket),
        WebSocketRoute("/{id}/class/bare", WebSocketEndpoint),
        Route("/{id}/bare", plain),
        WebSocketRoute("/{id}/denied", denied),
        WebSocketRoute("/{id}/allowed", allowed),
        WebSocketRoute("/{id}/socket", plain),
    ]
    return Starlette(
        routes=[
            Mount("/tasks", routes=inner),
            Mount("/files", public(lambda scope, receive, send: None)),
        ],
        middleware=[Middleware(for_starlette.GuardedOnly)],
    )


def test_starlette_looks_through_mounts_classes_and_sockets():
    app = starlette_app()
    assert asgi(app, "/tasks/1") == (200, "ran")
    assert asgi(app, "/tasks/1", method="HEAD")[0] == 200
    assert asgi(app, "/tasks/1", method="DELETE") == (403, "forbidden")
    assert asgi(app, "/tasks/1/class", "websocket")[0] == 0
    assert asgi(app, "/tasks/1/class/bare", "websocket")[0] == 1008
    assert asgi(app, "/tasks/1/bare") == (403, "forbidden")
    assert asgi(app, "/nowhere")[0] == 404
    assert asgi(app, "/tasks/1/denied", "websocket") == (1008, "forbidden")
    assert asgi(app, "/tasks/1/allowed", "websocket") == (0, "")
    assert asgi(app, "/tasks/1/socket", "websocket")[0] == 1008
    assert listed(for_starlette.list_routes(app)) == {
        "GET /tasks/{id}": "tasks:view on tasks/{id}",
        "DELETE /tasks/{id}": "NOTHING",
        "/tasks/{id}/class": "tasks:view on tasks/{id}",
        "/tasks/{id}/class/bare": "NOTHING",
        "GET HEAD /tasks/{id}/bare": "NOTHING",
        "/tasks/{id}/denied": "tasks:edit on tasks/{id}",
        "/tasks/{id}/allowed": "tasks:view on tasks/{id}",
        "/tasks/{id}/socket": "NOTHING",
        "/files": "public",
    }


def test_guarded_only_closes_what_is_below_a_mount_a_router_or_a_route():
    @public
    def shown(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("shown")

    only = [Middleware(for_starlette.GuardedOnly)]

    def both() -> list[Any]:
        return [Route("/bare", plain), Route("/shown", shown)]

    app = Starlette(
        routes=[
            Route("/bare", shown),  # the path of what is below, without the mount's
            Mount("/mount", routes=both(), middleware=only),
            Mount("/router", app=Router(both(), middleware=only)),
            Mount("/app", app=Starlette(routes=both(), middleware=only)),
            Mount("/apps", app=Starlette(routes=[Mount("/m", routes=both(), middleware=only)])),
            Route("/route/bare", plain, middleware=only),
            Route("/route/shown", shown, middleware=only),
        ]
    )
    for place in ("/mount", "/router", "/app", "/apps/m", "/route"):
        assert asgi(app, f"{place}/bare") == (403, "forbidden"), place
        assert asgi(app, f"{place}/shown") == (200, "shown"), place


def test_a_starlette_guard_takes_functions_only():
    guard = for_starlette.Guard(PDP_OF_TASKS, subject=lambda connection: viewer())
    with pytest.raises(ArgumentError, match="endpoint: expected a function"):
        guard("tasks:view", "tasks/{id}")(HTTPEndpoint)


def test_fastapi_sees_guards_of_routers_sockets_and_nested_dependencies():
    guard = for_fastapi.Guard(PDP_OF_TASKS, subject=viewer)
    may_view, may_edit = guard("tasks:view", "tasks/{id}"), guard("tasks:edit", "tasks/{id}")

    def nested(_: Any = Depends(may_view)) -> None: ...

    inside = APIRouter()
    inside.add_api_route("/{id}", lambda: "ran")
    inside.add_api_websocket_route("/{id}/socket", plain)
    sub = FastAPI(openapi_url=None)
    sub.add_api_route("/bare", lambda: "ran")
    app = FastAPI(openapi_url=None)
    app.include_router(inside, prefix="/view", dependencies=[Depends(may_view)])
    app.include_router(inside, prefix="/edit", dependencies=[Depends(may_edit)])
    app.add_api_route("/nested/{id}", lambda: "ran", dependencies=[Depends(nested)])
    app.mount("/sub", sub)
    assert asgi(app, "/view/1") == (200, '"ran"')
    assert asgi(app, "/edit/1")[0] == 403
    assert asgi(app, "/edit/1/socket", "websocket") == (1008, "forbidden")
    assert listed(for_fastapi.list_routes(app)) == {
        "GET /view/{id}": "tasks:view on tasks/{id}",
        "/view/{id}/socket": "tasks:view on tasks/{id}",
        "GET /edit/{id}": "tasks:edit on tasks/{id}",
        "/edit/{id}/socket": "tasks:edit on tasks/{id}",
        "GET /nested/{id}": "tasks:view on tasks/{id}",
        "GET /sub/bare": "NOTHING",
    }


def test_fastapi_reads_what_a_route_depends_on_too_only_once():
    loads: list[str] = []

    def task_of(id: str) -> Any:
        loads.append(id)
        return {"type": "tasks", "id": id}

    guard, app = for_fastapi.Guard(PDP_OF_TASKS, subject=viewer), FastAPI()

    @app.get("/tasks/{id}", dependencies=[Depends(guard("tasks:view", task_of))])
    def view(task: Any = Depends(task_of)) -> str:
        return str(task["id"])

    assert asgi(app) == (200, '"1"')
    assert loads == ["1"]


def as_it_is(id: str) -> str:
    return id


def as_a_number(number: Annotated[int, Path(alias="id")]) -> int:
    return number


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        (lambda id: id, "007"),
        (as_it_is, "007"),
        (as_a_number, "7"),
        (lambda number=Depends(as_a_number): number, "7"),
    ],
)
def test_fastapi_asks_about_what_the_route_acts_on(endpoint, asked):
    """A route that takes `007` as 7 is asked about 7, however it comes by the number."""
    found: list[Any] = []

    def check(_subject: Any, _action: Any, resource: Any, *_: Any, **__: Any) -> Decision:
        found.append(resource.id)
        return Decision(True, (), "")

    guard = for_fastapi.Guard(SimpleNamespace(check=check), subject=viewer)
    router, app = APIRouter(), FastAPI()
    guarded = [Depends(guard("tasks:view", "tasks/{id}"))]
    router.add_api_route("/{id}", endpoint, dependencies=guarded)
    app.include_router(router, prefix="/included")
    app.add_api_route("/direct/{id}", endpoint, dependencies=guarded)
    assert asgi(app, "/included/007")[0] == asgi(app, "/direct/007")[0] == 200
    assert found == [asked, asked]


def test_fastapi_does_not_choose_where_a_route_takes_one_parameter_as_two():
    guard, app = for_fastapi.Guard(PDP_OF_TASKS, subject=viewer), FastAPI()

    @app.get("/{id}", dependencies=[Depends(guard("tasks:view", "tasks/{id}"))])
    def view(id: str, number: int = Depends(as_a_number)) -> None: ...

    assert asgi(app, "/7")[0] == 200
    assert asgi(app, "/007")[0] == 403


def test_fastapi_says_what_is_wrong_with_a_parameter_that_the_route_does_not_take():
    guard, app = for_fastapi.Guard(PDP_OF_TASKS, subject=viewer), FastAPI()
    guarded = [Depends(guard("tasks:view", "tasks/{id}"))]
    app.add_api_route("/{id}", as_a_number, dependencies=guarded)
    assert asgi(app, "/seven")[0] == 422


def test_what_inherits_from_a_public_class_is_not_public():
    class Open(HTTPEndpoint): ...

    class Closed(Open): ...

    assert is_marked(public(Open)) and not is_marked(Closed)


def test_the_documentation_of_fastapi_is_a_route_that_nothing_guards():
    assert set(listed(for_fastapi.list_routes(FastAPI())).values()) == {"NOTHING"}


def test_flask_looks_through_blueprints_and_classes():
    guard, app = for_flask.Guard(PDP_OF_TASKS, subject=viewer), Flask(__name__, static_folder=None)
    inside = Blueprint("inside", __name__, url_prefix="/inside")

    class Tasks(MethodView):
        decorators = [guard("tasks:view", "tasks/{id}")]

        def get(self, id: str) -> str:
            return "ran"

    inside.add_url_rule("/tasks/<id>", view_func=Tasks.as_view("tasks"))
    inside.add_url_rule("/bare", "bare", lambda: "ran")
    app.register_blueprint(inside)
    app.add_url_rule("/open", "open", lambda: "ran")
    guard.init_app(app, public=["open"])
    client = app.test_client()
    assert client.get("/inside/tasks/1").text == "ran"
    assert (client.get("/inside/bare").status_code, client.get("/inside/bare").text) == (
        403,
        "forbidden",
    )
    assert client.get("/open").text == "ran"
    assert client.get("/nowhere").status_code == 404
    assert listed(for_flask.list_routes(app)) == {
        "GET /inside/tasks/<id>": "tasks:view on tasks/{id}",
        "GET /inside/bare": "NOTHING",
        "GET /open": "public",
    }


def test_a_guard_above_the_route_guards_nothing_and_is_found_out():
    guard, app = for_flask.Guard(PDP_OF_TASKS, subject=viewer), Flask(__name__, static_folder=None)

    @guard("tasks:edit", "tasks/{id}")
    @app.get("/tasks/<id>")
    def view(id: str) -> str:
        return "ran"

    guard.init_app(app)
    assert app.test_client().get("/tasks/1").status_code == 403
    assert listed(for_flask.list_routes(app)) == {"GET /tasks/<id>": "NOTHING"}


def django_urls(monkeypatch: pytest.MonkeyPatch) -> str:
    guard = for_django.Guard(PDP_OF_TASKS, subject=lambda request: viewer())

    def bare(request: Any, **_parameters: Any) -> Any:
        return for_django.HttpResponse("ran")

    class Tasks(View):
        @method_decorator(guard("tasks:view", "tasks/{id}"))  # type: ignore[untyped-decorator]
        def get(self, request: Any, id: str) -> Any:
            return bare(request)

        def delete(self, request: Any, id: str) -> Any:
            return bare(request)

    whole = guard("tasks:view", "tasks/{id}")(Tasks.as_view())
    inside = [path("bare", bare, name="bare"), path("open", bare, name="open")]
    module = ModuleType("urls_of_a_test")
    module.urlpatterns = [  # type: ignore[attr-defined]
        path("class/<id>", Tasks.as_view()),
        path("whole/<id>", whole),
        path("inside/", include((inside, "inside"))),
        path("admin/", include((inside, "admin"))),
    ]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_a_text_of_public_names_is_one_name_and_not_its_letters(monkeypatch):
    guard, app = for_flask.Guard(PDP_OF_TASKS, subject=viewer), Flask(__name__, static_folder=None)
    app.add_url_rule("/open", "open", lambda: "ran")
    app.add_url_rule("/o", "o", lambda: "ran")
    guard.init_app(app, public="open")
    client = app.test_client()
    assert (client.get("/open").status_code, client.get("/o").status_code) == (200, 403)

    request = RequestFactory().get("/")
    middleware = for_django.GuardedOnly(lambda request: None)
    for name, status in (("admin", None), ("a", 403)):
        request.resolver_match = SimpleNamespace(view_name=name, namespaces=[])
        with override_settings(TASKMAN_AUTHZ_PUBLIC="admin"):
            answer = middleware.process_view(request, plain, (), {})
        assert (answer and answer.status_code) == status


def test_django_looks_through_includes_and_classes(monkeypatch):
    names = ["inside:open", "admin"]
    with override_settings(ROOT_URLCONF=django_urls(monkeypatch), TASKMAN_AUTHZ_PUBLIC=names):

        def ask(method: str, address: str) -> tuple[int, str]:
            request = RequestFactory().generic(method, address)
            request.resolver_match = found = resolve(address)
            middleware = for_django.GuardedOnly(lambda request: None)
            answer = middleware.process_view(request, found.func, found.args, found.kwargs)
            answer = answer or found.func(request, *found.args, **found.kwargs)
            return answer.status_code, answer.content.decode()

        assert ask("GET", "/class/1") == ask("DELETE", "/whole/1") == (200, "ran")
        assert ask("HEAD", "/class/1")[0] == 200
        assert ask("DELETE", "/class/1") == ask("GET", "/inside/bare") == (403, "forbidden")
        assert ask("GET", "/inside/open") == ask("GET", "/admin/bare") == (200, "ran")
        assert listed(for_django.list_routes()) == {
            "GET /class/<id>": "tasks:view on tasks/{id}",
            "DELETE /class/<id>": "NOTHING",
            "GET /whole/<id>": "tasks:view on tasks/{id}",
            "DELETE /whole/<id>": "tasks:view on tasks/{id}",
            "/inside/bare": "NOTHING",
            "/inside/open": "public",
            "/admin/bare": "public",
            "/admin/open": "public",
        }
