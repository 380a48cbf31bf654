"""A test document → cases: fixtures looked up, matrices spread out, times read.

Laws: a case is complete: it holds the request that will be asked, and nothing is looked up when it
runs. All that is wrong with a document is reported, each at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NoReturn

import msgspec

from .._fast.times import Timestamp, parse_timestamp
from ..decision import Effect
from ..errors import RequestError
from ..issues import Issue, Place
from ..limits import DEFAULT
from ..policy import PolicySet
from ..policy.document_errors import quoted
from ..policy.loader import Text
from ..policy.suggestions import did_you_mean
from ..policy.yaml_reader import Path
from ..request import CheckRequest, make_request
from .document import CaseEntry, Entity, Fixtures, MatrixEntry, SuiteDocument


class Case(msgspec.Struct, frozen=True):
    """One question with the answer to expect, and the place where somebody wrote it down."""

    name: str
    place: Place
    request: CheckRequest
    expected: Effect
    policy: str = ""  # the policy that must have decided; empty: any
    reason: str = ""  # the code of a reason that the decision must have; empty: any


class Suite(msgspec.Struct, frozen=True):
    """The cases of one file and the policies that they are asked of, compiled and as they are
    written: names and texts. `imports` are the files that its fixtures are from."""

    source: str
    policies: PolicySet
    cases: tuple[Case, ...]
    documents: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ()


class _Refused(Exception):
    """The entry is no case; why has been noted."""


_SEPARATORS = {"subject": ":", "resource": "/"}
_EXPECTED = {
    "subject": "the name of a fixture, `type:id`, or a map",
    "action": "`kind:verb`, or a map",
    "resource": "the name of a fixture, `kind/id`, or a map",
    "context": "the name of a fixture, or a map",
}
_UNKNOWN = object()  # stands for a part of a request about which an issue has been noted


class Expansion:
    """The cases of one document, and the issues met while making them."""

    def __init__(self, document: SuiteDocument, text: Text, shared: Fixtures) -> None:
        self._document = document
        self._fixtures = shared  # the file's own among them
        self._text = text
        self.issues: list[Issue] = []
        self.cases: list[Case] = []
        self._now = self._time(("now",), document.now)
        for number, entry in enumerate(document.cases):
            self._add(self._case, ("cases", number), entry)
        for number, matrix in enumerate(document.matrix):
            self._add(self._matrix, ("matrix", number), matrix)
        if not (document.cases or document.matrix):
            self._note((), "no_cases", "a test file without a case")

    def _add(self, expand: Callable[[Path, Any], Iterator[Case]], path: Path, entry: Any) -> None:
        try:
            self.cases += expand(path, entry)
        except _Refused:
            return  # the other entries may have more issues

    # -- cases -------------------------------------------------------------------------------

    def _case(self, path: Path, entry: CaseEntry) -> Iterator[Case]:
        found = {
            "subject": self._entity(path, "subject", entry.subject),
            "action": self._entity(path, "action", entry.action),
            "resource": self._entity(path, "resource", entry.resource),
            **self._circumstances(path, entry),
        }
        request = self._request(path, found)
        place = self._place((*path, "name"))
        yield Case(entry.name, place, request, entry.expect, entry.policy, entry.reason or "")

    # -- matrices ----------------------------------------------------------------------------

    def _matrix(self, path: Path, entry: MatrixEntry) -> Iterator[Case]:
        size = len(entry.subjects) * len(entry.actions) * len(entry.resources)
        if size > DEFAULT.test_cases:
            self._refuse(path, "too_many_cases", f"more than {DEFAULT.test_cases} cases")
        allowed = self._allowed(path, entry)
        circumstances = self._circumstances(path, entry)
        subjects = self._look_up_all(path, "subject", entry.subjects)
        resources = self._look_up_all(path, "resource", entry.resources)
        for subject, resource, action in product(subjects, resources, entry.actions):
            parts = {"subject": subjects[subject], "resource": resources[resource]}
            request = self._request(path, {**parts, "action": action, **circumstances})
            written = allowed.get((subject, resource, action))
            yield Case(
                f"{entry.name}: {subject} {action} {resource}",
                self._place(written or (*path, "name")),
                request,
                "allow" if written else "deny",
                reason="" if written else entry.reason or "",
            )

    def _allowed(self, path: Path, entry: MatrixEntry) -> dict[tuple[str, str, str], Path]:
        """The cells to be allowed, each with the path at which the matrix says so."""
        cells: dict[tuple[str, str, str], Path] = {}
        for subject, row in entry.allow.items():
            at_row = (*path, "allow", subject)
            self._listed(at_row, "subject", subject, entry.subjects)
            for resource, actions in row.items():
                at_cell = (*at_row, resource)
                self._listed(at_cell, "resource", resource, entry.resources)
                if actions == "*":
                    cells.update({(subject, resource, name): at_cell for name in entry.actions})
                elif isinstance(actions, list):
                    for number, action in enumerate(actions):
                        if self._listed((*at_cell, number), "action", action, entry.actions):
                            cells[subject, resource, action] = (*at_cell, number)
                else:
                    message = 'expected a list of actions, or "*" for all of them'
                    self._note(at_cell, "bad_value", message)
        return cells

    def _listed(self, path: Path, field: str, name: Any, listed: list[str]) -> bool:
        """Whether the matrix asks about this at all: a cell that no question reaches would be a
        test that tests nothing."""
        if name in listed:
            return True
        message = f"{quoted(str(name))} is not one of the matrix's {field}s"
        self._note(path, "unknown_cell", message, did_you_mean(str(name), listed), at_key=True)
        return False

    # -- parts of a request ------------------------------------------------------------------

    def _circumstances(self, path: Path, entry: CaseEntry | MatrixEntry) -> dict[str, Any]:
        """Context, company and time: the entry's own or the file's."""
        own_company = "company" in entry.model_fields_set
        now = self._time((*path, "now"), entry.now) if entry.now else self._now
        return {
            "context": self._entity(path, "context", entry.context)
            if entry.context != ""
            else None,
            "company_id": (entry.company if own_company else self._document.company) or None,
            "now": now,
        }

    def _entity(self, path: Path, field: str, value: Entity) -> Any:
        if isinstance(value, str):
            return self._look_up((*path, field), field, value)
        if not isinstance(value, dict):
            self._note((*path, field), "bad_value", f"expected {_EXPECTED[field]}")
            return _UNKNOWN
        return value

    def _look_up(self, path: Path, field: str, name: str) -> Any:
        """What a text stands for: itself where it has the field's separator, else a fixture."""
        separator = _SEPARATORS.get(field)
        if field == "action" or separator is not None and separator in name:
            return name
        fixtures: Mapping[str, Any] = getattr(self._fixtures, f"{field}s")
        if name not in fixtures:
            hint = did_you_mean(name, fixtures)
            self._note(path, "unknown_fixture", f"no fixture {field} {quoted(name)}", hint)
        return fixtures.get(name, _UNKNOWN)

    def _look_up_all(self, path: Path, field: str, names: list[str]) -> dict[str, Any]:
        return {
            name: self._look_up((*path, f"{field}s", number), field, name)
            for number, name in enumerate(names)
        }

    def _request(self, path: Path, parts: dict[str, Any]) -> CheckRequest:
        if any(part is _UNKNOWN for part in parts.values()):
            raise _Refused
        try:
            return make_request(**parts)
        except RequestError as error:
            field = error.field.split(".")[0].split("[")[0]
            self._refuse((*path, field), "invalid_request", str(error))

    def _time(self, path: Path, text: str) -> Any:
        found = parse_timestamp(text)
        if isinstance(found, Timestamp):
            return found.ns
        message = f"{quoted(text)} is not a time such as `2026-01-15T10:30:00Z`"
        self._note(path, "invalid_time", message)
        return _UNKNOWN

    # -- places and issues -------------------------------------------------------------------

    def _place(self, path: Path, at_key: bool = False) -> Place:
        return self._text.place((0, *path), at_key)

    def _note(
        self, path: Path, code: str, message: str, hint: str = "", at_key: bool = False
    ) -> None:
        self.issues.append(Issue(self._place(path, at_key), code, message, hint))

    def _refuse(self, path: Path, code: str, message: str) -> NoReturn:
        self._note(path, code, message)
        raise _Refused
