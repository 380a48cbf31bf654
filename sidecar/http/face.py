"""The HTTP face of the sidecar: the application at its addresses. Made in `wiring`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from ..addresses import UNIX
from ..decisions import Decisions
from ..door import Door
from ..entities import EntityFollower
from ..policies import PolicyFollower
from ..security import Listening
from ..sockets import address_of, open_sockets
from .app import Facts, make_app
from .authzen import AuthZEN
from .health import Readiness
from .searching import Searcher
from .server import HTTPServer

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ..settings import Settings


ANY_ADDRESS = ("0.0.0.0:", "[::]:")


class HTTPFace:
    """Answers AuthZEN, health and other `routes` over HTTP."""

    def __init__(
        self,
        decisions: Decisions,
        entities: EntityFollower | None,
        policies: PolicyFollower,
        door: Door,
        settings: Settings,
        listening: Listening,
        log: FilteringBoundLogger,
        routes: Sequence[BaseRoute] = (),
        not_yet: Callable[[], str] = lambda: "",
    ) -> None:
        self._authzen = AuthZEN(decisions, Searcher(decisions, entities))
        self._knows_entities = entities is not None
        self._door = door
        self._readiness = Readiness(policies, settings.ready_max_age, not_yet)
        self._settings = settings
        self._listening = listening
        self._log = log
        self._routes = routes
        self._sockets: list[socket.socket] = []
        self._opened: list[str] = []
        self._server: HTTPServer | None = None

    def open(self) -> list[str]:
        """Open the addresses of the settings. Returns them with their ports filled in. Raises
        OSError naming the one that cannot be opened."""
        addresses = self._settings.http_listen
        shares = self._settings.workers > 1
        self._sockets = open_sockets(addresses, self._listening, shares)
        self._opened = [address_of(*each) for each in zip(self._sockets, addresses, strict=True)]
        return self._opened

    async def start(self) -> None:
        """Begin to answer."""
        settings = self._settings
        facts = Facts(
            settings.http_base_url or self._url_of(self._opened[0]),
            self._knows_entities,
            settings.max_message_bytes,
            settings.http_timeout,
        )
        app = make_app(self._authzen, self._door, self._readiness, facts, self._routes)
        self._server = HTTPServer(app, settings, self._listening, self._log)
        await self._server.start(self._sockets)

    async def stop(self, grace: float) -> None:
        """Say that we are not ready, take no new calls, and give those in flight the grace."""
        self._readiness.stopping = True
        if self._server is not None:
            await self._server.stop(grace)

    def _url_of(self, address: str) -> str:
        """The URL of an address, if it is one that callers can reach."""
        if address.startswith((UNIX, *ANY_ADDRESS)):
            return ""
        return f"{'http' if self._listening.certificates is None else 'https'}://{address}"
