"""A PolicySet that differs from another one in a few policies, without compiling the others again.

Laws: what `change` gives is what compiling all documents anew would give: the same revision and the
same decisions, and it is refused where that would be refused. The set that is changed stays as it
is, and shares with the other one whatever both have.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from .._fast.rows import RuleRow, having, key_of
from ..cel import policy_layout
from ..errors import CompileError
from ..issues import Issue, Place
from .assembly import make_decider, renumbered
from .compiler import Conditions, Entry, bounded, entries_of, make_entry_row
from .document_errors import Finding, quoted
from .linker import Known, link
from .loader import Loaded, load
from .policy_set import PolicySet
from .revision import digest

Key = tuple[str, str]  # a policy's company ("" for every one) and id


def change(
    policies: PolicySet,
    texts: Iterable[tuple[str, str]] = (),
    remove: Iterable[Key] = (),
) -> PolicySet:
    """The set with the policies of YAML documents, each in the place of the one that has its
    company and id, if there is one; without those that `remove` names by company ("" for a policy
    of every company) and id.

    The documents declare no roles: what other policies may name is not changed. Raises CompileError
    with all that is wrong, also for a policy to remove that is none of the set.
    """
    loaded = load(texts, policies.limits)
    entries = entries_of(loaded)
    put = {(entry.document.company, entry.policy.id) for entry in entries}
    issues = [*loaded.issues, *_roles_issues(loaded)]
    gone: dict[Key, RuleRow] = {}
    for key in (*remove, *put):
        row = _find(policies.rules, key)
        if row is not None:
            gone[key] = row
        elif key not in put:
            issues.append(_unknown(key))
    owners = {id: _owners(policies.rules, id) - _companies(gone, id) for _, id in put}
    issues += link(loaded, policies.limits, Known(policies.roles, owners))
    alike = having(policies.rules, {entry.condition for entry in entries if entry.condition})
    conditions = _conditions(policies, entries, alike)
    issues += conditions.issues
    if issues:
        raise CompileError(bounded(issues, policies.limits.issues))
    kept = [row for row in alike if row not in gone.values()]
    return _changed(policies, list(gone.values()), kept, entries, conditions)


def _changed(
    policies: PolicySet,
    gone: Sequence[RuleRow],
    kept: Sequence[RuleRow],
    entries: Sequence[Entry],
    conditions: Conditions,
) -> PolicySet:
    """The set without some rules, and with those of compiled entries; `kept` are other rules that
    have the conditions of these."""
    texts = Counter(entry.condition for entry in entries if entry.condition)
    numbers = _numbers(policies, texts, kept)
    regrouped = [row for row in kept if row.number != numbers.get(row.text, row.number)]
    new = [make_entry_row(entry, conditions.nodes, numbers) for entry in entries]
    index = policies.index.changed(
        [*gone, *regrouped], [*new, *(renumbered(row, numbers[row.text]) for row in regrouped)]
    )
    digests = policies.digests.changed(map(digest, gone), map(digest, new))
    layout, limits = conditions.layout, policies.limits
    registers = max(layout.registers, policies.decider.registers)
    decider = make_decider(index, layout.paths, registers, limits)
    return PolicySet(decider, limits, digests, policies.roles)


def _numbers(policies: PolicySet, texts: Counter[str], kept: Sequence[RuleRow]) -> dict[str, int]:
    """The numbers of the new rules' conditions that other rules have too, new or kept ones."""
    uses = texts + Counter(row.text for row in kept)
    numbers = {row.text: row.number for row in kept if row.number >= 0}
    shared = [text for text in texts if uses[text] > 1 and text not in numbers]
    if shared:
        free = 1 + max((row.number for row in policies.rules), default=-1)
        numbers |= {text: free + place for place, text in enumerate(shared)}
    return numbers


def _conditions(
    policies: PolicySet, entries: Sequence[Entry], alike: Sequence[RuleRow]
) -> Conditions:
    """The conditions of entries, compiled unless the set has them: what they read is numbered on
    from what the set reads."""
    layout = policy_layout()
    for path in policies.decider.paths:
        layout.slot(path.name, path.members)
    known = {row.text: row.condition for row in alike if row.condition is not None}
    return Conditions(entries, policies.limits, layout, known)


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


def _unknown(key: Key) -> Issue:
    company, id = key
    message = (
        f"there is no policy {quoted(id)}{f' in company {quoted(company)}' if company else ''}"
    )
    return Issue(Place("<change>"), "unknown_policy", message)


def _roles_issues(loaded: Loaded) -> Iterator[Issue]:
    for document in loaded.documents:
        if document.roles:
            message = "a change declares no roles"
            hint = "compile all documents anew"
            yield document.issue(Finding(("roles",), "roles_in_change", message, hint))
