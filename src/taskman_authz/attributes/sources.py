"""Attributes that somebody else knows: what is asked of a source, and a request completed by those
that its decision needs.

Laws: a source is asked once a request, all of them at the same time, for what is needed and not
given, and no longer than the deadline. What a source does not give in time is not there: a
condition that reads it fails, and closes. What a request says itself counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from ..breaker import Breaker, Refused
from ..errors import AuthzError
from ..request import CheckRequest
from .entities import Kind

EVERYTHING = "*"  # among names: all attributes


class Wanted(NamedTuple):
    """Attributes of one entity that are wanted."""

    kind: Kind
    type: str
    id: str
    names: frozenset[str]


class Source(Protocol):
    """Who knows attributes of some types of entities."""

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        """The attributes of entities as a company sees them, in their order, more than are wanted
        perhaps; None for one that does not exist. Raises an AuthzError."""
        ...


class Gathered(NamedTuple):
    """A request with what was found; `is_whole` where every source answered."""

    request: CheckRequest
    is_whole: bool


class Gatherer:
    """Asks `sources`, by kind and type of entity, within `deadline` seconds. Each has a circuit
    breaker in `breakers`, if it has one there."""

    def __init__(
        self,
        sources: Mapping[tuple[Kind, str], Source],
        deadline: float = 0.5,
        breakers: Mapping[Source, Breaker] | None = None,
        on_problem: Callable[..., object] | None = None,
    ) -> None:
        self._sources = sources
        self._deadline = deadline
        self._breakers = breakers or {}
        self._tell = on_problem
        self.asked = self.failures = 0

    async def gather(
        self, request: CheckRequest, subject: frozenset[str], resource: frozenset[str]
    ) -> Gathered:
        """The request with the attributes of these names, of its subject and its resource, that
        some source gives. Raises nothing."""
        asked: dict[Source, list[Wanted]] = {}
        for one in (
            Wanted("subject", request.subject_type, request.subject_id, subject),
            Wanted("resource", request.resource_type, request.resource_id, resource),
        ):
            source = self._sources.get((one.kind, one.type)) if one.names else None
            if source is not None:
                asked.setdefault(source, []).append(one)
        if not asked:
            return Gathered(request, True)
        answers = await asyncio.gather(
            *(self._ask(source, request.company_id, wanted) for source, wanted in asked.items())
        )
        found: dict[Kind, Mapping[str, Any]] = {}
        for wanted, answer in zip(asked.values(), answers, strict=True):
            for one, attributes in zip(wanted, answer or (), strict=False):
                if attributes is not None:
                    found[one.kind] = attributes
        return Gathered(_with(request, found), None not in answers)

    async def _ask(
        self, source: Source, company_id: str | None, wanted: list[Wanted]
    ) -> Sequence[Mapping[str, Any] | None] | None:
        """What a source answers; None where it does not."""
        self.asked += 1
        breaker = self._breakers.get(source)
        try:
            began = 0 if breaker is None else breaker.enter()
        except Refused as error:
            self._failed(wanted, error)
            return None
        succeeded = None
        try:
            async with asyncio.timeout(self._deadline):
                found = await source.fetch(company_id, wanted)
            succeeded = True
        except (AuthzError, TimeoutError) as error:
            succeeded = False
            self._failed(wanted, error)
            return None
        finally:
            if breaker is not None:
                breaker.leave(began, succeeded)
        return found

    def _failed(self, wanted: list[Wanted], error: Exception) -> None:
        self.failures += 1
        if self._tell is not None:
            types = sorted({one.type for one in wanted})
            self._tell("attributes were not given", types=types, why=str(error) or "too late")


def _with(request: CheckRequest, found: Mapping[Kind, Mapping[str, Any]]) -> CheckRequest:
    changed: dict[str, Any] = {}
    for kind, attributes in found.items():
        given = getattr(request, kind)
        # Types, ids and roles are not attributes, and a source does not say which they are.
        rest = {name: each for name, each in attributes.items() if name not in _PARTS}
        changed[kind] = {**rest, **(given or {})}
    return msgspec.structs.replace(request, **changed) if changed else request


_PARTS = frozenset({"type", "id", "roles"})
