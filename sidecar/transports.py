"""Which transport speaks gRPC: grpcio, or libnghttp2 where it can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from taskman_authz.errors import AuthzError

from . import http2
from .authorization import Served
from .door import Door
from .faces import Face
from .security import Listening

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from .settings import Settings

Services = Mapping[str, Mapping[str, Served]]
Faces = Mapping[str, Face]


class Transport(Protocol):
    """What answers at addresses."""

    transport: str

    async def start(self, addresses: Sequence[str]) -> list[str]:
        """Open the addresses and begin to answer. Returns them with their ports filled in.
        Raises OSError naming the address that cannot be opened."""

    async def stop(self, grace: float) -> None:
        """Take no new calls, and give those in flight `grace` seconds to end."""


Make = Callable[[Services, Door, "Settings", Listening, Faces], Transport]


def choose(settings: Settings, log: FilteringBoundLogger) -> Make:
    """What makes the transport of these settings. Raises AuthzError where the fast one is asked for
    and cannot be had."""
    if settings.transport != "grpcio":
        why = "reflection is grpcio's alone" if settings.reflection else http2.missing()
        if not why:
            from .http2.server import FastServer

            return partial(FastServer, log)
        if settings.transport == "fast":
            raise AuthzError(f"--transport fast: {why}")
        log.info("serving on grpcio", why=why)
    from .server import Server

    return Server
