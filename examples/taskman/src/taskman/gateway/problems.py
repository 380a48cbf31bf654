"""Answers: JSON, and problems as RFC 9457 has them.

Law: a problem says what a `ServiceError` says, and nothing of what lies behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import grpc
from starlette.responses import Response

from ..chassis.errors import ServiceError

JSON, PROBLEM = "application/json", "application/problem+json"
STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class Problem(Exception):
    """What is wrong with a request as HTTP."""

    def __init__(
        self,
        status: int,
        detail: str,
        field: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {})


def problem_of(error: ServiceError) -> Problem:
    """What a service said, as a problem."""
    status = STATUSES.get(error.code, 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = "1"
    return Problem(status, error.message, error.field, headers)


def problem(found: Problem, request_id: str) -> Response:
    """The answer to it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(found.status).phrase,
        "status": found.status,
        "detail": found.detail,
        "request_id": request_id,
    }
    if found.field:
        body["errors"] = [{"field": found.field, "detail": found.detail}]
    return Response(json.dumps(body), found.status, media_type=PROBLEM, headers=found.headers)
