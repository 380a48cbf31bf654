"""The projection: roles by company and subject."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ..errors import RequestError
from ..limits import DEFAULT, Limits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class HeldRole(msgspec.Struct, frozen=True):
    """A role, as policies name it, and when it ends (None: it does not)."""

    name: str
    expires_at: datetime | None = None

    @property
    def ends(self) -> int | None:
        """When it ends, in nanoseconds since the Unix epoch."""
        if self.expires_at is None:
            return None
        return (self.expires_at - _EPOCH) // _MICROSECOND * 1_000


class SubjectRoles(msgspec.Struct, frozen=True):
    """All roles of one subject (`type:id`) in one company ("": in every one). `version` is higher
    with each change, the revocation of the last role included."""

    company_id: str
    subject: str
    version: int
    roles: tuple[HeldRole, ...] = ()

    @classmethod
    def of(cls, data: dict[str, Any]) -> SubjectRoles:
        """What the data of an event say. Raises RequestError, which tells no values."""
        try:
            made = msgspec.convert(data, cls, strict=True)
        except msgspec.ValidationError as error:
            raise RequestError("data", str(error)) from None
        if any(each.expires_at and each.expires_at.tzinfo is None for each in made.roles):
            raise RequestError("data.roles", "expected a time with its zone, found one without")
        return made


class Held(NamedTuple):
    """The roles that a subject holds at a time; their epoch, which changes with them; and how many
    seconds that stays so (None: until something is told)."""

    roles: tuple[str, ...]
    epoch: str
    seconds: float | None


NOTHING = Held((), "", None)


class Bindings:
    """What is known of who holds which role. One thread changes it, any may ask."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._known: dict[tuple[str, str], SubjectRoles] = {}
        self._told_since: set[tuple[str, str]] = set()
        self.is_loaded = False  # whether a snapshot was taken in

    def __len__(self) -> int:
        return len(self._known)

    def held(self, company_id: str | None, subject: str, now: int) -> Held:
        """The roles of a subject (`type:id`) for a request of a company at `now` (nanoseconds):
        those that it holds there, and those that it holds in every company."""
        everywhere = self._known.get(("", subject))
        there = self._known.get((company_id, subject)) if company_id else None
        known = [each for each in (everywhere, there) if each is not None]
        if not known:
            return NOTHING
        roles: dict[str, None] = {}
        end: int | None = None
        for each in known:
            for role in each.roles:
                ends = role.ends
                if ends is not None:
                    if ends <= now:
                        continue
                    end = ends if end is None else min(end, ends)
                roles[role.name] = None
        versions = f"{everywhere.version if everywhere else 0}.{there.version if there else 0}"
        # Roles that have expired tell two epochs apart that no event does.
        return Held(
            tuple(sorted(roles)),
            f"{versions}.{len(roles)}",
            None if end is None else (end - now) / 1e9,
        )

    def apply(self, told: SubjectRoles) -> bool:
        """Take in what is told of one subject. Whether it changed anything. Raises RequestError
        where it is more than there may be."""
        key = (told.company_id, told.subject)
        known = self._known.get(key)
        if known is not None and told.version <= known.version:
            return False
        if known is None and len(self._known) >= self._limits.bindings:
            raise RequestError("bindings", f"more than {self._limits.bindings} (bindings)")
        if len(told.roles) > self._limits.subject_roles:
            raise RequestError("roles", f"more than {self._limits.subject_roles} (subject_roles)")
        self._known[key] = told
        self._told_since.add(key)
        return True

    def begin_snapshot(self) -> None:
        """Called before a snapshot is asked for: what events tell from now on is newer than it."""
        self._told_since = set()

    def replace(self, snapshot: Iterable[SubjectRoles]) -> set[tuple[str, str]]:
        """Take in a snapshot: what it tells where that is newer; and whoever it does not know, and
        no event has told of since it was begun, holds nothing any more. Company and subject of
        those that changed. Raises RequestError as `apply`, with what came before it taken in."""
        since, self._told_since = self._told_since, set()
        seen: set[tuple[str, str]] = set()
        changed: set[tuple[str, str]] = set()
        for each in snapshot:
            key = (each.company_id, each.subject)
            seen.add(key)
            if self.apply(each):
                changed.add(key)
        for key, known in self._known.items():
            if key not in seen and key not in since and known.roles:
                # The version stays: an event that comes again must not bring the roles back.
                self._known[key] = msgspec.structs.replace(known, roles=())
                changed.add(key)
        self.is_loaded = True
        return changed
