"""Policy documents of files as items, and items as files: what `import` and `export` do.

Laws: what comes out compiles to the revision of what went in, or nothing comes out. What a database
has no place for (comments, an order) is lost; what would mean something else is refused.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any

from ..._fast.rows import ANYONE
from ...errors import StoreError
from ...limits import DEFAULT, Limits
from ...policy import Role, compile_documents
from ...policy.definitions import path_of
from ...policy.files import SUFFIXES
from ...policy.loader import Loaded, LoadedDocument, folder_and_file, load
from .compiled import compile_state
from .items import (
    SCHEMA,
    Item,
    Key,
    State,
    Stored,
    StoredDocument,
    StoredPolicy,
    item_of,
    kind_of,
    name_of,
)
from .texts import definition_lines, escaped, flow, imported, policy_lines, role_lines, scalar

EVERYWHERE, COMPANIES = "every-company", "companies"
Items = dict[Key, Item]


# -- files → items --------------------------------------------------------------------------------


def items_of(texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT) -> Items:
    """What policy documents hold. Raises CompileError with all that is wrong with them, StoreError
    where a database cannot hold them as they are meant."""
    given = list(texts)
    policies = compile_documents(given, limits)
    reader = _Reader(load(given, limits))
    state = {key: Stored("", item) for key, item in reader.items.items()}
    if compile_state(0, state, limits).policies.revision != policies.revision:
        raise StoreError("as rows these documents would mean something else")
    return reader.items


class _Reader:
    """Documents that compile, read into items."""

    def __init__(self, loaded: Loaded) -> None:
        self.items: Items = {}
        files = [path_of(each.text.name) for each in loaded.documents]
        self.root = posixpath.commonpath([posixpath.dirname(each) for each in files] or [""])
        self.defined = self.definitions(loaded.documents)
        self.schema(loaded)
        for document in loaded.documents:
            self.rows(document)
        if not any(document.roles for document in loaded.documents):
            self.declare()

    def name(self, path: str) -> str:
        """What a file is called in the database."""
        name = posixpath.relpath(path, self.root or ".")
        return name if name.endswith(SUFFIXES) else f"{name}.yaml"

    def schema(self, loaded: Loaded) -> None:
        """Take in the schema: there may be one, for all documents."""
        if not loaded.schemas:
            return
        (name, text), *others = loaded.schemas
        folder = folder_and_file(path_of(name))[0]
        within = f"{folder}/" if folder else ""
        beside = [each for each in loaded.names if not path_of(each).startswith(within)]
        beside += [other for other, _ in others]
        if beside:
            raise StoreError(
                f"a database has one schema, for all documents: `{name}` is none for"
                f" `{sorted(beside)[0]}`"
            )
        self.put("", StoredDocument(name=SCHEMA, text=text))

    def definitions(self, documents: Iterable[LoadedDocument]) -> dict[str, set[str]]:
        """Take in what files define; the companies that they define it for, by their names."""
        parts: dict[tuple[str, str], dict[str, Any]] = {}
        imports: dict[tuple[str, str], list[str]] = {}
        for document in documents:
            given = document.definitions
            place = (self.name(path_of(document.text.name)), document.company)
            imports.setdefault(place, []).extend(self.imports(document))
            if any(given[1:4]) or document.overrides:
                part = parts.setdefault(place, {})
                part["constants"] = part.get("constants", {}) | given.constants
                part["variables"] = part.get("variables", {}) | given.variables
                derived = [role for _, role in given.derived_roles]
                part["derived_roles"] = part.get("derived_roles", []) + derived
                part["overrides"] = part.get("overrides", []) + document.overrides
        defined: dict[str, set[str]] = {}
        for name, company in parts:
            defined.setdefault(name, set()).add(company)
        for (name, company), part in parts.items():
            # A company's part of a file sees the one of every company.
            seen = [name] if company and "" in defined[name] else []
            seen += (each for each in imports[name, company] if each in defined)
            data = {"name": name, "imports": sorted(set(seen)), **part}
            self.put(company, StoredDocument.model_validate(data))
        return defined

    def imports(self, document: LoadedDocument) -> list[str]:
        """The names of the files that a document imports."""
        paths = document.definitions.imports
        return [self.name(path_of(each, document.text.name)) for each in paths]

    def rows(self, document: LoadedDocument) -> None:
        """Take in roles and policies; what lint should leave alone in a document, it should in
        each."""
        names = [self.name(path_of(document.text.name)), *self.imports(document)]
        uses = [name for name in names if name in self.defined]
        ignored = document.definitions.lint_ignore
        for _, role in document.roles:
            codes = sorted({*role.lint_ignore, *ignored})
            self.put(document.company, role.model_copy(update={"lint_ignore": codes}))
        for _, policy in document.policies:
            codes = sorted({*policy.lint_ignore, *ignored})
            data = policy.model_dump(exclude_defaults=True) | {"imports": uses}
            self.put(document.company, StoredPolicy.model_validate({**data, "lint_ignore": codes}))

    def declare(self) -> None:
        """Make the roles that documents only name, because attachments are to rows."""
        for key, item in list(self.items.items()):
            if isinstance(item, StoredPolicy):
                derived = self.derived(key, item)
                self.need(key.company, [role for role in item.roles if role not in derived])
            elif isinstance(item, StoredDocument):
                for made in item.derived_roles:
                    self.need(key.company, made.roles)

    def derived(self, key: Key, policy: StoredPolicy) -> set[str]:
        """The derived roles that a policy can be attached to."""
        keys = [each for name in policy.imports for each in imported(key, name, self.items)]
        documents = [self.items[each] for each in keys]
        return {
            role.name
            for document in documents
            if isinstance(document, StoredDocument)
            for role in document.derived_roles
        }

    def need(self, company: str, roles: Iterable[str]) -> None:
        for role in roles:
            there = any(Key("role", where, role) in self.items for where in ("", company))
            if role != ANYONE and not there:
                self.put(company, Role.model_validate({"name": role}))

    def put(self, company: str, item: Item) -> None:
        made = item_of(item)
        self.items[Key(kind_of(made), company, name_of(made))] = made


# -- items → files --------------------------------------------------------------------------------


def files_of(state: State, limits: Limits = DEFAULT) -> list[tuple[str, str]]:
    """Names and texts of files: the schema, a file for each document, and for each company one with
    its roles and policies, or more where policies use other documents. Raises StoreError."""
    files: dict[str, str] = {}
    documents = {key for key in state if key.kind == "document"}
    for key in sorted(documents):
        item = state[key].item
        assert isinstance(item, StoredDocument)
        if item.is_schema:
            files[SCHEMA] = item.text
            continue
        lines = [*_head(key, item.imports, documents), *definition_lines(item)]
        files[_file(key)] = _text(lines)
    for company in sorted({key.company for key in state}):
        for name, lines in _rows(company, state, documents, files):
            files[name] = _text(lines)
    made = compile_documents(files.items(), limits).revision
    if made != compile_state(0, state, limits).policies.revision:
        raise StoreError("as files these policies would mean something else")
    return sorted(files.items())


def _rows(
    company: str, state: State, documents: set[Key], taken: Iterable[str]
) -> Iterable[tuple[str, list[str]]]:
    """The files of a company's roles and policies, those that use the same documents together."""
    mine = [(key, stored.item) for key, stored in sorted(state.items()) if key.company == company]
    roles = [item for _, item in mine if isinstance(item, Role)]
    groups: dict[tuple[str, ...], list[StoredPolicy]] = {(): []} if roles else {}
    for _, item in mine:
        if isinstance(item, StoredPolicy):
            groups.setdefault(tuple(item.imports), []).append(item)
    number = 0
    for imports, policies in sorted(groups.items()):
        number += 1
        while (name := f"{_folder(company)}/policies{number if number > 1 else ''}.yaml") in taken:
            number += 1
        lines = _head(Key("policy", company, ""), imports, documents)
        if roles and not imports:
            lines += ["roles:", *role_lines(roles)]
        if policies:
            lines.append("policies:")
            for policy in policies:
                lines += policy_lines(policy)
        yield name, lines


def _head(key: Key, imports: Iterable[str], documents: set[Key]) -> list[str]:
    lines = [f"company: {scalar(key.company)}"] if key.company else []
    here = posixpath.dirname(_file(key)) if key.kind == "document" else _folder(key.company)
    found = [each for name in imports for each in imported(key, name, documents)]
    paths = [posixpath.relpath(_file(each), here) for each in dict.fromkeys(found)]
    return [*lines, f"imports: {flow(paths)}"] if paths else lines


def _file(document: Key) -> str:
    return f"{_folder(document.company)}/{document.name}"


def _folder(company: str) -> str:
    return f"{COMPANIES}/{escaped(company)}" if company else EVERYWHERE


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
