"""A PolicySet that differs from another one in a few policies (`change`), or in the roles that are
declared (`declare`), without compiling the others again.

Laws: what they give is what compiling all documents anew would give: the same revision and the
same decisions, and it is refused where that would be refused. The set that is changed stays as it
is, and shares with the other one whatever both have.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from .._fast.rows import ANYONE, RuleRow, having, key_of
from ..cel import policy_layout
from ..errors import ArgumentError, CompileError, require
from ..issues import Issue, Place
from .assembly import make_decider, renumbered
from .compiler import Conditions, bounded, compile_loaded, make_entry_row, text_of
from .document_errors import Finding, quoted
from .linker import Known
from .loader import Loaded, load
from .policy_set import PolicySet
from .resolver import Entry
from .revision import digest
from .schema import Schema
from .schema_document import Schemas

Key = tuple[str, str]  # a policy's company ("" for every one) and id


def change(
    policies: PolicySet,
    texts: Iterable[tuple[str, str]] = (),
    remove: Iterable[Key] = (),
    *,
    schema: Schema | None = None,
) -> PolicySet:
    """The set with the policies of YAML documents, each in the place of the one that has its
    company and id, if there is one; without those that `remove` names by company ("" for a policy
    of every company) and id. `schema` is what the set was checked against, if it was.

    The documents hold policies and nothing that others could use: no roles, names, imports or
    overrides; a policy that may be overridden is not changed either. Raises CompileError with all
    that is wrong, also for a policy to remove that is none of the set.
    """
    require("policies", policies, PolicySet, "a PolicySet")
    remove = list(remove)
    for number, key in enumerate(remove):
        if not isinstance(key, tuple) or len(key) != 2:
            expected = 'the company (`""` for every one) and the id of a policy'
            raise ArgumentError.of(f"remove[{number}]", expected, key)
    loaded = load(texts, policies.limits)
    given = [
        (document.company, policy.id)
        for document in loaded.documents
        for _, policy in document.policies
    ]
    gone: dict[Key, RuleRow] = {}
    issues = [*_misplaced(loaded), *_untyped(policies, schema)]
    for key in (*remove, *given):
        row = _find(policies.rules, key)
        if row is not None:
            gone[key] = row
        elif key not in given:
            issues.append(_issue(key, "unknown_policy", "there is no policy {}"))
        if not key[0] and key[1] in policies.declared.overridden:
            issues.append(_issue(key, "overridden_policy", "companies have overridden {}"))
    owners = {id: _owners(policies.rules, id) - _companies(gone, id) for _, id in given}
    known = Known(policies.declared.roles, policies.declared.derived, owners)
    layout = policy_layout()
    for path in policies.decider.paths:
        layout.slot(path.name, path.members)
    conditions = Conditions(policies.limits, layout, {})
    schemas = Schemas(loaded.schemas, policies.limits, schema)
    try:
        entries = compile_loaded(loaded, schemas, conditions, known)
    except CompileError as error:
        issues += error.issues
    if len(layout.paths) > max(len(policies.decider.paths), policies.limits.changed_paths):
        said = f"more than {policies.limits.changed_paths} attribute paths, with those of before"
        issues.append(Issue(Place("<change>"), "limit_exceeded", f"{said} (changed_paths)", ANEW))
    if issues:
        raise CompileError(bounded(issues, policies.limits.issues))
    return _changed(policies, list(gone.values()), entries, conditions)


def declare(policies: PolicySet, roles: Mapping[str, frozenset[str]]) -> PolicySet:
    """The set with these declared roles, by company ("" for every one), in the place of its own.
    Raises CompileError where a policy is attached to one that is no more, and for what only
    compiling all documents can tell: whether derived roles go with them."""
    require("policies", policies, PolicySet, "a PolicySet")
    declared = policies.declared
    everywhere = roles.get("", frozenset())
    names = frozenset[str]().union(*roles.values())
    issues = []
    kept = declared.roles and all(
        before <= roles.get(company, frozenset()) for company, before in declared.roles.items()
    )
    if declared.derived and (names & declared.derived or not kept):
        issues.append(Issue(Place("<change>"), "not_in_change", "there are derived roles", ANEW))
    for name in sorted(names):
        if "*" in name:
            message = f"{quoted(name)} cannot be declared: `*` is every subject"
            issues.append(Issue(Place("<change>"), "bad_role", message))
    for row in policies.rules if roles else ():
        for role in row.roles:
            if role not in everywhere and role != ANYONE:
                if row.company is None or role not in roles.get(row.company, ()):
                    message = f"unknown role {quoted(role)}, which {{}} is attached to"
                    issues.append(_issue((row.company or "", row.id), "unknown_role", message))
    if issues:
        raise CompileError(bounded(issues, policies.limits.issues))
    return msgspec.structs.replace(
        policies, declared=msgspec.structs.replace(declared, roles=roles)
    )


def _changed(
    policies: PolicySet, gone: list[RuleRow], entries: Sequence[Entry], conditions: Conditions
) -> PolicySet:
    """The set without some rules, and with those of compiled entries."""
    texts = Counter(text_of(entry) for entry in entries if entry.condition)
    kept = [row for row in having(policies.rules, set(texts)) if row not in gone]
    # Equal conditions share one node.
    nodes = conditions.nodes | {row.text: row.condition for row in kept if row.condition}
    numbers = _numbers(policies, texts, kept)
    regrouped = [row for row in kept if row.number != numbers.get(row.text, row.number)]
    new = [make_entry_row(entry, nodes, numbers, {}) for entry in entries]
    index = policies.index.changed(
        [*gone, *regrouped], [*new, *(renumbered(row, numbers[row.text]) for row in regrouped)]
    )
    digests = policies.digests.changed(map(digest, gone), map(digest, new))
    layout, limits = conditions.layout, policies.limits
    registers = max(layout.registers, policies.decider.registers)
    decider = make_decider(index, layout.paths, registers, limits)
    origins = policies.origins.changed(gone, entries)
    return PolicySet(decider, limits, digests, policies.declared, origins)


def _numbers(policies: PolicySet, texts: Counter[str], kept: Sequence[RuleRow]) -> dict[str, int]:
    """The numbers of the new rules' conditions that other rules have too, new or kept ones."""
    uses = texts + Counter(row.text for row in kept)
    numbers = {row.text: row.number for row in kept if row.number >= 0}
    shared = [text for text in texts if uses[text] > 1 and text not in numbers]
    if shared:
        free = 1 + max((row.number for row in policies.rules), default=-1)
        numbers |= {text: free + place for place, text in enumerate(shared)}
    return numbers


