"""A Flask app whose views ask before they run, and none of which is forgotten.

.venv/bin/python examples/flask_app.py [PORT]
curl -H 'Authorization: Bearer ann' http://127.0.0.1:8000/tasks/1
"""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask, abort, request
from tasks import POLICIES, TASKS, user_of  # type: ignore[import-not-found]  # beside this file

from taskman_authz import PDP
from taskman_authz.integrations.flask import Guard, public


def current_user() -> Any:
    """Who asks. None is answered with 401."""
    return user_of(request.headers.get("Authorization"))


def task_of(id: str) -> Any:
    """The task of a path."""
    return TASKS[id] if id in TASKS else abort(404)


guard = Guard(PDP.from_path(POLICIES), subject=current_user)
app = Flask(__name__)
guard.init_app(app, public=["static"])


@app.get("/tasks/<id>")
@guard("tasks:view", "tasks/{id}")
def view(id: str) -> Any:
    """Asks about the name alone."""
    return TASKS.get(id, {})


@app.put("/tasks/<id>")
@guard("tasks:edit", task_of)
def edit(id: str) -> Any:
    """Asks about the task with its attributes: the policy reads its owner."""
    return {**TASKS[id], "title": request.args["title"]}


@app.get("/forgotten")
def forgotten() -> str:
    """Nothing guards this: the extension answers 403."""
    return "secret"


@app.get("/health")
@public
def health() -> str:
    """For everybody."""
    return "ok"


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]) if sys.argv[1:] else 8000)
