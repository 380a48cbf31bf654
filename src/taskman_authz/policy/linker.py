"""Documents → documents that fit together: ids are unique, roles are declared, patterns are valid.

Laws: all issues of all documents are told; a valid set links whatever the order of its documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .._fast.rows import ANYONE
from ..issues import Issue
from ..limits import Limits
from .definitions import Definitions, Scope
from .document import Policy
from .document_errors import Finding, quoted
from .guards import held_roles
from .loader import Loaded, LoadedDocument
from .patterns import ACTION_SEPARATOR, RESOURCE_SEPARATOR, pattern_error
from .suggestions import did_you_mean
from .yaml_reader import Path


class Known(NamedTuple):
    """What is known beside the documents that are linked, because they change a set: its declared
    roles by company, its derived roles, and the companies of ids that they use."""

    roles: Mapping[str, frozenset[str]]
    derived: frozenset[str]
    owners: Mapping[str, Iterable[str]]


def link(
    loaded: Loaded, limits: Limits, definitions: Definitions, known: Known | None = None
) -> list[Issue]:
    """All that keeps the documents from being one policy set."""
    linker = _Linker(loaded, limits, definitions)
    if known is not None:
        linker.roles = known.roles
        linker.derived = known.derived
        for id, owners in known.owners.items():
            linker.ids[id] = dict.fromkeys(owners, "the set that is changed")
    issues: list[Issue] = []
    for document in loaded.documents:
        issues += [document.issue(finding) for finding in linker.findings(document)]
    return issues


class _Linker:
    def __init__(self, loaded: Loaded, limits: Limits, definitions: Definitions) -> None:
        self.limits = limits
        self.definitions = definitions
        self.ids: dict[str, dict[str, object]] = {}  # id → company ("" is every one) → place
        self.declared: dict[tuple[str, str], _Place] = {}  # (company, role) → place
        # Role names by the company that declares them. Where there is none, or not all could be
        # read, names are taken as they are.
        self.roles: Mapping[str, frozenset[str]] = {}
        if loaded.all_roles:
            self.roles = declared_roles(loaded.documents)
        self.everywhere = {  # the policies of every company, by their ids
            policy.id: policy
            for document in loaded.documents
            for _, policy in document.policies
            if not document.company
        }
        self.derived: frozenset[str] = frozenset()  # of the set that is changed
        self.checked: dict[tuple[str, str], str] = {}  # (pattern, separator) → what is wrong

    def findings(self, document: LoadedDocument) -> Iterator[Finding]:
        yield from self.role_findings(document)
        scope = self.definitions.of(document)
        path: Path
        for number, derived in document.definitions.derived_roles:
            path = ("derived_roles", number)
            if self.is_declared(derived.name, document.company):
                message = f"the role {quoted(derived.name)} is declared{_in(document.company)} too"
                yield Finding((*path, "name"), "duplicate_role", message)
            yield from self.attachment_findings(document.company, derived.roles, path, scope)
        yield from self.override_findings(document)
        for number, policy in document.policies:
            path = ("policies", number)
            if policy.overridable and (document.company or policy.effect == "allow"):
                message = "only a deny policy of every company can be `overridable`"
                hint = "a company narrows what is allowed by a deny policy of its own"
                yield Finding((*path, "overridable"), "bad_override", message, hint)
            yield from self.id_findings(document, policy, path)
            yield from self.attachment_findings(document.company, policy.roles, path, scope)
            yield from self.pattern_findings(policy, path, len(held_roles(policy, scope)))

    def role_findings(self, document: LoadedDocument) -> Iterator[Finding]:
        company = document.company
        for number, role in document.roles:
            path = ("roles", number, "name")
            place = _Place(document, path)
            if "*" in role.name:
                message = f"{quoted(role.name)} cannot be declared: `*` is every subject"
                yield Finding(path, "bad_role", message)
            first = self.declared.setdefault((company, role.name), place)
            if first is not place:
                message = f"the role {quoted(role.name)} is declared twice{_in(company)}"
                yield Finding(path, "duplicate_role", message, f"first at {first}")

    def override_findings(self, document: LoadedDocument) -> Iterator[Finding]:
        for number, id in enumerate(document.overrides):
            path: Path = ("overrides", number)
            found = self.everywhere.get(id)
            if not document.company:
                yield Finding(path, "bad_override", "only a company's document can override")
            elif found is None:
                known = [each.id for each in self.everywhere.values() if each.overridable]
                message = f"there is no policy {quoted(id)} of every company"
                yield Finding(path, "unknown_policy", message, did_you_mean(id, known))
            elif not found.overridable:
                message = f"the policy {quoted(id)} does not say that it is `overridable`"
                yield Finding(path, "bad_override", message)

    def id_findings(
        self, document: LoadedDocument, policy: Policy, path: Path
    ) -> Iterator[Finding]:
        company = document.company
        known = self.ids.setdefault(policy.id, {})
        # A policy of every company meets those of each.
        others = [owner for owner in known if "" in (owner, company) or owner == company]
        place = _Place(document, (*path, "id"))
        if others:
            message = f"the policy id {quoted(policy.id)} is given twice{_in(company or others[0])}"
            yield Finding((*path, "id"), "duplicate_id", message, f"first at {known[others[0]]}")
        known.setdefault(company, place)

    def attachment_findings(
        self, company: str, roles: Sequence[str], path: Path, scope: Scope
    ) -> Iterator[Finding]:
        for number, role in enumerate(roles):
            where = (*path, "roles", number)
            if role == ANYONE or role in scope.roles:
                continue
            if "*" in role:
                yield Finding(
                    where,
                    "bad_role",
                    f"{quoted(role)} is no role: roles have no patterns",
                    'every subject is ["*"]',
                )
            elif not (self.roles or self.definitions or self.derived):
                continue
            elif scope.whole and not self.is_declared(role, company):
                derived = self.definitions.files_with_role(role)
                if self.roles or derived or role in self.derived:
                    message = f"unknown role {quoted(role)}{_in(company)}"
                    importing = f"import `{derived[0]}`, which defines it" if derived else ""
                    hint = importing or self.role_hint(role, company, scope)
                    yield Finding(where, "unknown_role", message, hint)

    def is_declared(self, role: str, company: str) -> bool:
        return role in self.roles.get("", ()) or role in self.roles.get(company, ())

    def role_hint(self, role: str, company: str, scope: Scope) -> str:
        known = {*self.roles.get("", ()), *self.roles.get(company, ()), *scope.roles}
        close = did_you_mean(role, known)
        owners = sorted(owner for owner, roles in self.roles.items() if role in roles)
        return close or (f"it is declared{_in(owners[0])} only" if owners else "")

    def pattern_findings(self, policy: Policy, path: Path, roles: int) -> Iterator[Finding]:
        for field, patterns, separator in (
            ("actions", policy.actions, ACTION_SEPARATOR),
            ("resources", policy.resources, RESOURCE_SEPARATOR),
        ):
            for number, pattern in enumerate(patterns):
                wrong = self.pattern_error(pattern, separator)
                if wrong:
                    message = f"bad pattern {quoted(pattern)}: {wrong}"
                    yield Finding((*path, field, number), "bad_pattern", message)
        targets = len(policy.actions) * len(policy.resources) * max(1, roles)
        if targets > self.limits.policy_targets:
            message = (
                f"{targets} combinations of action, resource and role, "
                f"more than {self.limits.policy_targets}"
            )
            yield Finding(path, "policy_too_wide", message, "use a pattern or several policies")

    def pattern_error(self, pattern: str, separator: str) -> str:
        key = (pattern, separator)
        if key not in self.checked:
            self.checked[key] = pattern_error(pattern, separator)
        return self.checked[key]


class _Place:
    """The place of a field, worked out only when it is told."""

    def __init__(self, document: LoadedDocument, path: Path) -> None:
        self.document = document
        self.path = path

    def __str__(self) -> str:
        return str(self.document.text.place((self.document.number, *self.path)))


def declared_roles(documents: Sequence[LoadedDocument]) -> dict[str, frozenset[str]]:
    """The roles that documents declare, by company."""
    roles: dict[str, set[str]] = {}
    for document in documents:
        if document.roles:
            owned = roles.setdefault(document.company, set())
            owned.update(role.name for _, role in document.roles)
    return {company: frozenset(owned) for company, owned in roles.items()}


def _in(company: str) -> str:
    return f" in company `{company}`" if company else ""
