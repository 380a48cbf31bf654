"""YAML text → documents that know the place of each of their fields.

Laws: loading never raises; all issues of a text are told, each at its place. Places are found when
somebody asks for one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from ..issues import Issue, Place, place_at
from ..limits import DEFAULT, Limits
from .document import DerivedRole, Policy, PolicyDocument, Role
from .document_errors import Finding, findings
from .scalars import offsets
from .yaml_reader import Extent, Path, places, read

BYTE_ORDER_MARK = "\ufeff"
SCHEMA_FILES = ("schema.yaml", "schema.yml")


class Text:
    """A named YAML text. A byte order mark is no part of it."""

    def __init__(self, name: str, text: str, limits: Limits = DEFAULT) -> None:
        self.name = name
        self.text = text.removeprefix(BYTE_ORDER_MARK)
        self.limits = limits

    @cached_property
    def extents(self) -> dict[Path, Extent]:
        return places(self.name, self.text, self.limits)

    def extent(self, path: Path) -> Extent:
        """Where the value at `path` stands; what has no place of its own is where it is part of."""
        while path and path not in self.extents:
            path = path[:-1]
        return self.extents.get(path, Extent(0, 0))

    def place(self, path: Path, at_key: bool = False) -> Place:
        """Where a caret should point for the value, or the key, at `path`."""
        extent = self.extent(path)
        offset = extent.key if at_key and extent.key >= 0 else extent.start
        return place_at(self.name, self.text, offset)

    def scalar_offsets(self, path: Path) -> list[int]:
        """Where each character of the scalar at `path` stands, and its end; of one that an alias
        stands for, the place of the alias."""
        extent = self.extent(path)
        return offsets(self.text, extent) if path in self.extents else [extent.start]


class Definitions(NamedTuple):
    """The names that a document gives to values, expressions and derived roles (with their numbers
    in it), the files of which it uses the names, and which findings are meant to be so in all of
    it. `whole`: all that it gives was read."""

    imports: list[str]
    constants: dict[str, Any]
    variables: dict[str, str]
    derived_roles: list[tuple[int, DerivedRole]]
    lint_ignore: list[str]
    whole: bool = True


class LoadedDocument(NamedTuple):
    """Document number `number` of a text: its roles and policies with their numbers in it. What is
    wrong on its own is left out, so that the rest can still be linked and its issues be told; of
    policies left out `conditions` has what could still be read. `overrides` are ids of policies
    that do not hold in the company."""

    text: Text
    number: int
    company: str
    roles: list[tuple[int, Role]]
    policies: list[tuple[int, Policy]]
    conditions: list[tuple[int, str]]
    definitions: Definitions
    overrides: list[str]

    def issue(self, finding: Finding) -> Issue:
        """What is wrong, at its place."""
        return _issue(self.text, self.number, finding)

    def condition_places(self, policy: int) -> ConditionPlaces:
        """Where the characters of the condition of policy number `policy` stand."""
        return self.places("policies", policy, "condition")

    def places(self, *path: str | int) -> ConditionPlaces:
        """Where the characters of the text at `path` of the document stand."""
        return ConditionPlaces(self.text, (self.number, *path))


class ConditionPlaces:
    """From offsets into a condition, or another text of a document, to places in its file. Worked
    out when first asked."""

    def __init__(self, text: Text, path: Path) -> None:
        self.text = text
        self.path = path

    @cached_property
    def _offsets(self) -> list[int]:
        return self.text.scalar_offsets(self.path)

    def __call__(self, offset: int) -> Place:
        last = len(self._offsets) - 1
        found = self._offsets[max(0, min(offset, last))]
        return place_at(self.text.name, self.text.text, found)


class Loaded(NamedTuple):
    """The documents of some texts and what is wrong with them. `all_roles`: every role that they
    declare was read, so one that is not there is not declared. `schemas` are the names and texts of
    schemas among them, `names` the names of all others."""

    documents: list[LoadedDocument]
    issues: list[Issue]
    all_roles: bool
    schemas: list[tuple[str, str]]
    names: frozenset[str]


def load(texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT) -> Loaded:
    """The documents of named YAML texts, in the order of their names, and all that is wrong."""
    documents: list[LoadedDocument] = []
    issues: list[Issue] = []
    all_roles = True
    schemas: list[tuple[str, str]] = []
    names: set[str] = set()
    for name, content in sorted(texts):
        if is_schema(name):
            schemas.append((name, content))
            continue
        names.add(name)
        text = Text(name, content, limits)
        stream = read(text.name, text.text, limits)
        all_roles = all_roles and not stream.issues
        issues += stream.issues
        for number, data in enumerate(stream.documents):
            found, wrong = _document(text, number, data)
            documents += [found] if found else []
            issues += [_issue(text, number, finding) for finding in wrong[: limits.issues]]
            all_roles = all_roles and not any(_hides_roles(finding) for finding in wrong)
    return Loaded(documents, issues, all_roles, schemas, frozenset(names))


def is_schema(name: str) -> bool:
    """Whether a text of this name is a schema (`schema_document`), no policy document."""
    return folder_and_file(name)[1] in SCHEMA_FILES


def folder_and_file(name: str) -> tuple[str, str]:
    """The folder of a file, and its name in it."""
    return posixpath.split(name.replace("\\", "/"))


def _document(text: Text, number: int, data: Any) -> tuple[LoadedDocument | None, list[Finding]]:
    try:
        document = PolicyDocument.model_validate(data)
    except ValidationError as error:
        if _is_test(data):
            hint = f"`policy-test {text.name}` runs it"
            message = "this is a test of policies, not a policy document"
            return None, [Finding((), "not_a_policy", message, hint)]
        found = findings(error)
        return _rest(text, number, data, found), found
    roles, policies = list(enumerate(document.roles)), list(enumerate(document.policies))
    definitions = Definitions(
        document.imports,
        document.constants,
        document.variables,
        list(enumerate(document.derived_roles)),
        document.lint_ignore,
    )
    company, overrides = document.company, document.overrides
    made = LoadedDocument(text, number, company, roles, policies, [], definitions, overrides)
    return made, []


def _is_test(data: Any) -> bool:
    """Whether it holds what no policy document does: cases, and no policy."""
    if not isinstance(data, dict) or not data.keys() & {"cases", "matrix"}:
        return False
    policies = data.get("policies")
    return not (isinstance(policies, list) and any(isinstance(each, dict) for each in policies))


def _rest(text: Text, number: int, data: Any, wrong: list[Finding]) -> LoadedDocument | None:
    """What is left of a document without its parts in which something is wrong."""
    spoiled = {finding.path[:2] for finding in wrong}
    if () in spoiled or ("company",) in spoiled:
        return None

    wrong_in = {finding.path[0] for finding in wrong}

    def good(key: str) -> Iterator[tuple[int, Any]]:
        for position, item in enumerate(() if (key,) in spoiled else data.get(key, ())):
            if (key, position) not in spoiled:
                yield position, item

    return LoadedDocument(
        text,
        number,
        data.get("company", ""),
        [(position, Role.model_validate(item)) for position, item in good("roles")],
        [(position, Policy.model_validate(item)) for position, item in good("policies")],
        list(_conditions(data.get("policies"), {finding.path for finding in wrong})),
        Definitions(
            [] if "imports" in wrong_in else data.get("imports", []),
            data.get("constants", {}) if "constants" not in wrong_in else {},
            data.get("variables", {}) if "variables" not in wrong_in else {},
            [(number, DerivedRole.model_validate(item)) for number, item in good("derived_roles")],
            [],
            whole=not wrong_in & {"imports", "constants", "variables", "derived_roles"},
        ),
        [] if "overrides" in wrong_in else data.get("overrides", []),
    )


def _conditions(policies: Any, wrong: set[Path]) -> Iterator[tuple[int, str]]:
    """The conditions of policies that are wrong elsewhere."""
    spoiled = {path[1] for path in wrong if len(path) > 1 and path[0] == "policies"}
    for position, item in enumerate(policies if spoiled else ()):
        condition = item.get("condition") if position in spoiled and type(item) is dict else None
        if type(condition) is str and ("policies", position, "condition") not in wrong:
            yield position, condition


def _hides_roles(finding: Finding) -> bool:
    return finding.path[:1] in ((), ("company",), ("roles",))


def _issue(text: Text, number: int, finding: Finding) -> Issue:
    place = text.place((number, *finding.path), finding.at_key)
    return Issue(place, finding.code, finding.message, finding.hint)
