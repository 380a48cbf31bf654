"""From the text of a table of routes to a `Table`, or to all that is wrong with it, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from taskman_authz.errors import CompileError, StoreError
from taskman_authz.issues import Issue, Issues
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.policy.document_errors import Finding, findings
from taskman_authz.policy.loader import Text
from taskman_authz.policy.suggestions import did_you_mean
from taskman_authz.policy.yaml_reader import read

from .compiling import Compiler
from .document import RouteEntry, RoutesDocument, SubjectEntry
from .table import Table


def load_table(path: Path, trusted: Sequence[str] = (), limits: Limits = DEFAULT) -> Table:
    """The table in a file. Raises StoreError, CompileError."""
    try:
        with path.open("rb") as file:
            content = file.read(limits.document_bytes + 1).decode()
    except OSError as error:
        why = (error.strerror or "unknown reason").lower()
        raise StoreError(f"the routes `{path}` cannot be read: {why}") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"the routes `{path}` cannot be read: not UTF-8") from error
    return read_table(str(path), content, trusted, limits)


def read_table(
    name: str, content: str, trusted: Sequence[str] = (), limits: Limits = DEFAULT
) -> Table:
    """The table that a YAML text describes; `trusted` are headers that say who asks. Raises
    CompileError with all that is wrong."""
    text = Text(name, content, limits)
    stream = read(name, text.text, limits)
    issues = list(stream.issues)
    if len(stream.documents) > 1:
        issues.append(Issue(text.place((1,)), "bad_value", "a second document in one file"))
    if issues:
        raise CompileError(Issues.of(issues))
    try:
        document = RoutesDocument.model_validate(stream.documents[0] if stream.documents else {})
    except ValidationError as error:
        raise CompileError(Issues.of(_wrong(text, error, limits))) from None
    compiler = Compiler(text, trusted, limits)
    table = compiler.table(document)
    if compiler.issues:
        raise CompileError(Issues.of(compiler.issues[: limits.issues]))
    return table


def _wrong(text: Text, error: ValidationError, limits: Limits) -> Iterable[Issue]:
    for each in map(_suggested, findings(error)[: limits.issues]):
        yield Issue(text.place((0, *each.path), each.at_key), each.code, each.message, each.hint)


def _suggested(finding: Finding) -> Finding:
    """A finding with the key that an unknown one was probably meant to be."""
    if finding.code != "unknown_key":
        return finding
    models: dict[str | int, type[BaseModel]] = {"subjects": SubjectEntry, "routes": RouteEntry}
    model = models.get(finding.path[0], RoutesDocument)
    return finding._replace(hint=did_you_mean(str(finding.path[-1]), model.model_fields))
