"""Findings about names: roles, constants, variables, derived roles and imports that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator

from .._fast.tree import Literal
from .definitions import Definition, Derived, Scope, path_of
from .document_errors import Finding, quoted
from .lint_rules import Found, Reading, parts
from .loader import LoadedDocument
from .rewriting import references


def name_findings(reading: Reading) -> Iterator[Found]:
    """Names that are given and not used."""
    used = _Used(reading)
    for document in reading.loaded.documents:
        for number, role in document.roles:
            if role.name not in used.roles:
                message = f"no policy is attached to the role {quoted(role.name)}"
                yield Found(document, Finding(("roles", number, "name"), "unused_role", message))
        yield from _unused_imports(document, reading, used)
    for made in reading.definitions.all():
        if made not in used.definitions:
            yield Found(made.document, _unused(made))


def _unused(made: Definition) -> Finding:
    if isinstance(made, Derived):
        message = f"no policy is attached to the derived role {quoted(made.name)}"
        return Finding((*made.path[:-1], "name"), "unused_derived_role", message)
    kind = "constant" if made.path[0] == "constants" else "variable"
    message = f"nothing uses the {kind} {quoted(made.name)}"
    return Finding(made.path, f"unused_{kind}", message, at_key=True)


def _unused_imports(document: LoadedDocument, reading: Reading, used: _Used) -> Iterator[Found]:
    by_file = used.by_file.get(path_of(document.text.name), set())
    for number, written in enumerate(document.definitions.imports):
        file = path_of(written, document.text.name)
        if not any(path_of(made.document.text.name) == file for made in by_file):
            message = f"nothing here uses a name of {quoted(written)}"
            yield Found(document, Finding(("imports", number), "unused_import", message))


class _Used:
    """The names that are used. `by_file`: by what stands in each file itself."""

    def __init__(self, reading: Reading) -> None:
        self.roles: set[str] = set()
        self.definitions: set[Definition] = set()
        self.by_file: dict[str, set[Definition]] = {}
        for document in reading.loaded.documents:
            scope = reading.definitions.of(document)
            for _, policy in document.policies:
                self._attach(document, policy.roles, scope)
                if policy.condition:
                    self._read(reading, document, policy.condition, scope)
        for made in reading.definitions.all():
            if isinstance(made, Derived):
                self._attach(made.document, made.role.roles, made.scope)
            for name in made.uses:
                self._use(made.document, made.scope.names[name])
            if made.parsed is not None:
                self.roles |= texts_in(made.parsed.expr)
            elif made.text:
                self.roles |= texts_in(reading.env.parse(made.text).expr)

    def _attach(self, document: LoadedDocument, roles: list[str], scope: Scope) -> None:
        for role in roles:
            if role in scope.roles:
                self._use(document, scope.roles[role])
            else:
                self.roles.add(role)

    def _read(
        self, reading: Reading, document: LoadedDocument, condition: str, scope: Scope
    ) -> None:
        parsed = reading.env.parse(condition)
        self.roles |= texts_in(parsed.expr)  # `'admin' in subject.roles` names a role too
        for name in references(parsed):
            if name in scope.names:
                self._use(document, scope.names[name])

    def _use(self, document: LoadedDocument, made: Definition) -> None:
        self.definitions.add(made)
        self.by_file.setdefault(path_of(document.text.name), set()).add(made)


def texts_in(tree: object) -> set[str]:
    """The texts that an expression writes."""
    found = (part for part, _ in parts(tree, frozenset()) if isinstance(part, Literal))
    return {part.value for part in found if isinstance(part.value, str)}
