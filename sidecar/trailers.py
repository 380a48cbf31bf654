"""What a status says to programs, as trailers of gRPC.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import math

from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2

from .status import Status

DETAILS = "grpc-status-details-bin"


def trailers(status: Status) -> tuple[tuple[str, str | bytes], ...]:
    """What a status says to programs: the fields at fault, and when to come again, as gRPC's own
    retries read it (gRFC A6)."""
    told: list[tuple[str, str | bytes]] = []
    if status.fields:
        told.append((DETAILS, _details(status)))
    if status.retry_after is not None:
        told.append(("grpc-retry-pushback-ms", str(math.ceil(status.retry_after * 1_000))))
    return tuple(told)


def _details(status: Status) -> bytes:
    wrong = error_details_pb2.BadRequest()
    for field, description in status.fields:
        wrong.field_violations.add(field=field, description=description)
    packed = Packed()
    packed.Pack(wrong)
    told = status_pb2.Status(code=status.code.number, message=status.message, details=[packed])
    encoded: bytes = told.SerializeToString()
    return encoded
