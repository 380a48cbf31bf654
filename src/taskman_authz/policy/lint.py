"""What is right but cannot be meant: policies that never decide, names that nobody uses, patterns
that are wider than what they are for.

Begin with `CODES`. `lint_rules` finds what is wrong with one policy, `lint_sets` what policies have
to do with each other.

Laws: only what is certain is told, from the policies alone and, where there is one, their schema;
no finding depends on the order of files. A finding is silenced where it stands, by its code in
`lint_ignore` of the policy, the role or the document; a code that silences nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..cel import policy_env
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from .compiler import compile_documents
from .definitions import Definitions
from .document_errors import Finding, quoted
from .lint_names import name_findings
from .lint_rules import Found, Reading, policy_findings
from .lint_sets import set_findings
from .loader import LoadedDocument, load
from .resolver import resolve
from .schema import Schema
from .schema_document import Schemas
from .suggestions import did_you_mean
from .yaml_reader import Path

CODES: Mapping[str, str] = {
    "redundant": "another policy with the same effect decides wherever this one would",
    "shadowed": "a deny policy denies wherever this allow policy would allow",
    "deny_without_allow": "no policy allows what this one denies, so it changes nothing",
    "no_role": "the policy is attached to no role, so it applies to nobody",
    "unreachable": "no action that the schema has is on a resource that the policy names",
    "redundant_pattern": "another pattern or role of the same list matches all that this one does",
    "wide_pattern": "an allow policy's pattern matches what its other patterns rule out",
    "dead_clause": "a part of a condition always comes to the same",
    "needless_has": "`has()` asks for an attribute that the schema says is always there",
    "unknown_value": "a type, kind or action is compared with one that the schema does not have",
    "unused_role": "no policy is attached to the role",
    "unused_constant": "nothing uses the constant",
    "unused_variable": "nothing uses the variable",
    "unused_derived_role": "no policy is attached to the derived role",
    "unused_import": "the file uses no name of the one that it imports",
    "unknown_code": "`lint_ignore` names a code that is none",
    "unused_ignore": "`lint_ignore` names a code of which there is no finding",
}
ABOUT_IGNORING = ("unknown_code", "unused_ignore")


def lint(
    texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT, schema: Schema | None = None
) -> Issues:
    """What can be told of the policies of YAML documents, by places. Raises CompileError where
    they do not compile."""
    documents = list(texts)
    compile_documents(documents, limits, schema)
    loaded = load(documents, limits)
    env = policy_env(limits)
    schemas = Schemas(loaded.schemas, limits, schema)
    definitions = Definitions(loaded, env)
    entries = resolve(loaded, definitions, schemas, env).entries
    reading = Reading(loaded, definitions, schemas, entries, env)
    found = [*policy_findings(reading), *set_findings(reading), *name_findings(reading)]
    return Issues.of(_told(loaded.documents, found))


class _Ignored(NamedTuple):
    """A code in a `lint_ignore`, and the part of the document that it is about."""

    document: LoadedDocument
    part: Path
    path: Path
    code: str

    def silences(self, found: Found) -> bool:
        """Whether it is about a finding."""
        own = (found.document.text.name, found.document.number, found.finding.code)
        return own == (self.document.text.name, self.document.number, self.code) and (
            found.finding.path[: len(self.part)] == self.part
        )


def _told(documents: Iterable[LoadedDocument], found: list[Found]) -> Iterator[Issue]:
    """The findings that nobody silenced, and what is wrong with silencing."""
    ignored = [each for document in documents for each in _ignored(document)]
    for each in found:
        if not any(one.silences(each) for one in ignored):
            yield each.issue or each.document.issue(each.finding)
    for one in ignored:
        if one.code not in CODES or one.code in ABOUT_IGNORING:
            message = f"there is no finding {quoted(one.code)}"
            hint = did_you_mean(one.code, CODES)
            yield one.document.issue(Finding(one.path, "unknown_code", message, hint))
        elif not any(map(one.silences, found)):
            message = f"there is no finding {quoted(one.code)} here"
            yield one.document.issue(Finding(one.path, "unused_ignore", message))


def _ignored(document: LoadedDocument) -> Iterator[_Ignored]:
    parts: list[tuple[Path, list[str]]] = [((), document.definitions.lint_ignore)]
    parts += ((("roles", number), role.lint_ignore) for number, role in document.roles)
    parts += ((("policies", number), each.lint_ignore) for number, each in document.policies)
    parts += (
        (("derived_roles", number), role.lint_ignore)
        for number, role in document.definitions.derived_roles
    )
    for part, codes in parts:
        for number, code in enumerate(codes):
            yield _Ignored(document, part, (*part, "lint_ignore", number), code)
