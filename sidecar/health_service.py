"""The standard health service (`grpc.health.v1`) of what `health` knows.

Its own, because the one of grpcio-health-checking keeps whoever watches to the end of the grace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from .health import Health

_States = health_pb2.HealthCheckResponse
_WORDS = {True: _States.SERVING, False: _States.NOT_SERVING, None: _States.SERVICE_UNKNOWN}


class HealthService(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # it has no types
    """Answers `Check` and `Watch`."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        """What a service is now; NOT_FOUND where there is none of this name."""
        serves = self._health.serves(request.service)
        if serves is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no service of this name")
        return _States(status=_WORDS[serves])

    async def Watch(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        """What a service is now, and what it becomes, until the sidecar stops."""
        async for serves in self._health.follow(request.service):
            yield _States(status=_WORDS[serves])
