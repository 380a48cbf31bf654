"""The decision point over gRPC, for those who ask: `Client`, and `AsyncClient` under asyncio.

    with Client("127.0.0.1:50051") as pdp:
        if pdp.check("user:123", "tasks:edit", "tasks/456", {"ip": "10.0.0.7"}):
            ...

Begin with `clients`. `asking` is what both share, without I/O: the way of one call; `channel` says
whom gRPC asks, and how; `breaker`, `memory` and `metadata` are what their names say.

Laws: no answer is never a yes. Whatever keeps the decision point from answering in time raises
`UnavailableError` (or is a no, with `on_unavailable="deny"`), `UnauthorizedError` where this caller
is refused; a question that cannot be asked, here
or there, raises `RequestError`. Needs `[sidecar]`.
"""

from __future__ import annotations

try:
    import grpc as _grpc  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"taskman_authz.client needs `{error.name}`: pip install 'taskman-authz[sidecar]'",
        name=error.name,
    ) from None

from ..breaker import Breaker, BreakerSettings, Counts, State
from .channel import TLS
from .clients import AsyncClient, Client

__all__ = ["TLS", "AsyncClient", "Breaker", "BreakerSettings", "Client", "Counts", "State"]
