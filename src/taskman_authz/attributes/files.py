"""Entities in a folder or a file.

In a folder these are `*.yaml`, `*.yml`, `*.json` and `*.csv` at any depth, hidden ones left out. A
CSV file's name begins with what is in it: `subjects…` or `resources…`.

Laws: all that is wrong in all files is told, each at its place, and then nothing is loaded. Who is
given twice is refused: one of a company also where there is one of every company.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from pydantic import ValidationError

from .. import json_text
from ..errors import CompileError, StoreError
from ..issues import Issue, Issues, Place, place_at
from ..limits import DEFAULT, Limits
from ..policy.document_errors import Finding, findings, quoted
from ..policy.files import find_files, fingerprint, read_text
from ..policy.loader import Text
from ..policy.yaml_reader import Path, read
from . import document
from .entities import Entities, Kind, StoredEntity
from .table import Table

SUFFIXES = (".json", ".csv")  # beside those of policy documents
ENVELOPE = 4  # levels of a document above the values of properties


class Entry(NamedTuple):
    """An entity, and where it stands."""

    kind: Kind
    entity: StoredEntity
    place: Callable[[], Place]


class EntityFiles:
    """The entities at `path`."""

    def __init__(self, path: str | os.PathLike[str], limits: Limits = DEFAULT) -> None:
        self.path = pathlib.Path(path)
        self.limits = msgspec.structs.replace(
            limits,
            document_bytes=limits.entity_bytes,
            document_depth=limits.property_depth + ENVELOPE,
        )

    def load(self) -> Entities:
        """All of them. Raises StoreError (missing, empty or unreadable) and CompileError with all
        that is wrong in the files."""
        texts = [(str(file), read_text(file, self.limits)) for file in self._files()]
        reader = _Reader(self.limits)
        entries = [entry for name, text in texts for entry in reader.entries(name, text)]
        issues = [*reader.issues, *_given_twice(entries)]
        if len(entries) > self.limits.entities:
            message = f"more than {self.limits.entities} subjects and resources"
            issues.append(Issue(entries[-1].place(), "limit_exceeded", f"{message} (entities)"))
        if issues:
            raise CompileError(Issues.of(issues[: self.limits.issues]))
        return Entities(*(_of(kind, entries) for kind in document.SEPARATORS))

    def fingerprint(self) -> str:
        """A text that is another one once `load` may give something else. Never raises."""
        return fingerprint(self._files)

    def _files(self) -> list[pathlib.Path]:
        found = find_files(self.path, SUFFIXES)
        if not found:
            raise StoreError(f"no entities (*.yaml, *.yml, *.json, *.csv) in `{self.path}`")
        return found


def _of(kind: Kind, entries: Iterable[Entry]) -> Iterator[StoredEntity]:
    return (entry.entity for entry in entries if entry.kind == kind)


class _Reader:
    """Reads texts, and gathers what is wrong with them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.issues: list[Issue] = []

    def entries(self, name: str, content: str) -> Iterator[Entry]:
        """Every entity of a text that can be read."""
        text = Text(name, content, self.limits)
        if name.endswith(".csv"):
            yield from self._table(text)
            return
        documents = self._json(text) if name.endswith(".json") else self._yaml(text)
        for number, data in enumerate(documents):
            yield from self._document(text, number, data)

    def _table(self, text: Text) -> Iterator[Entry]:
        stem = os.path.basename(text.name)
        for kind in document.SEPARATORS:
            if stem.startswith(f"{kind}s"):
                break
        else:
            message = "the name of a CSV file begins with `subjects` or `resources`"
            self.issues.append(Issue(Place(text.name), "bad_name", message))
            return
        table = Table(text.name, text.text, kind, self.limits)
        for line, entity in table.rows():
            yield Entry(kind, entity, partial(Place, text.name, line))
        self.issues += table.issues

    def _yaml(self, text: Text) -> list[Any]:
        stream = read(text.name, text.text, self.limits)
        self.issues += stream.issues
        return stream.documents

    def _json(self, text: Text) -> list[Any]:
        try:
            if json_text.is_deeper(text.text.encode(), self.limits.document_depth):
                raise json_text.NotJSONError(json_text.TOO_DEEP)
            return [json_text.parse(text.text)]
        except json_text.NotJSONError as error:
            place = place_at(text.name, text.text, max(0, error.position))
            self.issues.append(Issue(place, "invalid_json", f"not JSON: {error.why}"))
            return []

    def _document(self, text: Text, number: int, data: Any) -> Iterator[Entry]:
        for path, finding in document.misnamed_in(data):
            self._note(text, (number, *path), finding)
        try:
            found = document.EntitiesDocument.model_validate(data)
        except ValidationError as error:
            for finding in findings(error, document.MODELS)[: self.limits.issues]:
                self._note(text, (number,), finding)
            return
        kinds: tuple[tuple[Kind, Sequence[document.ResourceEntry]], ...] = (
            ("subject", found.subjects),
            ("resource", found.resources),
        )
        for kind, entries in kinds:
            for position, entry in enumerate(entries):
                at = (number, f"{kind}s", position, "id")
                yield Entry(kind, document.stored(entry), partial(text.place, at))

    def _note(self, text: Text, path: Path, finding: Finding) -> None:
        place = text.place((*path, *finding.path), finding.at_key)
        self.issues.append(Issue(place, finding.code, finding.message, finding.hint))


def _given_twice(entries: Iterable[Entry]) -> Iterator[Issue]:
    """An issue for every entity that some company would see twice."""
    owners: dict[tuple[Kind, str, str], dict[str | None, Entry]] = {}
    for entry in entries:
        kind, entity, place = entry
        others = owners.setdefault((kind, entity.type, entity.id), {})
        company = entity.company_id
        other = others.get(company) or others.get(None)
        if other is None and company is None and others:
            other = next(iter(others.values()))
        if other is not None:
            name = quoted(f"{entity.type}{document.SEPARATORS[kind]}{entity.id}")
            first = other.place()
            message = f"the {kind} {name} is given twice, first at {first.source}:{first.line}"
            yield Issue(place(), "duplicate_entity", message)
        others.setdefault(company, entry)
