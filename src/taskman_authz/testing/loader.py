"""Test files in, suites out: each with its cases and the compiled policies that they are about.

Laws: all that is wrong in all files, tests and policies, is told at once (CompileError). Policies
that several files are about are compiled once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from ..errors import CompileError, StoreError
from ..issues import Issue, Issues, Place
from ..limits import DEFAULT
from ..policy import PolicySet, compile_documents, load_policies
from ..policy.document_errors import findings, quoted
from ..policy.files import is_bundle
from ..policy.loader import Text
from ..policy.yaml_reader import read
from ..store import FileStore
from .cases import Expansion, Suite
from .discovery import find_test_files
from .document import CaseEntry, Fixtures, FixturesDocument, MatrixEntry, SuiteDocument
from .names import Names, unknown_names, unknown_roles

Model = TypeVar("Model", SuiteDocument, FixturesDocument)

# A test's fixtures hold properties, which nest deeper than policies.
LIMITS = msgspec.structs.replace(
    DEFAULT, document_depth=DEFAULT.document_depth + DEFAULT.property_depth
)


def load_suites(paths: Iterable[str]) -> list[Suite]:
    """The suites of all test files among and below `paths`; none where there is no such file.

    Raises CompileError with everything that is wrong, OSError for a path that is not there.
    """
    shelf = _Shelf()
    suites = [shelf.suite(path) for path in find_test_files(paths)]
    if shelf.issues:
        raise CompileError(Issues.of(shelf.issues))
    return [suite for suite in suites if suite is not None]


class _Policies(NamedTuple):
    """A compiled policy set, the documents that it is of, and what cases may name of it."""

    compiled: PolicySet
    documents: tuple[tuple[str, str], ...]
    names: Names


class _Fixtures(NamedTuple):
    """Fixtures, and the text in which they are written."""

    text: Text
    fixtures: Fixtures


class _Shelf:
    """Policy sets by the paths that they were compiled from, and what was wrong on the way."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self._sets: dict[tuple[str, ...], _Policies | None] = {}
        self._fixtures: dict[str, _Fixtures | None] = {}

    def suite(self, path: str) -> Suite | None:
        """The suite in a test file; None where the file, or a policy of it, has issues."""
        text = self._text(path)
        document = None if text is None else self._document(text, SuiteDocument)
        if text is None or document is None:
            return None
        imported = self._imported(text, document)
        expansion = Expansion(document, text, self._joined(text, document, imported))
        self.issues += expansion.issues
        policies = self._policies(text, document)
        if policies is None:
            return None
        self.issues += unknown_names(document, text, policies.names)
        for each in imported:
            self.issues += unknown_roles(each.fixtures, each.text, policies.names)
        cases, names = tuple(expansion.cases), tuple(each.text.name for each in imported)
        return Suite(path, policies.compiled, cases, policies.documents, names)

    # -- fixtures -----------------------------------------------------------------------------

    def _imported(self, text: Text, document: SuiteDocument) -> list[_Fixtures]:
        """The fixtures of the files that a test file imports."""
        folder = os.path.dirname(text.name)
        paths = [os.path.normpath(os.path.join(folder, name)) for name in document.imports]
        for path in paths:
            if path not in self._fixtures:
                self._fixtures[path] = self._read_fixtures(path)
        known = (self._fixtures[path] for path in dict.fromkeys(paths))
        return [each for each in known if each is not None]

    def _read_fixtures(self, path: str) -> _Fixtures | None:
        text = self._text(path)
        found = None if text is None else self._document(text, FixturesDocument)
        return None if text is None or found is None else _Fixtures(text, found.fixtures)

    def _joined(self, text: Text, document: SuiteDocument, imported: list[_Fixtures]) -> Fixtures:
        """All fixtures that a test file may name. Two of one name are an issue."""
        joined: dict[str, Any] = {}
        own = _Fixtures(text, document.fixtures)
        for kind in Fixtures.model_fields:
            named = joined.setdefault(kind, {})
            for each in (*imported, own):
                fixtures: dict[str, Any] = getattr(each.fixtures, kind)
                for name in fixtures.keys() & named.keys():
                    place = each.text.place((0, "fixtures", kind, name), True)
                    message = f"the fixture {quoted(name)} is given twice"
                    self.issues.append(Issue(place, "duplicate_fixture", message))
                named.update(fixtures)
        return Fixtures.model_construct(None, **joined)

    # -- files --------------------------------------------------------------------------------

    def _text(self, path: str) -> Text | None:
        try:
            with open(path, "rb") as file:
                content = file.read(LIMITS.document_bytes + 1)
            return Text(path, content.decode("utf-8"), LIMITS)
        except OSError as error:
            why = (error.strerror or "unknown reason").lower()
            self.issues.append(Issue(Place(path), "unreadable", f"cannot be read: {why}"))
        except UnicodeDecodeError as error:
            place = Place(path, content.count(b"\n", 0, error.start) + 1)
            self.issues.append(Issue(place, "malformed_yaml", "not UTF-8"))
        return None

    def _document(self, text: Text, model: type[Model]) -> Model | None:
        stream = read(text.name, text.text, LIMITS)
        self.issues += stream.issues
        if stream.issues:
            return None
        if any(map(_is_policy_document, stream.documents)):
            message = "this is a policy document, not a test of policies"
            hint = f"`taskman-authz compile {text.name}` checks it; its tests are in *_test.yaml"
            self.issues.append(Issue(text.place((0,)), "not_a_test", message, hint))
            return None
        if len(stream.documents) > 1:
            self.issues.append(
                Issue(text.place((1,)), "bad_value", "a second document in one file")
            )
        try:
            # An empty file is an empty document, which `Expansion` refuses as one without cases.
            return model.model_validate(stream.documents[0] if stream.documents else {})
        except ValidationError as error:
            self._note(text, error)
            return None

    def _note(self, text: Text, error: ValidationError) -> None:
        for finding in findings(error, _MODELS)[: LIMITS.issues]:
            place = text.place((0, *finding.path), finding.at_key)
            self.issues.append(Issue(place, finding.code, finding.message, finding.hint))

    def _policies(self, text: Text, document: SuiteDocument) -> _Policies | None:
        """The policies that a test file is about; compiled when they are first asked for."""
        folder = os.path.dirname(text.name)
        key = tuple(os.path.normpath(os.path.join(folder, p)) for p in document.policies or ["."])
        if key not in self._sets:
            self._sets[key] = None
            try:
                compiled, documents = _compiled(key)
                self._sets[key] = _Policies(compiled, documents, Names.of(compiled))
            except CompileError as error:
                self.issues += error.issues
            except StoreError as error:
                place = text.place((0, "policies"))
                self.issues.append(Issue(place, "no_policies", str(error)))
        return self._sets[key]


def _compiled(paths: tuple[str, ...]) -> tuple[PolicySet, tuple[tuple[str, str], ...]]:
    """The policies of documents, and these, or those of a bundle, which has none. Raises
    StoreError, CompileError."""
    if len(paths) == 1 and is_bundle(paths[0]):
        return load_policies(paths[0]), ()
    # A document that two paths lead to is one document.
    documents = tuple(dict(_documents(paths)).items())
    return compile_documents(documents), documents


def _documents(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if is_bundle(path):
            raise StoreError(f"`{path}` is a bundle, which is all the policies of a test")
        yield from FileStore(path).load()


def _is_policy_document(data: Any) -> bool:
    """Whether it holds what no test does: policies, not the paths of some."""
    policies = data.get("policies") if isinstance(data, dict) else None
    is_test = isinstance(data, dict) and ("cases" in data or "matrix" in data)
    return not is_test and isinstance(policies, list) and any(isinstance(p, dict) for p in policies)


_MODELS: dict[str, type[BaseModel]] = {
    "": SuiteDocument,
    "cases": CaseEntry,
    "matrix": MatrixEntry,
    "fixtures": Fixtures,
}
