"""HTTP to a sidecar of a test."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple

from tests.sidecar.process import PATIENCE

JSON = {"Content-Type": "application/json"}
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def ask(
    address: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] = JSON,
    connection: http.client.HTTPConnection | None = None,
) -> Answer:
    """POST a body (a value or bytes), or GET where there is none."""
    used = connection or http.client.HTTPConnection(address, timeout=PATIENCE)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    used.request("GET" if data is None else "POST", path, data, headers)
    reply = used.getresponse()
    found, names = reply.read(), {name.lower(): value for name, value in reply.getheaders()}
    if connection is None:
        used.close()
    media_type = names.get("content-type", "")
    return Answer(
        reply.status, names, json.loads(found) if media_type == "application/json" else found
    )
