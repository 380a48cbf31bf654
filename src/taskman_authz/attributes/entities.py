"""Subjects and resources with their attributes, found by type and id, or told in order.

Law: a set is immutable, and tells entities of one type in the order of their ids, so that a search
can go on where it stopped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from typing import Any, Literal

import msgspec

Kind = Literal["subject", "resource"]


class StoredEntity(msgspec.Struct, frozen=True):
    """A subject or a resource. `attributes` are those that conditions read, a subject's `roles`
    among them. `company_id` is the company that it belongs to; None: every company sees it."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    company_id: str | None = None


class Entities:
    """A set of subjects and resources. Of several with one type, id and company the last counts;
    `EntityFiles` refuses them."""

    def __init__(
        self, subjects: Iterable[StoredEntity] = (), resources: Iterable[StoredEntity] = ()
    ) -> None:
        self._shelves = {"subject": _Shelf(subjects), "resource": _Shelf(resources)}
        self.subject = self._shelves["subject"].find
        self.resource = self._shelves["resource"].find

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def of_type(
        self, kind: Kind, type: str, company_id: str | None, after: str = ""
    ) -> Iterator[StoredEntity]:
        """The subjects or resources of a type that a company sees (None: those that all see), by
        their ids; only those behind `after`."""
        return self._shelves[kind].of_type(type, company_id, after)


class _Shelf:
    """The entities of one kind: by type, id and company, and by company and type in order."""

    def __init__(self, entities: Iterable[StoredEntity]) -> None:
        self.known: dict[tuple[str, str], dict[str | None, StoredEntity]] = {}
        for each in entities:
            self.known.setdefault((each.type, each.id), {})[each.company_id] = each
        self._ordered: dict[tuple[str | None, str], list[StoredEntity]] = {}
        for owners in self.known.values():
            for each in owners.values():
                self._ordered.setdefault((each.company_id, each.type), []).append(each)
        for ordered in self._ordered.values():
            ordered.sort(key=_id)

    def __len__(self) -> int:
        return sum(map(len, self.known.values()))

    def find(self, type: str, id: str, company_id: str | None) -> StoredEntity | None:
        """The entity, if there is one that the company sees."""
        owners = self.known.get((type, id))
        return None if owners is None else owners.get(None) or owners.get(company_id)

    def of_type(self, type: str, company_id: str | None, after: str) -> Iterator[StoredEntity]:
        own = () if company_id is None else self._from((company_id, type), after)
        return merge(self._from((None, type), after), own, key=_id)

    def _from(self, place: tuple[str | None, str], after: str) -> Iterator[StoredEntity]:
        entities = self._ordered.get(place, [])
        for number in range(bisect_right(entities, after, key=_id), len(entities)):
            yield entities[number]


def _id(entity: StoredEntity) -> str:
    return entity.id
