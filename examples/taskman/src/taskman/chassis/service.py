"""A service from its start to its stop.

Start: migrate, connect, declare queues, wire, tell and handle events, serve. Stop: no new calls,
those under way end, events that wait stay in the outbox for the next start, connections close.

Law: whoever is half started when something fails is stopped again.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

import asyncpg
from redis.asyncio import Redis
from starlette.routing import Route
from taskman_authz_sidecar.secrets.leases import Leased

from taskman_authz import UnavailableError
from taskman_authz.messaging import Consumer, Link, Relay, Topology
from taskman_authz.messaging.postgres import PostgresOutbox

from .cache import LOSSES, Cache
from .caller import Tokens
from .client import Peer
from .database import PLATFORM, Database, prepare
from .events import Subscription
from .http import Http
from .keys import Keys, PublicKeys, Secret
from .log import logger
from .metrics import Metrics
from .pep import About, Pep
from .server import Door, Server
from .settings import Settings
from .tracing import Traces


class Wiring(NamedTuple):
    """What a service brings: servicers (`add_..._to_server`, servicer, full name), what it hears,
    HTTP routes, methods that need no token, and jobs that run until the end."""

    servicers: Sequence[tuple[Callable[..., None], Any, str]]
    subscriptions: Sequence[Subscription] = ()
    routes: Sequence[Route] = ()
    open_methods: Sequence[str] = ()
    jobs: Sequence[Callable[[], Coroutine[Any, Any, object]]] = ()


class House(NamedTuple):
    """What a service is wired from."""

    settings: Any  # of the definition's class
    log: Any
    metrics: Metrics
    database: Database
    cache: Cache
    tokens: Tokens
    traces: Traces
    closing: AsyncExitStack

    def peer(self, name: str, repeatable: Sequence[tuple[str, str]] = ()) -> Peer:
        """Another service."""
        made = Peer(name, self.settings, self.tokens, self.traces, repeatable)
        self.closing.push_async_callback(made.close)
        return made

    def pep(self, about: About | None = None) -> Pep:
        """The enforcement point; `about` gives attributes of users who call."""
        made = Pep(self.settings, self.metrics, self.traces, about)
        self.closing.push_async_callback(made.close)
        return made


class Definition(NamedTuple):
    """A service: its name, its package (`taskman.x`), its exchanges, how it is wired."""

    name: str
    package: str
    exchanges: tuple[str, ...]
    wire: Callable[[House], Wiring]
    settings: type[Settings] = Settings
    keys: Callable[[Any, Database], Keys] | None = None  # of users' tokens, where they are its own
    prefix: str = ""  # of keys in Redis, where it is not the package's last name
    kind: type[Service] | None = None  # where it is another one than `Service`


class Service:
    """A service that runs: `async with Service(definition, settings) as service`."""

    def __init__(self, definition: Definition, settings: Settings) -> None:
        self.definition = definition
        self.settings = settings
        self.log = logger(definition.name, settings.log_level)
        self.metrics = Metrics(definition.name)
        self.traces = Traces(definition.name, settings)
        self.address = self.http_address = ""
        self.failed = asyncio.Event()  # a job ended that should not
        self._runs: list[Callable[[], Coroutine[Any, Any, object]]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Service:
        self._stack.push_async_callback(asyncio.to_thread, self.traces.close)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self.log.info("Stopped")

    async def _start(self) -> None:
        house = await self._house()
        wiring = self.definition.wire(house)
        link = Link(
            self.settings.amqp_url.get_secret_value(),
            self.definition.name,
            on_problem=self.log.warning,
        )
        queues = tuple(each.queue for each in wiring.subscriptions)
        topology = Topology(self.definition.exchanges, queues)
        await link.once(topology.declare)
        await self._work(house, wiring, link, topology)
        http = Http(self.settings.http_listen, self.metrics, self._lacking, wiring.routes)
        self._stack.push_async_callback(http.stop)
        http.start()
        timeout = self.settings.call_timeout
        door = Door(house.tokens, self.metrics, self.log, self.traces, timeout, wiring.open_methods)
        server = Server(door, self.settings)
        self._stack.push_async_callback(server.stop, self.settings.stop_grace)
        self.address, self.http_address = await server.start(wiring.servicers), http.address
        self.log.info("Serving", grpc=self.address, http=self.http_address)

    async def _house(self) -> House:
        settings, definition = self.settings, self.definition
        dsn, role = settings.postgres_dsn.get_secret_value(), settings.postgres_role
        leased = Leased.of(role, self.log) if role else None
        owner = settings.migration_dsn or (None if role else settings.postgres_dsn)
        if owner is not None:
            await prepare(owner.get_secret_value(), definition.package)
        database = await Database.connect(dsn, settings.pool_size, settings.call_timeout, leased)
        if leased is not None:
            self._runs.append(partial(leased.follow, database.pool.expire_connections))
        self._stack.push_async_callback(database.close)
        redis = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=1.0)
        self._stack.push_async_callback(redis.aclose)
        self.database, self.redis = database, redis
        keys = (definition.keys or _keys)(settings, database)
        secret = settings.service_secret.get_secret_value()
        tokens = self.tokens = Tokens(definition.name, secret, keys)
        cache = Cache(redis, definition.prefix or definition.package.rpartition(".")[2])
        told = (self.log, self.metrics, database, cache, tokens, self.traces)
        return House(settings, *told, self._stack)

    async def _work(self, house: House, wiring: Wiring, link: Link, topology: Topology) -> None:
        """Tell and handle events, and do jobs, until the stop."""
        warn = self.log.warning
        relay = Relay(PostgresOutbox(house.database.pool, PLATFORM), link, on_problem=warn)
        at_once = self.settings.pool_size // 2  # events leave connections to calls
        consumers = [
            Consumer(each.queue, each.handle, link, topology, prefetch=at_once, on_problem=warn)
            for each in wiring.subscriptions
        ]
        runs = [*self._runs, relay.run, *wiring.jobs]
        runs += [consumer.run for consumer in consumers]
        tasks = [asyncio.create_task(run()) for run in runs]
        for task in tasks:
            task.add_done_callback(self._ended)

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        self._stack.push_async_callback(end)

    def _ended(self, task: asyncio.Task[object]) -> None:
        """A job ended: at the stop they all do, otherwise the service must not seem to be well."""
        if task.cancelled():
            return
        self.log.error("A job failed", exc_info=task.exception())
        self.failed.set()

    async def _lacking(self) -> list[str]:
        """What the service needs for an answer and does not have."""
        lacking = []
        try:
            await self.database.pool.fetchval("SELECT 1", timeout=1)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            lacking.append("database")
        try:
            await self.redis.ping()
        except LOSSES:
            lacking.append("redis")
        return lacking


def _keys(settings: Settings, _database: Database) -> Keys:
    """The keys by which the tokens of users are verified."""
    if settings.jwt_algorithm == "HS256" and settings.jwt_secret is not None:
        return Secret(settings.jwt_secret.get_secret_value())
    return PublicKeys(settings.jwks_url)


async def run(definition: Definition, settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then stop in order. Raises UnavailableError where a job of it
    fails, whatever failed: whoever started it starts it again."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (definition.kind or Service)(definition, settings) as service:
        waiting = [asyncio.create_task(event.wait()) for event in (stop, service.failed)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
    if service.failed.is_set():
        raise UnavailableError("a job failed; the log says why")
