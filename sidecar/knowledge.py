"""What a sidecar knows of others and asks them: sources, roles, what is remembered, and the events
that end that. Made of its settings; the meeting place of `sources`, `roles`, `changes`, `gathering`
and the caches.

Laws: what is remembered is found only while events are heard, and for `cache_trust` seconds more;
where no events come, attributes are remembered no longer than that, and decisions not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from taskman_authz.attributes import (
    CachedSource,
    Gatherer,
    GuardedSource,
    Kind,
    Outcome,
    Source,
    Wanted,
)
from taskman_authz.breaker import Breaker, BreakerSettings, State
from taskman_authz.decision_cache import DecisionCache
from taskman_authz.errors import AuthzError
from taskman_authz.remembered import Cache, MemoryCache, WhileHeard
from taskman_authz.request import CheckRequest

from .changes import Changes
from .gathering import Gathering, Remembering
from .health import Health
from .kept import Kept
from .roles import ROLES, Roles
from .secrets import Secrets
from .settings import Settings, read_event, read_life, read_source
from .sources import Channels, Metadata, RemoteSource, read_token

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from taskman_authz.messaging import Listener
    from taskman_authz.remembered.redis import RedisCache

Complete = Callable[[CheckRequest], CheckRequest]
# Address of a source, how a call to it ended, and the seconds that it took.
SourceTold = Callable[[str, Outcome, float], object]

# All changes that were told are heard. Not holding: what is remembered is not used.
EVENTS = "taskman_authz.events"
LOOK = 0.5  # seconds between looks at whether events are heard
# What asking caches may take beside the sources, which have a deadline of their own: a source that
# is too late must be told apart from a caller who gave up.
CACHES = 0.25  # seconds


class Knowledge:
    """Begins with `open`, in the loop that decides. Raises AuthzError for what cannot be had."""

    def __init__(self, settings: Settings, log: FilteringBoundLogger, health: Health) -> None:
        self._settings = settings
        self._log = log
        self._health = health
        self.redis: RedisCache | None = None
        self._shows: Kept[bytes, Metadata] | None = None
        self._silent: set[str] = set()  # sources that do not answer
        self.roles: Roles | None = None
        self.listener: Listener | None = None
        self.caches: dict[str, WhileHeard] = {}
        self.sources: dict[str, Source] = {}  # by address
        self.breakers: dict[str, Breaker] = {}
        self.incomplete = 0  # decisions that were made without what a source should have given
        self.source_told: SourceTold = lambda _address, _outcome, _seconds: None

    def open(self, stored: Complete | None) -> tuple[Complete | None, Gathering | None]:
        """What completes requests here (`stored` first), and what asks others (None: nobody)."""
        settings = self._settings
        _check(settings)
        self._channels = Channels(settings)
        self._shows = self._token()
        kept = self._kept()
        rules = [read_event(rule) for rule in settings.entity_events]
        changes = Changes(rules, [*dict.fromkeys(kept.values())], self._log)
        self.roles = changes.roles = self._roles(changes)
        self.listener = self._listener(changes)
        behind = (lambda: 0.0) if self.listener is None else self.listener.behind
        trust = settings.cache_trust
        self.caches = {use: WhileHeard(cache, behind, trust) for use, cache in kept.items()}
        return _both(stored, self.roles), self._gathering()

    def tasks(self) -> Iterator[Coroutine[Any, Any, Any]]:
        """What goes on while calls are answered."""
        if self.roles is not None:
            yield self.roles.follow()
        if self._shows is not None:
            yield self._shows.follow(lambda: None)
        if self.listener is not None:
            yield self.listener.run()
            yield self._follow_events(self.listener)

    async def ready(self) -> None:
        """Wait until there is what decisions cannot do without."""
        if self.roles is not None:
            await self.roles.loaded.wait()

    def why_not(self) -> str:
        """Why nobody should ask yet; "" if one may."""
        is_loading = self.roles is not None and not self.roles.loaded.is_set()
        return "who holds which role is not known yet" if is_loading else ""

    def reload(self) -> None:
        """Read again now what is read now and then."""
        if self.roles is not None:
            self.roles.want_snapshot()

    async def close(self) -> None:
        """Give up the connections."""
        await self._channels.close()
        if self.redis is not None:
            await self.redis.close()

    # -- what it is made of ---------------------------------------------------------------------

    def _kept(self) -> dict[str, Cache]:
        """What attributes and decisions are remembered in, by which of both it is for."""
        settings = self._settings
        uses = {"attributes": settings.attribute_cache, "decisions": settings.decision_cache}
        if not settings.attribute_sources:
            return {}
        found: dict[str, Cache] = {}
        shared: Cache | None = None
        for use, place in uses.items():
            if place == "memory":
                found[use] = MemoryCache(settings.limits)
            elif place == "redis":
                shared = found[use] = shared or self._redis()
        return found

    def _redis(self) -> Cache:
        if self._settings.redis is None:
            raise AuthzError("a cache in Redis needs --redis")
        try:
            from taskman_authz.remembered.redis import RedisCache
        except ModuleNotFoundError as error:
            raise _missing("--redis", error, "redis") from None
        cache = RedisCache(
            self._secret("--redis", self._settings.redis.get_secret_value()),
            on_problem=self._log.warning,
        )
        self.redis = cache
        return cache

    def _secret(self, place: str, told: str) -> str:
        """What rests where a setting says. It is read once: a change needs a restart."""
        secrets = Secrets(self._settings.secrets_interval, self._log)
        return secrets.source(place, told).read().decode("utf-8", "replace").strip()

    def _roles(self, changes: Changes) -> Roles | None:
        settings = self._settings
        if settings.roles_source is None:
            return None
        return Roles(
            self._channels.to("--roles-source", settings.roles_source),
            settings.roles_interval,
            settings.limits,
            self._log,
            changes.drop_subjects,
            partial(self._health.tell, ROLES),
            self._shown,
        )

    def _listener(self, changes: Changes) -> Listener | None:
        settings = self._settings
        patterns = changes.patterns()
        if settings.amqp is None or not patterns:
            return None
        try:
            from taskman_authz.messaging import Link, Listener
        except ModuleNotFoundError as error:
            raise _missing("--amqp", error, "rabbitmq") from None
        url = self._secret("--amqp", settings.amqp.get_secret_value())
        link = Link(url, "taskman-authz decision point", on_problem=self._log.warning)
        problem = self._log.warning
        return Listener(patterns, changes.hear, link, changes.gap, on_problem=problem)

    def _gathering(self) -> Gathering | None:
        settings = self._settings
        if not settings.attribute_sources:
            return None
        sources: dict[tuple[Kind, str], Source] = {}
        for rule in map(read_source, settings.attribute_sources):
            if rule.address not in self.sources:
                self.sources[rule.address] = self._source(rule.address)
            sources[rule.kind, rule.type] = self.sources[rule.address]
        gatherer = Gatherer(sources, settings.attribute_deadline + CACHES)
        remembering = None
        if "decisions" in self.caches:
            cache = DecisionCache(self.caches["decisions"], settings.decision_ttl)
            remembering = Remembering(cache, None if self.roles is None else self.roles.held)
        return Gathering(gatherer, remembering, self._count_incomplete)

    def _source(self, address: str) -> Source:
        settings = self._settings
        breaker = None
        if settings.source_breaker:
            breaker = self.breakers[address] = Breaker(address, self._breaker_settings())
        channel = self._channels.to("--attribute-sources", address)
        remote = RemoteSource(channel, settings.limits, self._shown)
        told = partial(self._told, address)
        guarded = GuardedSource(remote, settings.attribute_deadline, breaker, told)
        if "attributes" not in self.caches:
            return guarded
        return CachedSource(guarded, self.caches["attributes"], self._lives())

    def _token(self) -> Kept[bytes, Metadata] | None:
        told = self._settings.source_token
        if told is None:
            return None
        secrets = Secrets(self._settings.secrets_interval, self._log)
        read, interval = secrets.source("--source-token", told.get_secret_value())
        return Kept("token for sources", read, read_token, self._log, interval=interval)

    def _shown(self) -> Metadata:
        """What sources are shown of who asks."""
        return () if self._shows is None else self._shows.value or ()

    def _breaker_settings(self) -> BreakerSettings:
        def changed(name: str, former: State, state: State) -> None:
            states = {"former": str(former), "state": str(state)}
            self._log.warning("circuit of a source", source=name, **states)

        return BreakerSettings(timeout=self._settings.source_breaker, on_state_change=changed)

    def _lives(self) -> Callable[[Wanted], float]:
        """How long what somebody said is remembered."""
        lives = {
            (rule.kind, rule.type): rule.seconds
            for rule in map(read_life, self._settings.attribute_ttl)
        }
        most = self._settings.cache_trust if self.listener is None else float("inf")

        def seconds(one: Wanted) -> float:
            life = lives.get((one.kind, one.type), lives.get((one.kind, ""), 0.0))
            return min(life, most)

        return seconds

    # -- what becomes of it ---------------------------------------------------------------------

    def _told(self, address: str, outcome: Outcome, seconds: float, why: str) -> None:
        if outcome == "failed" and address not in self._silent:
            self._silent.add(address)
            message = "a source of attributes does not answer"
            self._log.warning(message, source=address, why=why)
        elif outcome == "answered" and address in self._silent:
            self._silent.discard(address)
            self._log.info("a source of attributes answers again", source=address)
        self.source_told(address, outcome, seconds)

    def _count_incomplete(self) -> None:
        self.incomplete += 1

    async def _follow_events(self, listener: Listener) -> None:
        while True:
            holds = listener.behind() == 0.0
            if self._health.serves(EVENTS) is not holds:
                self._health.tell(EVENTS, holds)
            await asyncio.sleep(LOOK)


def _check(settings: Settings) -> None:
    """Raises AuthzError for what does not go together."""
    if settings.decision_cache == "off":
        return
    if not settings.attribute_sources:
        raise AuthzError("--decision-cache needs --attribute-sources: the others are made anew")
    if settings.amqp is None:
        raise AuthzError("--decision-cache needs --amqp: somebody must tell of changes")
    if settings.decision_log is not None or settings.shadow_policies is not None:
        raise AuthzError(
            "--decision-cache does not go with --decision-log or --shadow-policies: these must see "
            "what each decision was made of"
        )


def _both(stored: Complete | None, roles: Roles | None) -> Complete | None:
    if roles is None or stored is None:
        return stored if roles is None else roles.complete

    def complete(request: CheckRequest) -> CheckRequest:
        return roles.complete(stored(request))

    return complete


def _missing(place: str, error: ModuleNotFoundError, extra: str) -> AuthzError:
    return AuthzError(f"{place} needs `{error.name}`: pip install 'taskman-authz[{extra}]'")
