"""What the settings ask for where policies rest in a database: they are followed, by looking and
by hearing of changes, kept in a file, and their events are told.

Law: RabbitMQ makes a change known sooner, and nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from taskman_authz.errors import AuthzError
from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet

from ..secrets import Secrets
from ..settings import Settings
from .cache import PolicyCache
from .connecting import Connecting
from .following import RevisionFollower
from .revisions import RevisionStore

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from taskman_authz.messaging import Link, Listener

    from ..authorization import Served
    from ..decisions import Decisions
    from ..workers.seat import Seat
    from .connecting import ReadDSN
    from .relaying import Counts, Relaying

WRITERS = 8  # connections of who administers: one writes at a time, others read
# What changes policies, by exchange. (Who holds a role does not.)
PATTERNS = {
    "iam.events": ("iam.policy.*", "iam.role.created", "iam.role.updated", "iam.role.deleted")
}


def read_secret(settings: Settings, place: str, told: str, log: FilteringBoundLogger) -> ReadDSN:
    """What reads the secret that the setting at `place` told. It blocks, and raises AuthzError."""
    source = Secrets(settings.secrets_interval, log).source(place, told)
    return lambda: source.read().decode("utf-8", "replace").strip()


def make_revision_store(settings: Settings, log: FilteringBoundLogger) -> RevisionStore:
    """The policies of `settings.database`. Raises AuthzError for settings that do not go
    together."""
    assert settings.database is not None
    if settings.verify_key is not None:
        raise AuthzError("--verify-key is for bundles: it does not go with --database")
    dsn = read_secret(settings, "--database", settings.database.get_secret_value(), log)
    return RevisionStore(dsn, settings.limits, make_cache(settings), log)


def make_cache(settings: Settings) -> PolicyCache | None:
    """The file that policies are kept in."""
    path = settings.policy_cache
    return None if path is None else PolicyCache(path, settings.limits)


class Control:
    """Policies in the database of `settings`. Making one reads them: raises AuthzError."""

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        seat: Seat | None,
        tell: Callable[[bool], Awaitable[None]],
        make: Callable[[PolicySet], PDP],
    ) -> None:
        self._settings = settings
        self._log = log
        self._seat = seat
        self._store = make_revision_store(settings, log)
        begin = self._store if seat is None else seat.store
        self.policies = RevisionFollower(self._store, begin, log, tell, make)
        if age := begin.age:
            self.policies.begin_behind(age)
        self._listener = self._make_listener()
        self._relaying: Relaying | None = None
        self._writing: Connecting | None = None

    def tasks(self) -> Iterator[Coroutine[Any, Any, object]]:
        """What goes on while calls are answered, besides following."""
        if self._listener is not None:
            yield self._listener.run()
        if self._seat is not None and self._seat.number != 1:
            return  # one worker does what is to be done once
        cache = make_cache(self._settings)
        if cache is not None:
            yield cache.follow(self.policies, self._log)
        if self._relaying is not None:
            yield from self._relaying.tasks()

    def relay(self, tell: Callable[[Counts], object]) -> None:
        """Relay too, where that is set; `tell` learns what is counted. Raises AuthzError."""
        if self._settings.relay:
            self._relaying = make_relaying(self._settings, self._log, tell)

    def administration(self, decisions: Decisions) -> Mapping[str, Mapping[str, Served]]:
        """The service that changes policies, by its name, where that is set."""
        settings = self._settings
        if not settings.administration or settings.database is None:
            return {}
        from ..administration import SERVICE, Administration, Permission

        place, told = "--database", settings.database.get_secret_value()
        self._writing = Connecting(
            read_secret(settings, place, told, self._log), settings.limits, WRITERS
        )
        permission = Permission(decisions, settings.administration_callers, settings.limits)
        made = Administration(self._writing, permission, settings.limits, self.policies.nudge)
        return {SERVICE: made.methods()}

    async def close(self) -> None:
        """Give up the connections."""
        if self._writing is not None:
            self._writing.drop()
        self._store.close()
        if self._relaying is not None:
            self._relaying.close()

    def _make_listener(self) -> Listener | None:
        link = make_link(self._settings, self._log, "taskman-authz policies")
        if link is None:
            return None
        from taskman_authz.messaging import Listener

        async def nudge(*_: object) -> None:
            self.policies.nudge()

        return Listener(PATTERNS, nudge, link, nudge, on_problem=self._log.warning)


def make_link(settings: Settings, log: FilteringBoundLogger, name: str) -> Link | None:
    """A link to RabbitMQ that says its name, if there is one. Raises AuthzError."""
    if settings.amqp is None:
        return None
    try:
        from taskman_authz.messaging import Link
    except ModuleNotFoundError as error:
        raise AuthzError(
            f"--amqp needs `{error.name}`: pip install 'taskman-authz[rabbitmq]'"
        ) from None
    url = read_secret(settings, "--amqp", settings.amqp.get_secret_value(), log)()
    return Link(url, name, on_problem=log.warning)


def make_relaying(
    settings: Settings, log: FilteringBoundLogger, tell: Callable[[Counts], object]
) -> Relaying:
    """What tells the events of the database. Raises AuthzError."""
    link = make_link(settings, log, "taskman-authz relay")
    if link is None or settings.database is None:
        raise AuthzError("--relay needs --database and --amqp")
    from .relaying import Relaying

    dsn = read_secret(settings, "--database", settings.database.get_secret_value(), log)
    return Relaying(dsn, settings.limits, link, log, tell, settings.dead_letters)
