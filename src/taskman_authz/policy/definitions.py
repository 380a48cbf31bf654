"""The names that files give to values (constants), to expressions (variables) and to roles that a
condition gives, and which of them each file may use: its own, and those of the files it imports.

Laws: imports are not passed on; a name stands for one thing in a file; nothing stands for itself,
however many names are between. What one company defines is used by its documents only. All that is
wrong is told, and what stands on something wrong is `broken`, so that nothing is told twice.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from .._fast.access import fits
from .._fast.scanner import WORDS
from ..cel import Env, Source
from ..cel.literals import literal_text
from ..cel.messages import limit_exceeded
from ..cel.parser import Parsed
from ..errors import CompileError
from ..issues import Issue
from .document import DerivedRole
from .document_errors import Finding, quoted
from .loader import Loaded, LoadedDocument, folder_and_file
from .rewriting import references
from .suggestions import did_you_mean
from .yaml_reader import Path

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMESPACES = frozenset({"cel", "optional"})


class Definition:
    """A name, what it stands for, and the scope that this is written in: the text of a constant, or
    a tree."""

    def __init__(self, document: LoadedDocument, path: Path, name: str, scope: Scope) -> None:
        self.document = document
        self.path = path  # of what is written
        self.name = name
        self.scope = scope
        self.text = ""  # of a constant
        self.parsed: Parsed | None = None
        self.broken = False
        self.uses: frozenset[str] = frozenset()

    def issue(self, code: str, message: str, hint: str = "", at_key: bool = False) -> Issue:
        """Something that is wrong with it, at its place."""
        return self.document.issue(Finding(self.path, code, message, hint, at_key))

    def source(self, text: str) -> Source:
        """The source of what it stands for."""
        return Source(text, self.document.text.name, self.document.places(*self.path))


class Derived(Definition):
    """A derived role, whose tree is its condition."""

    def __init__(
        self, document: LoadedDocument, path: Path, role: DerivedRole, scope: Scope
    ) -> None:
        super().__init__(document, path, role.name, scope)
        self.role = role


class Scope:
    """What the documents of one company in one file may name. `whole`: all that they define or
    import was read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.names: dict[str, Definition] = {}
        self.roles: dict[str, Derived] = {}
        self.whole = True

    def __bool__(self) -> bool:
        return bool(self.names or self.roles) or not self.whole


