"""Attributes that somebody else knows: what is asked of a source, and a request completed by those
that its decision needs.

Laws: a source is asked once a request, all of them at the same time, for what is needed and not
given, and no longer than the deadline. What a source does not give in time is not there: a
condition that reads it fails, and closes. What a request says itself counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

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
    """A request with what was found. `unanswered`: of what somebody who was asked did not answer;
    `is_whole`: all answered, and know whom they were asked about, so that what is decided by it may
    be remembered."""

    request: CheckRequest
    unanswered: frozenset[Kind] = frozenset()
    is_whole: bool = True


class Gatherer:
    """Asks `sources`, by kind and type of entity, within `deadline` seconds."""

    def __init__(self, sources: Mapping[tuple[Kind, str], Source], deadline: float = 0.5) -> None:
        self._sources = sources
        self._deadline = deadline

    def asks(
        self, request: CheckRequest, subject: frozenset[str], resource: frozenset[str]
    ) -> dict[Source, list[Wanted]]:
        """Who would be asked for the attributes of these names, and for which."""
        asked: dict[Source, list[Wanted]] = {}
        for one in (
            Wanted("subject", request.subject_type, request.subject_id, subject),
            Wanted("resource", request.resource_type, request.resource_id, resource),
        ):
            source = self._sources.get((one.kind, one.type)) if one.names else None
            if source is not None:
                asked.setdefault(source, []).append(one)
        return asked

    async def gather(
        self,
        request: CheckRequest,
        asked: Mapping[Source, Sequence[Wanted]],
        seconds: float | None = None,
    ) -> Gathered:
        """The request with the attributes that those give who are `asked`, in `seconds` where that
        is less than the deadline. Raises nothing."""
        if not asked:
            return Gathered(request)
        limit = self._deadline if seconds is None else min(seconds, self._deadline)
        asking = [
            _ask(source, request.company_id, wanted, limit) for source, wanted in asked.items()
        ]
        # One needs no task of its own, which would take longer than a cache in memory does.
        answers = [await asking[0]] if len(asking) == 1 else await asyncio.gather(*asking)
        found: dict[Kind, Mapping[str, Any]] = {}
        unanswered: set[Kind] = set()
        is_whole = True
        for wanted, answer in zip(asked.values(), answers, strict=True):
            if answer is None:
                unanswered.update(one.kind for one in wanted)
                continue
            for one, attributes in zip(wanted, answer, strict=True):
                if attributes is None:
                    is_whole = False
                else:
                    found[one.kind] = only(attributes, one.names)
        return Gathered(_with(request, found), frozenset(unanswered), is_whole and not unanswered)


async def _ask(
    source: Source, company_id: str | None, wanted: Sequence[Wanted], seconds: float
) -> Sequence[Mapping[str, Any] | None] | None:
    """What a source answers; None where it does not, or to something else."""
    try:
        async with asyncio.timeout(seconds):
            found = await source.fetch(company_id, wanted)
    except (AuthzError, TimeoutError):
        return None
    return found if len(found) == len(wanted) else None


def only(attributes: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    """Those of some names: what else somebody tells of a person need not be kept, or logged."""
    if EVERYTHING in names:
        return attributes
    return {name: value for name, value in attributes.items() if name in names}


def _with(request: CheckRequest, found: Mapping[Kind, Mapping[str, Any]]) -> CheckRequest:
    changed: dict[str, Any] = {}
    for kind, attributes in found.items():
        given = getattr(request, kind)
        # Types, ids and roles are not attributes, and a source does not say which they are.
        rest = {name: each for name, each in attributes.items() if name not in _PARTS}
        changed[kind] = {**rest, **(given or {})}
    return msgspec.structs.replace(request, **changed) if changed else request


_PARTS = frozenset({"type", "id", "roles"})
