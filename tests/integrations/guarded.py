"""One guarded route of each framework, called in this process: `call(framework, ...)`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
import grpc
from django.conf import settings
from django.test import RequestFactory
from fastapi import Depends, FastAPI
from flask import Flask
from google.protobuf.wrappers_pb2 import StringValue
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from taskman_authz.integrations import django as for_django
from taskman_authz.integrations import fastapi as for_fastapi
from taskman_authz.integrations import flask as for_flask
from taskman_authz.integrations import grpc as for_grpc
from taskman_authz.integrations import starlette as for_starlette
from tests.integrations.app import PATIENCE

if not settings.configured:
    settings.configure(ROOT_URLCONF="tests.integrations.guarded", ALLOWED_HOSTS=["testserver"])
    django.setup()

STATUS = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "UNAVAILABLE": 503}
Ran = Callable[[], None]


def asgi(
    app: Any, path: str = "/tasks/1", kind: str = "http", method: str = "GET"
) -> tuple[int, str]:
    """Status and body that an ASGI app answers; of a WebSocket the code it is closed
    with, 0 where it is accepted."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    comes = iter(["websocket.connect"] if kind == "websocket" else ["http.request"])

    async def receive() -> Any:
        return {"type": next(comes, "websocket.disconnect")}

    scope = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}
    asyncio.run(app({**scope, "scheme": "http", "server": ("x", 1)}, receive, send))
    if kind == "websocket":
        return sent[0].get("code", 0), sent[0].get("reason", "")
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], body.decode()


def call_fastapi(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard, app = for_fastapi.Guard(pdp, subject=subject, **readers), FastAPI()

    @app.get("/tasks/{id}", dependencies=[Depends(guard("tasks:view", resource))])
    def view(id: str) -> str:
        ran()
        return "ran"

    return asgi(app)


def call_starlette(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard = for_starlette.Guard(pdp, subject=subject, **readers)

    @guard("tasks:view", resource)
    def view(request: Any) -> Any:
        ran()
        return PlainTextResponse("ran")

    return asgi(Starlette(routes=[Route("/tasks/{id}", view)]))


def call_flask(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard, app = for_flask.Guard(pdp, subject=subject, **readers), Flask(__name__)

    @app.get("/tasks/<id>")
    @guard("tasks:view", resource)
    def view(id: str) -> str:
        ran()
        return "ran"

    answer = app.test_client().get("/tasks/1")
    return answer.status_code, answer.text


def call_django(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard = for_django.Guard(pdp, subject=subject, **readers)

    @guard("tasks:view", resource)
    def view(request: Any, id: str) -> Any:
        ran()
        return for_django.HttpResponse("ran")

    answer = view(RequestFactory().get("/"), id="1")
    return answer.status_code, answer.content.decode()


def call_django_async(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard = for_django.Guard(pdp, subject=subject, **readers)

    @guard("tasks:view", resource)
    async def view(request: Any, id: str) -> Any:
        ran()
        return for_django.HttpResponse("ran")

    answer = asyncio.run(view(RequestFactory().get("/"), id="1"))
    return answer.status_code, answer.content.decode()


METHOD = "/t.T/Get"


def handler_of(behaviour: Any) -> Any:
    made = grpc.unary_unary_rpc_method_handler(
        behaviour, StringValue.FromString, StringValue.SerializeToString
    )
    return (grpc.method_handlers_generic_handler("t.T", {"Get": made}),)


def told(error: grpc.RpcError) -> tuple[int, str]:
    return STATUS.get(error.code().name, 500), error.details() or ""


def methods_of(resource: Any) -> Any:
    return {METHOD: ("tasks:view", "tasks/{value}" if resource == "tasks/{id}" else resource)}


def call_grpc(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    guard = for_grpc.GuardInterceptor(pdp, subject=subject, methods=methods_of(resource), **readers)

    def get(request: Any, context: Any) -> Any:
        ran()
        return StringValue(value="ran")

    server = grpc.server(ThreadPoolExecutor(2), interceptors=[guard])
    server.add_generic_rpc_handlers(handler_of(get))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask = channel.unary_unary(METHOD, StringValue.SerializeToString, StringValue.FromString)
            return 200, ask(StringValue(value="1"), timeout=PATIENCE).value
    except grpc.RpcError as error:
        return told(error)
    finally:
        server.stop(None).wait(PATIENCE)


def call_grpc_aio(ran: Ran, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    async def get(request: Any, context: Any) -> Any:
        ran()
        return StringValue(value="ran")

    async def run() -> Any:
        guard = for_grpc.AsyncGuardInterceptor(
            pdp, subject=subject, methods=methods_of(resource), **readers
        )
        server = grpc.aio.server(interceptors=[guard])
        server.add_generic_rpc_handlers(handler_of(get))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                ask = channel.unary_unary(
                    METHOD, StringValue.SerializeToString, StringValue.FromString
                )
                answer = await ask(StringValue(value="1"), timeout=PATIENCE)
                return 200, answer.value
        except grpc.RpcError as error:
            return told(error)
        finally:
            await server.stop(None)

    return asyncio.run(run())


CALLS = {
    "fastapi": call_fastapi,
    "starlette": call_starlette,
    "flask": call_flask,
    "django": call_django,
    "django async": call_django_async,
    "grpc": call_grpc,
    "grpc aio": call_grpc_aio,
}
SYNC = ("flask", "django", "grpc")
urlpatterns: list[Any] = []


def call(framework: str, pdp: Any, subject: Any, resource: Any, **readers: Any) -> Any:
    """Status, body, and whether the route ran."""
    ran: list[bool] = []
    status, body = CALLS[framework](lambda: ran.append(True), pdp, subject, resource, **readers)
    return status, body.strip('"'), bool(ran)
