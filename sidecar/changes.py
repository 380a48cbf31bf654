"""What is heard of changes: roles are taken in, and what was remembered of who changed is dropped.

Laws: what is told of no company may be of any, and what cannot be read may be of anybody: then all
that is remembered is dropped. So it is whenever events may have been missed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from taskman_authz.errors import RequestError, UnavailableError
from taskman_authz.remembered import Cache, resource_tag, subject_tag

from .roles import EVENTS, Roles, Subjects
from .settings import EventRule

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from taskman_authz.messaging import Event  # which not every sidecar has installed

ROLES_EXCHANGE = "iam.events"
# Subjects of which each is told to the caches; more are a snapshot, and everything is dropped.
MANY = 1_000


class Changes:
    """Hears events that `rules` name and, where there are `roles`, those of roles, and drops from
    `caches`."""

    def __init__(
        self, rules: Sequence[EventRule], caches: Sequence[Cache], log: FilteringBoundLogger
    ) -> None:
        self._rules = rules
        self._caches = caches
        self._log = log
        self.roles: Roles | None = None

    def patterns(self) -> dict[str, list[str]]:
        """Names of events to listen for, by exchange."""
        found: dict[str, dict[str, None]] = {}
        if self.roles is not None:
            found[ROLES_EXCHANGE] = dict.fromkeys(EVENTS)
        if self._caches:
            for rule in self._rules:
                found.setdefault(rule.exchange, {})[f"{rule.family}.#"] = None
        return {exchange: list(patterns) for exchange, patterns in found.items()}

    async def hear(self, event: Event) -> None:
        """Take in an event."""
        try:
            if self.roles is not None and event.type in EVENTS:
                await self.roles.take(event.data)
            else:
                await self._drop_entity(event)
        except RequestError as error:
            self._log.warning("an event cannot be read", event_type=event.type, why=str(error))
            await self.gap()

    async def gap(self) -> None:
        """Events may have been missed."""
        await self._drop_all()
        if self.roles is not None:
            self.roles.want_snapshot()

    async def drop_subjects(self, subjects: Subjects) -> None:
        """The roles of these are others now. (Those in every company need no tag: what was decided
        by them is remembered under their epoch.)"""
        tags = [
            subject_tag(company, *subject.split(":", 1))
            for company, subject in subjects
            if ":" in subject
        ]
        if len(tags) > MANY:
            await self._drop_all()
        elif tags:
            await self._drop(tags)

    async def _drop_entity(self, event: Event) -> None:
        family = event.type.partition(".")[0]
        id = event.data.get("id")
        if type(id) is int:
            id = str(id)
        if not isinstance(id, str) or not id:
            raise RequestError("data.id", "expected the id of who changed")
        rules = [rule for rule in self._rules if rule.family == family]
        if not event.company_id:
            await self.gap()
            return
        # What was asked in no company is of this one too.
        companies = (event.company_id, "")
        await self._drop([_tag(rule, company, id) for rule in rules for company in companies])

    async def _drop_all(self) -> None:
        for cache in self._caches:
            with contextlib.suppress(UnavailableError):
                await cache.drop_all()

    async def _drop(self, tags: Iterable[str]) -> None:
        dropped = list(tags)
        for cache in self._caches:
            # One that cannot be told finds nothing until it was: here all is well. Other processes
            # hear of the change themselves.
            with contextlib.suppress(UnavailableError):
                await cache.drop(dropped)


def _tag(rule: EventRule, company: str, id: str) -> str:
    tag = subject_tag if rule.kind == "subject" else resource_tag
    return tag(company, rule.type, id)
