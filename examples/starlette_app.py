"""A Starlette app whose routes ask before they run, and none of which is forgotten.

.venv/bin/python examples/starlette_app.py [PORT]
curl -H 'Authorization: Bearer ann' http://127.0.0.1:8000/tasks/1
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from tasks import POLICIES, TASKS, user_of  # type: ignore[import-not-found]  # beside this file

from taskman_authz import PDP
from taskman_authz.integrations.starlette import Guard, GuardedOnly, public


def current_user(connection: HTTPConnection) -> Any:
    """Who asks. None is answered with 401."""
    return user_of(connection.headers.get("authorization"))


async def task_of(_connection: HTTPConnection, id: str) -> Any:
    """The task of a path."""
    if id not in TASKS:
        raise HTTPException(404)
    return TASKS[id]


guard = Guard(PDP.from_path(POLICIES), subject=current_user)


@guard("tasks:view", "tasks/{id}")
async def view(request: Request) -> Response:
    """Asks about the name alone."""
    return JSONResponse(TASKS.get(request.path_params["id"]))


@guard("tasks:edit", task_of)
async def edit(request: Request) -> Response:
    """Asks about the task with its attributes: the policy reads its owner."""
    task = TASKS[request.path_params["id"]]
    return JSONResponse({**task, "title": request.query_params["title"]})


async def forgotten(_request: Request) -> Response:
    """Nothing guards this: the middleware answers 403."""
    return PlainTextResponse("secret")


@public
async def health(_request: Request) -> Response:
    """For everybody."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/tasks/{id}", view),
        Route("/tasks/{id}", edit, methods=["PUT"]),
        Route("/forgotten", forgotten),
        Route("/health", health),
    ],
    middleware=[Middleware(GuardedOnly)],
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if sys.argv[1:] else 8000)
