"""A source whose answers are remembered, until what they tell of changes.

Laws: those of `remembered`. A time to live bounds what no event told of. That an entity does not
exist is not remembered: it may be there in a moment, and nobody would be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ..remembered import Cache, resource_tag, subject_tag
from .sources import EVERYTHING, Source, Wanted, only

PREFIX = "authz:attributes:"
_ENCODER = msgspec.msgpack.Encoder()


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """Attributes, and the names of those that were asked for."""

    names: frozenset[str]
    attributes: dict[str, Any]


_DECODER = msgspec.msgpack.Decoder(_Kept)


class CachedSource:
    """`source`, remembered in `cache` for as many seconds as `seconds` says; 0: not at all."""

    def __init__(self, source: Source, cache: Cache, seconds: Callable[[Wanted], float]) -> None:
        self._source = source
        self._cache = cache
        self._seconds = seconds

    async def fetch(
        self, company_id: str | None, wanted: Sequence[Wanted]
    ) -> Sequence[Mapping[str, Any] | None]:
        """`Source.fetch`: the source is asked, once, for what is not remembered."""
        found: list[Mapping[str, Any] | None] = []
        missing: list[tuple[int, Wanted, tuple[str, ...] | None]] = []
        for number, one in enumerate(wanted):
            value, epochs = await self._cache.find(_key(company_id, one), (_tag(company_id, one),))
            kept = _read(value)
            if kept is not None and (one.names <= kept.names or EVERYTHING in kept.names):
                found.append(kept.attributes)
                continue
            found.append(None)
            if kept is not None:  # both are remembered then
                one = one._replace(names=one.names | kept.names)
            missing.append((number, one, epochs))
        if missing:
            answers = await self._source.fetch(company_id, [one for _, one, _ in missing])
            for (number, one, epochs), attributes in zip(missing, answers, strict=True):
                found[number] = attributes
                await self._keep(company_id, one, epochs, attributes)
        return found

    async def _keep(
        self,
        company_id: str | None,
        one: Wanted,
        epochs: tuple[str, ...] | None,
        attributes: Mapping[str, Any] | None,
    ) -> None:
        if attributes is None or epochs is None:
            return
        try:
            kept = _ENCODER.encode(_Kept(one.names, dict(only(attributes, one.names))))
        except (TypeError, ValueError, OverflowError):
            return  # values that only a program has
        await self._cache.keep(_key(company_id, one), epochs, kept, self._seconds(one))


def _read(value: bytes | None) -> _Kept | None:
    if value is None:
        return None
    try:
        return _DECODER.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # another version's


def _key(company_id: str | None, one: Wanted) -> str:
    return f"{PREFIX}{one.kind}:{_tag(company_id, one)}"


def _tag(company_id: str | None, one: Wanted) -> str:
    tag = subject_tag if one.kind == "subject" else resource_tag
    return tag(company_id, one.type, one.id)
