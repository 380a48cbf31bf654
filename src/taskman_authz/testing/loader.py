"""Test files in, suites out: each with its cases and the compiled policies that they are about.

Laws: all that is wrong in all files, tests and policies, is told at once (CompileError). Policies
that several files are about are compiled once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
from pydantic import BaseModel, ValidationError

from ..errors import CompileError, StoreError
from ..issues import Issue, Issues, Place
from ..limits import DEFAULT
from ..policy import PolicySet, compile_documents, load_policies
from ..policy.bundle import is_bundle
from ..policy.document_errors import Finding, findings
from ..policy.loader import Text
from ..policy.suggestions import did_you_mean
from ..policy.yaml_reader import read
from ..store import FileStore
from .cases import Expansion, Suite
from .discovery import find_test_files
from .document import CaseEntry, Fixtures, MatrixEntry, SuiteDocument
from .names import Names, unknown_names

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
    """A compiled policy set, and what cases may name of it."""

    compiled: PolicySet
    names: Names


class _Shelf:
    """Policy sets by the paths that they were compiled from, and what was wrong on the way."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self._sets: dict[tuple[str, ...], _Policies | None] = {}

    def suite(self, path: str) -> Suite | None:
        """The suite in a test file; None where the file, or a policy of it, has issues."""
        text = self._text(path)
        document = None if text is None else self._document(text)
        if text is None or document is None:
            return None
        expansion = Expansion(document, text)
        self.issues += expansion.issues
        policies = self._policies(text, document)
        if policies is None:
            return None
        self.issues += unknown_names(document, text, policies.names)
        return Suite(path, policies.compiled, tuple(expansion.cases))

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

    def _document(self, text: Text) -> SuiteDocument | None:
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
            return SuiteDocument.model_validate(stream.documents[0] if stream.documents else {})
        except ValidationError as error:
            for finding in map(_suggested, findings(error)[: LIMITS.issues]):
                place = text.place((0, *finding.path), finding.at_key)
                self.issues.append(Issue(place, finding.code, finding.message, finding.hint))
            return None

    def _policies(self, text: Text, document: SuiteDocument) -> _Policies | None:
        """The policies that a test file is about; compiled when they are first asked for."""
        folder = os.path.dirname(text.name)
        key = tuple(os.path.normpath(os.path.join(folder, p)) for p in document.policies or ["."])
        if key not in self._sets:
            self._sets[key] = None
            try:
                compiled = _compiled(key)
                self._sets[key] = _Policies(compiled, Names.of(compiled))
            except CompileError as error:
                self.issues += error.issues
            except StoreError as error:
                place = text.place((0, "policies"))
                self.issues.append(Issue(place, "no_policies", str(error)))
        return self._sets[key]


def _compiled(paths: tuple[str, ...]) -> PolicySet:
    """The policies of documents, or of a bundle. Raises StoreError, CompileError."""
    if len(paths) == 1:
        return load_policies(paths[0])
    # A document that two paths lead to is one document.
    return compile_documents(dict(_documents(paths)).items())


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


def _suggested(finding: Finding) -> Finding:
    """A finding with the key of a test document that an unknown one was probably meant to be."""
    if finding.code != "unknown_key":
        return finding
    known = _MODELS.get(str(finding.path[0]), SuiteDocument) if finding.path[1:] else SuiteDocument
    return finding._replace(hint=did_you_mean(str(finding.path[-1]), known.model_fields))


_MODELS: dict[str, type[BaseModel]] = {
    "cases": CaseEntry,
    "matrix": MatrixEntry,
    "fixtures": Fixtures,
}
