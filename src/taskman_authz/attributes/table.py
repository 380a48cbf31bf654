"""CSV text → entities. The first line names the columns: `type`, `id`, and where wanted
`company_id`, `roles` (of subjects, separated by `;`); every other column is an attribute.

A cell is read so: an empty one is no attribute; a JSON number, `true`, `false`, `null`, list,
object or text in quotes is that; anything else is a text as it stands. Ids, types, companies and
roles are texts always.

Law: all that is wrong is told with its line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import json_text
from ..issues import Issue, Place
from ..limits import Limits
from ..policy.document_errors import quoted
from .document import misnamed
from .entities import Kind, StoredEntity

REQUIRED = ("type", "id")
SEPARATOR = ";"
_JSON_ONLY = ("{", "[", '"')  # what begins so is meant as JSON, and nothing else
_MAYBE_JSON = (*_JSON_ONLY, *"-0123456789", "true", "false", "null")


class Row(NamedTuple):
    """An entity, and the line that it ends on."""

    line: int
    entity: StoredEntity


class Table:
    """The entities of one CSV text; `issues` is what is wrong with it once `rows` has run."""

    def __init__(self, name: str, text: str, kind: Kind, limits: Limits) -> None:
        self.name = name
        self.kind = kind
        self.limits = limits
        self.issues: list[Issue] = []
        self._reader = csv.reader(io.StringIO(text, newline=""), strict=True)

    def rows(self) -> Iterator[Row]:
        """Every row that can be read."""
        try:
            columns = next(self._reader, [])
            if not self._are_columns(columns):
                return
            for cells in self._reader:
                row = self._row(columns, cells) if cells else None
                if row is not None:
                    yield row
        except csv.Error as error:
            self._wrong("malformed_csv", f"malformed CSV: {error}")

    def _are_columns(self, columns: list[str]) -> bool:
        for name in REQUIRED:
            if name not in columns:
                self._wrong("missing_key", f"the first line names no column `{name}`")
        for name in dict.fromkeys(columns):
            if not name:
                self._wrong("bad_value", "a column without a name")
            elif columns.count(name) > 1:
                self._wrong("duplicate_key", f"the column {quoted(name)} is there twice")
        if self.kind == "resource" and "roles" in columns:
            self._wrong("unknown_key", "resources have no `roles`")
        return not self.issues

    def _row(self, columns: list[str], cells: list[str]) -> Row | None:
        before = len(self.issues)
        if len(cells) != len(columns):
            message = f"expected {len(columns)} cells as in the first line, found {len(cells)}"
            self._wrong("bad_value", message)
            return None
        named = dict(zip(columns, cells, strict=True))
        type, id = named.pop("type"), named.pop("id")
        company, roles = named.pop("company_id", ""), named.pop("roles", "")
        longest = self.limits.name_length
        for name, text in (("type", type), ("id", id)):
            if not 0 < len(text) <= longest:
                self._wrong("bad_value", f"expected 1 to {longest} characters as `{name}`")
        for finding in misnamed(self.kind, type, {}):
            self._wrong(finding.code, finding.message)
        attributes = {name: self._value(name, text) for name, text in named.items() if text}
        if roles:
            attributes["roles"] = [role.strip() for role in roles.split(SEPARATOR)]
            if "" in attributes["roles"]:
                self._wrong("bad_value", "a role without a name")
        if len(self.issues) > before:
            return None
        entity = StoredEntity(type, id, attributes, company or None)
        return Row(self._reader.line_num, entity)

    def _value(self, name: str, text: str) -> Any:
        if not text.startswith(_MAYBE_JSON):
            return text
        try:
            if json_text.is_deeper(text.encode(errors="replace"), self.limits.property_depth):
                raise json_text.NotJSONError(json_text.TOO_DEEP)
            return json_text.parse(text)
        except json_text.NotJSONError as error:
            if not text.startswith(_JSON_ONLY):
                return text
            self._wrong("bad_value", f"{quoted(name)} holds no JSON: {error.why}")
            return None

    def _wrong(self, code: str, message: str) -> None:
        place = Place(self.name, max(1, self._reader.line_num))
        self.issues.append(Issue(place, code, message))
