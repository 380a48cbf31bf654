"""Errors that cross gRPC as types: what a service raises, its caller catches as the same class.

Laws: a message is for whoever called: it names a field and what was expected, never a value, and
nothing of what lies behind. Whatever is no `ServiceError` is told as `Internal`, and is in the log.
"""

from __future__ import annotations

from typing import Any, ClassVar

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "taskman"
DETAILS = "grpc-status-details-bin"
_BY_CODE: dict[grpc.StatusCode, type[ServiceError]] = {}


class ServiceError(Exception):
    """The base: a status of gRPC, and why, in words and for programs."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init_subclass__(cls, code: grpc.StatusCode) -> None:
        cls.code = code
        _BY_CODE[code] = cls

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field  # of the request, where one is at fault

    def status(self) -> bytes:
        """As `google.rpc.Status`."""
        reason = error_details_pb2.ErrorInfo(reason=type(self).__name__, domain=DOMAIN)
        details = [reason]
        if self.field:
            violation = error_details_pb2.BadRequest.FieldViolation(
                field=self.field, description=self.message
            )
            details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        status = status_pb2.Status(code=self.code.value[0], message=self.text)
        for detail in details:
            packed = Packed()
            packed.Pack(detail)
            status.details.append(packed)
        data: bytes = status.SerializeToString()
        return data

    @property
    def text(self) -> str:
        """The message with the field that it is about."""
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidInput(ServiceError, code=grpc.StatusCode.INVALID_ARGUMENT):
    """A field of the request is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field)


class Unauthenticated(ServiceError, code=grpc.StatusCode.UNAUTHENTICATED):
    """Nobody knows who calls."""


class Denied(ServiceError, code=grpc.StatusCode.PERMISSION_DENIED):
    """A policy does not let the caller."""


class NotFound(ServiceError, code=grpc.StatusCode.NOT_FOUND):
    """There is no such thing in the caller's company."""


class AlreadyExists(ServiceError, code=grpc.StatusCode.ALREADY_EXISTS):
    """A name is taken."""


class Refused(ServiceError, code=grpc.StatusCode.FAILED_PRECONDITION):
    """What is asked cannot be done as things are."""


class Conflict(ServiceError, code=grpc.StatusCode.ABORTED):
    """Somebody else changed it meanwhile: look again, and try again."""


class TooMany(ServiceError, code=grpc.StatusCode.RESOURCE_EXHAUSTED):
    """Asked too often: later perhaps."""


class Unavailable(ServiceError, code=grpc.StatusCode.UNAVAILABLE):
    """Somebody who is needed for the answer does not answer."""


class TooLate(ServiceError, code=grpc.StatusCode.DEADLINE_EXCEEDED):
    """There was no answer in time."""


class Internal(ServiceError, code=grpc.StatusCode.INTERNAL):
    """The service failed."""


def error_of(error: grpc.aio.AioRpcError) -> ServiceError:
    """What another service raised, as the same class; `Internal` for what is none of ours."""
    kind = _BY_CODE.get(error.code(), Internal)
    message, field = error.details() or error.code().name.lower(), ""
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == DETAILS:
            field = _field(value)
            message = message.removeprefix(f"{field}: ")
    return InvalidInput(field, message) if kind is InvalidInput else kind(message)


def _field(data: bytes) -> str:
    found = error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(data).details:
        if detail.Unpack(found) and found.field_violations:
            return str(found.field_violations[0].field)
    return ""
