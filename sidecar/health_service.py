"""The standard health service (`grpc.health.v1`) of what `health` knows: from bytes to bytes.

Its own, because the one of grpcio-health-checking keeps whoever watches to the end of the grace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from .authorization import Served, Stream
from .door import Call
from .faces import Face
from .health import Health
from .status import Code, Refusal

SERVICE: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
# Who probes need not prove anything, and is not counted.
FACE = Face("health", is_guarded=False)

_States = health_pb2.HealthCheckResponse
_WORDS = {True: _States.SERVING, False: _States.NOT_SERVING, None: _States.SERVICE_UNKNOWN}


class HealthService:
    """Answers `Check` and `Watch`."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def methods(self) -> Mapping[str, Served]:
        """The methods of the service by name."""
        return {"Check": self.check, "Watch": Stream(self.watch)}

    def check(self, data: bytes, _call: Call) -> bytes:
        """What a service is now. Raises Refusal where there is none of this name."""
        serves = self._health.serves(_name(data))
        if serves is None:
            raise Refusal(Code.NOT_FOUND, "no service of this name")
        return _written(serves)

    async def watch(self, data: bytes, _call: Call) -> AsyncIterator[bytes]:
        """What a service is now, and what it becomes, until the sidecar stops."""
        async for serves in self._health.follow(_name(data)):
            yield _written(serves)


def _name(data: bytes) -> str:
    try:
        return str(health_pb2.HealthCheckRequest.FromString(data).service)
    except DecodeError:
        raise Refusal(Code.INVALID_ARGUMENT, "expected a HealthCheckRequest") from None


def _written(serves: bool | None) -> bytes:
    written: bytes = _States(status=_WORDS[serves]).SerializeToString()
    return written