def _find(rows: tuple[RuleRow, ...], key: Key) -> RuleRow | None:
    """The rule of a company and an id."""
    company, id = key
    for allows in (False, True):
        wanted = (allows, id, company)
        place = bisect_left(rows, wanted, key=key_of)
        if place < len(rows) and rows[place].key == wanted:
            return rows[place]
    return None


def _owners(rows: tuple[RuleRow, ...], id: str) -> set[str]:
    """The companies that have a policy of this id."""
    found: set[str] = set()
    for allows in (False, True):
        place = bisect_left(rows, (allows, id, ""), key=key_of)
        while place < len(rows) and rows[place].key[:2] == (allows, id):
            found.add(rows[place].key[2])
            place += 1
    return found


def _companies(gone: Iterable[Key], id: str) -> set[str]:
    return {company for company, other in gone if other == id}


def _issue(key: Key, code: str, message: str, hint: str = "") -> Issue:
    company, id = key
    policy = f"{quoted(id)}{f' of company {quoted(company)}' if company else ''}"
    return Issue(Place("<change>"), code, message.format(policy), hint)


def _untyped(policies: PolicySet, schema: Schema | None) -> Iterator[Issue]:
    if policies.declared.typed is not (schema is not None):
        wanted = "needs the schema that the policies were checked against"
        message = wanted if schema is None else "gives a schema that the policies have not"
        yield Issue(Place("<change>"), "schema_in_change", f"the change {message}", ANEW)


def _misplaced(loaded: Loaded) -> Iterator[Issue]:
    """What a document of a change may not hold, because other policies depend on it."""
    for document in loaded.documents:
        definitions = document.definitions
        for key, held in (
            ("roles", document.roles),
            ("overrides", document.overrides),
            ("imports", definitions.imports),
            ("constants", definitions.constants),
            ("variables", definitions.variables),
            ("derived_roles", definitions.derived_roles),
        ):
            if held:
                message = f"{quoted(key)} in a change: it holds policies only"
                yield document.issue(Finding((key,), "not_in_change", message, ANEW))
        for number, policy in document.policies:
            if policy.overridable:
                message = "a policy that companies may override is not changed alone"
                path = ("policies", number, "overridable")
                yield document.issue(Finding(path, "not_in_change", message, ANEW))
    for name, _ in loaded.schemas:
        message = "a schema in a change: it holds policies only"
        yield Issue(Place(name), "not_in_change", message, ANEW)


ANEW = "compile all documents anew"
