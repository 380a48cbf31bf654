"""What an exception becomes for a caller: a code, a message, the fields at fault. The only place
that knows; each transport has its own words for a code.

Law: a caller learns what is wrong with its own request, and of everything else only that it
failed; the log learns the rest.
"""

from __future__ import annotations

import enum
import math
from typing import NamedTuple

from taskman_authz.errors import (
    AlreadyExistsError,
    CompileError,
    ConflictError,
    NotFoundError,
    RequestError,
)

# Fields at fault travel in a header of the answer, which has a limit.
FIELDS_LENGTH = 3_000  # characters


class Code(enum.Enum):
    """The codes of `google.rpc.Code` that are answered here: gRPC's number, HTTP's status."""

    CANCELLED = 1, 499
    INVALID_ARGUMENT = 3, 400
    DEADLINE_EXCEEDED = 4, 504
    NOT_FOUND = 5, 404
    ALREADY_EXISTS = 6, 409
    PERMISSION_DENIED = 7, 403
    RESOURCE_EXHAUSTED = 8, 429
    FAILED_PRECONDITION = 9, 400
    ABORTED = 10, 409
    UNIMPLEMENTED = 12, 501
    INTERNAL = 13, 500
    UNAVAILABLE = 14, 503
    UNAUTHENTICATED = 16, 401

    def __init__(self, number: int, http: int) -> None:
        self.number = number
        self.http = http


class Status(NamedTuple):
    """Why there is no answer, fit to be shown to the caller."""

    code: Code
    message: str
    # Name of each field at fault and what is wrong with it.
    fields: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None  # seconds until the same call may be answered


class Refusal(Exception):
    """A call that is not answered, raised by what stands before the methods."""

    def __init__(self, code: Code, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = Status(code, message, retry_after=retry_after)


def status_of(error: Exception) -> Status:
    """What the caller learns of an exception."""
    if isinstance(error, Refusal):
        return error.status
    if isinstance(error, RequestError):
        return Status(Code.INVALID_ARGUMENT, str(error), ((error.field, error.message),))
    if isinstance(error, CompileError):
        return _issues(error)
    if isinstance(error, AlreadyExistsError):
        return Status(Code.ALREADY_EXISTS, str(error))
    if isinstance(error, ConflictError):
        return Status(Code.ABORTED, str(error))
    if isinstance(error, NotFoundError):
        return Status(Code.NOT_FOUND, str(error))
    return Status(Code.INTERNAL, "the decision point failed; treat this as a denial")


def _issues(error: CompileError) -> Status:
    """All issues, or as many as fit."""
    fields: list[tuple[str, str]] = []
    left = FIELDS_LENGTH
    for issue in error.issues:
        place, said = str(issue.place), f"{issue.message} [{issue.code}]"
        left -= len(place) + len(said)
        if left < 0 and fields:
            break
        fields.append((place[:FIELDS_LENGTH], said[:FIELDS_LENGTH]))
    count = len(error.issues)
    message = f"{count} thing{'s' if count > 1 else ''} wrong: {': '.join(fields[0])}"
    return Status(Code.INVALID_ARGUMENT, message[:500], tuple(fields))


def http_headers(status: Status) -> dict[str, str]:
    """The headers that go with a status over HTTP (RFC 9110, sections 11.6.1 and 10.2.3)."""
    headers = {}
    if status.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if status.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(status.retry_after)))
    return headers