class Definitions:
    """All definitions of some documents, by the files that may use them."""

    def __init__(self, loaded: Loaded, env: Env) -> None:
        self.env = env
        self.issues: list[Issue] = []
        self._own: dict[str, Scope] = {}  # what each file defines, by its path
        self._visible: dict[tuple[str, str], Scope] = {}  # by file and company
        self._files = {path_of(name) for name in loaded.names}
        self._read = {path_of(document.text.name) for document in loaded.documents}
        for document in loaded.documents:
            if any(document.definitions[:4]) or not document.definitions.whole:
                self._define(document)
        for document in loaded.documents:
            if path_of(document.text.name) in self._own:
                self._import(document)
        for scope in self._own.values():
            for definition in (*scope.names.values(), *scope.roles.values()):
                self._find_uses(definition)
        self._break_cycles()

    def __bool__(self) -> bool:
        return bool(self._own)

    def of(self, document: LoadedDocument) -> Scope:
        """What a document may name."""
        file = path_of(document.text.name)
        return self._visible.get((file, document.company)) or Scope(file)

    def all(self) -> Iterator[Definition]:
        """Every definition, by files."""
        for scope in self._own.values():
            yield from scope.names.values()
            yield from scope.roles.values()

    def files_with(self, name: str) -> list[str]:
        """The files that define a name."""
        return sorted(file for file, own in self._own.items() if name in own.names)

    def files_with_role(self, name: str) -> list[str]:
        """The files that define a derived role."""
        return sorted(file for file, own in self._own.items() if name in own.roles)

    # -- what a file defines -----------------------------------------------------------------------

    def _define(self, document: LoadedDocument) -> None:
        file = path_of(document.text.name)
        own = self._own.setdefault(file, Scope(file))
        visible = self._visible_to(document)
        given = document.definitions
        own.whole = own.whole and given.whole
        for name, value in given.constants.items():
            made = Definition(document, ("constants", name), name, visible)
            if self._named(own, made):
                made.text = self._constant(made, value)
        for name, text in given.variables.items():
            made = Definition(document, ("variables", name), name, visible)
            if self._named(own, made):
                self._parse(made, text)
        for number, role in given.derived_roles:
            path: Path = ("derived_roles", number)
            self._role(own, Derived(document, (*path, "condition"), role, visible), path)

    def _visible_to(self, document: LoadedDocument) -> Scope:
        file = path_of(document.text.name)
        return self._visible.setdefault((file, document.company), Scope(file))

    def _named(self, own: Scope, made: Definition) -> bool:
        """Take a definition in, if its name is one and its own."""
        name = made.name
        first = own.names.get(name)
        if not WORD.fullmatch(name) or name in WORDS:
            message = f"{quoted(name)} is no name: letters, digits and `_`, and no word of CEL"
            self.issues.append(made.issue("bad_name", message, at_key=True))
        elif name in NAMESPACES or self.env.declarations.find_ident(name) is not None:
            message = f"{quoted(name)} means something in every condition"
            self.issues.append(made.issue("bad_name", message, at_key=True))
        elif first is not None:
            message = f"the name {quoted(name)} is given twice"
            hint = f"first at {first.document.text.place((first.document.number, *first.path))}"
            self.issues.append(made.issue("duplicate_name", message, hint, at_key=True))
        else:
            own.names[name] = made
            return True
        return False

    def _role(self, own: Scope, made: Derived, path: Path) -> None:
        name = made.name
        wrong = ""
        if "*" in name:
            wrong = f"{quoted(name)} cannot be a role: `*` is every subject"
        elif name in own.roles:
            wrong = f"the derived role {quoted(name)} is given twice"
        if wrong:
            finding = Finding((*path, "name"), "bad_role", wrong)
            self.issues.append(made.document.issue(finding))
            return
        own.roles[name] = made
        self._parse(made, made.role.condition)

    def _parse(self, made: Definition, text: str) -> None:
        try:
            made.parsed = self.env.parse(made.source(text.rstrip()))
        except CompileError as error:
            self.issues += error.issues
            made.broken = True

    def _constant(self, made: Definition, value: Any) -> str:
        try:
            return constant_text(value)
        except ValueError as error:
            self.issues.append(made.issue("bad_value", str(error)))
            made.broken = True
            return "null"

    # -- what a file imports -----------------------------------------------------------------------

    def _import(self, document: LoadedDocument) -> None:
        own = path_of(document.text.name)
        visible = self._visible_to(document)
        visible.whole = visible.whole and self._own[own].whole
        self._see(visible, self._own[own], document, ())
        for number, written in enumerate(document.definitions.imports):
            path: Path = ("imports", number)
            file = path_of(written, document.text.name)
            finding = self._wrong_import(document, file, written, path)
            if finding is not None:
                self.issues.append(document.issue(finding))
            elif file in self._own:
                visible.whole = visible.whole and self._own[file].whole
                self._see(visible, self._own[file], document, path)
            if finding is not None or file not in self._read:
                visible.whole = False

    def _wrong_import(
        self, document: LoadedDocument, file: str, written: str, path: Path
    ) -> Finding | None:
        if file not in self._files:
            own = path_of(document.text.name)
            folder = folder_and_file(own)[0] or "."
            others = (posixpath.relpath(each, folder) for each in self._files if each != own)
            near = did_you_mean(written, others)  # as it would be written there
            message = f"there is no file {quoted(written)} in this set of policies"
            hint = near or "paths begin at this file's folder; give both files, or their folder"
            return Finding(path, "unknown_import", message, hint)
        if file == path_of(document.text.name):
            return Finding(path, "bad_import", "a file uses its own names without importing itself")
        for made in self._own_of(file):
            company = made.document.company
            if not _is_for(made, document):
                message = f"{quoted(made.name)} in it belongs to company {quoted(company)}"
                return Finding(path, "bad_import", message)
        return None

    def _own_of(self, file: str) -> Iterator[Definition]:
        own = self._own.get(file)
        if own is not None:
            yield from (*own.names.values(), *own.roles.values())

    def _see(self, visible: Scope, own: Scope, document: LoadedDocument, path: Path) -> None:
        """Let a file use what another one defines; a name that it has already is an issue."""
        before: dict[Definition, Definition] = {}
        for name, made in own.names.items():
            if _is_for(made, document):
                before[made] = visible.names.setdefault(name, made)
        for name, role in own.roles.items():
            if _is_for(role, document):
                before[role] = visible.roles.setdefault(name, role)
        for made, first in before.items():
            if made is not first:
                message = f"{quoted(made.name)} is defined in {quoted(first.scope.file)} too"
                self.issues.append(document.issue(Finding(path, "duplicate_name", message)))

    # -- what stands on what -----------------------------------------------------------------------

    def _find_uses(self, made: Definition) -> None:
        if made.parsed is not None:
            names = references(made.parsed)
            made.uses = frozenset(name for name in names if name in made.scope.names)

    def _break_cycles(self) -> None:
        """Tell names that stand for themselves, and break what stands on something broken."""
        done: set[Definition] = set()
        for made in self.all():
            self._follow(made, [], done)

    def _follow(self, made: Definition, above: list[Definition], done: set[Definition]) -> None:
        if made in above:
            round_trip = [*above[above.index(made) :], made]
            names = " → ".join(each.name for each in round_trip)
            message = f"{quoted(made.name)} stands for itself: {names}"
            self.issues.append(made.issue("cyclic_definition", message))
            for each in round_trip:
                each.broken = True
            return
        if made in done:
            return
        if len(above) > self.env.limits.expression_depth:
            said = limit_exceeded("expression_depth", str(self.env.limits.expression_depth))
            self.issues.append(made.issue(*said))
            made.broken = True
            return
        for name in sorted(made.uses):
            used = made.scope.names[name]
            self._follow(used, [*above, made], done)
            made.broken = made.broken or used.broken
        done.add(made)


def _is_for(made: Definition, document: LoadedDocument) -> bool:
    """Whether it belongs to the company of a document, or to every one."""
    return made.document.company in ("", document.company)


def constant_text(value: Any) -> str:
    """The expression of a value of a YAML document. Raises ValueError, with what is wrong, for one
    that the language has not."""
    if isinstance(value, dict):
        entries = (f"{literal_text(key)}: {constant_text(each)}" for key, each in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(constant_text, value)) + "]"
    if type(value) is int and not fits(value):
        raise ValueError("a number of more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is none, or infinite")
    text = literal_text(value)
    return f"({text})" if text.startswith("-") else text


def path_of(written: str, file: str = "") -> str:
    """The file that a path, as it is written in `file`, means."""
    path = posixpath.join(folder_and_file(file)[0], written.replace("\\", "/"))
    return posixpath.normpath(path)
