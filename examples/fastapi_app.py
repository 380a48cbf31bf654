"""A FastAPI app whose routes ask before they run.

.venv/bin/python examples/fastapi_app.py [PORT]
curl -H 'Authorization: Bearer ann' http://127.0.0.1:8000/tasks/1
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from tasks import POLICIES, TASKS, user_of  # type: ignore[import-not-found]  # beside this file

from taskman_authz import PDP
from taskman_authz.integrations.fastapi import Guard, public


def current_user(authorization: Annotated[str | None, Header()] = None) -> Any:
    """Who asks. None is answered with 401."""
    return user_of(authorization)


def task_of(id: str) -> Any:
    """The task of a path, for the route and for the question: it is read once."""
    if id not in TASKS:
        raise HTTPException(404)
    return TASKS[id]


guard = Guard(PDP.from_path(POLICIES), subject=current_user)
app = FastAPI(openapi_url=None)  # the documentation of the interface would be open to everybody


@app.get("/tasks/{id}", dependencies=[Depends(guard("tasks:view", "tasks/{id}"))])
def view(id: str) -> Any:
    """Asks about the name alone."""
    return TASKS.get(id)


@app.put("/tasks/{id}", dependencies=[Depends(guard("tasks:edit", task_of))])
def edit(task: Annotated[Any, Depends(task_of)], title: str) -> Any:
    """Asks about the task with its attributes: the policy reads its owner."""
    return {**task, "title": title}


@app.get("/health")
@public
def health() -> str:
    """For everybody."""
    return "ok"


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if sys.argv[1:] else 8000)
