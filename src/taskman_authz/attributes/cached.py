"""A source whose answers are remembered, until what they tell of changes.

Laws: those of `remembered`. Who asks for the same at the same time waits for one answer, if nothing
that anybody was told of changed since that was asked for; who gives up takes it from nobody. A time
to live bounds what no event told of. That an entity does not exist is not remembered: it may be
there in a moment, and nobody would be told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from ..errors import UnavailableError
from ..remembered import Cache, resource_tag, subject_tag
from .sources import EVERYTHING, Source, Wanted, only

PREFIX = "authz:attributes:"
_ENCODER = msgspec.msgpack.Encoder()


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """Attributes, and the names of those that were asked for."""

    names: frozenset[str]
    attributes: dict[str, Any]


# The company, and what is wanted with the epochs of before it was asked for.
_Asked = tuple[str | None, tuple[tuple[Wanted, tuple[str, ...] | None], ...]]
_Answer = Sequence[Mapping[str, Any] | None]
_DECODER = msgspec.msgpack.Decoder(_Kept)


class CachedSource:
    """`source`, remembered in `cache` for as many seconds as `seconds` says; 0: not at all."""

    def __init__(self, source: Source, cache: Cache, seconds: Callable[[Wanted], float]) -> None:
        self._source = source
        self._cache = cache
        self._seconds = seconds
        self._asking: dict[_Asked, asyncio.Task[_Answer]] = {}

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
            asked = company_id, tuple((one, epochs) for _, one, epochs in missing)
            answers = await self._ask(asked)
            for (number, one, epochs), attributes in zip(missing, answers, strict=True):
                found[number] = attributes
                await self._keep(company_id, one, epochs, attributes)
        return found

    async def _ask(self, asked: _Asked) -> _Answer:
        company_id, missing = asked
        asking = self._asking.get(asked)
        if asking is None:
            wanted = [one for one, _ in missing]
            asking = asyncio.create_task(_fetched(self._source, company_id, wanted))
            if all(epochs is not None for _, epochs in missing):
                self._asking[asked] = asking
            asking.add_done_callback(partial(self._answered, asked))
        return await asyncio.shield(asking)

    def _answered(self, asked: _Asked, asking: asyncio.Task[_Answer]) -> None:
        self._asking.pop(asked, None)
        if not asking.cancelled():
            asking.exception()  # it is no news to asyncio where nobody waits any more

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


async def _fetched(source: Source, company_id: str | None, wanted: Sequence[Wanted]) -> _Answer:
    found = await source.fetch(company_id, wanted)
    if len(found) != len(wanted):
        raise UnavailableError(f"expected {len(wanted)} entities, found {len(found)}")
    return found


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
