"""Findings about what policies have to do with each other: which ones decide nothing that another
one does not decide already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .._fast.rows import ANYONE
from .._fast.wildcards import PatternTable, split_resource
from .document_errors import Finding, quoted
from .lint_rules import Found, Reading
from .patterns import actions_meet, covers_action, covers_resource, resources_meet
from .resolver import Entry


def set_findings(reading: Reading) -> Iterator[Found]:
    """Policies that are shadowed or redundant, and denies of what nobody allows."""
    entries = [entry for entry in reading.entries if entry.policy.roles]
    known = _Covering(entries)
    allowing = _Allowing(entry for entry in entries if entry.policy.effect == "allow")
    for entry in entries:
        found = _decided_elsewhere(entry, known)
        if found is None and entry.policy.effect == "deny" and not allowing.meets(entry):
            message = "no policy allows what this one denies"
            found = Finding(_id(entry), "deny_without_allow", message)
        if found is not None:
            yield Found(entry.document, found)


def _id(entry: Entry) -> tuple[str | int, ...]:
    return "policies", entry.number, "id"


def _decided_elsewhere(entry: Entry, known: _Covering) -> Finding | None:
    effect = entry.policy.effect
    covering = list(known.of(entry))
    for other in covering:
        if effect == "allow" and other.policy.effect == "deny":
            message = f"{quoted(other.policy.id)} denies wherever this policy would allow"
            return Finding(_id(entry), "shadowed", message)
    for other in covering:
        if other.policy.effect == effect and not (_covers(entry, other) and _first(entry, other)):
            word = "allows" if effect == "allow" else "denies"
            message = f"{quoted(other.policy.id)} {word} wherever this policy would"
            return Finding(_id(entry), "redundant", message)
    return None


def _first(entry: Entry, other: Entry) -> bool:
    """Of two policies that say the same the first one stays."""
    return _order(entry) < _order(other)


def _order(entry: Entry) -> tuple[str, int, int]:
    return entry.document.text.name, entry.document.number, entry.number


def _text(entry: Entry) -> str:
    return entry.condition.source.text if entry.condition else ""


def _covers(wide: Entry, narrow: Entry) -> bool:
    """Whether `wide` decides wherever `narrow` would. What would need several patterns together to
    be covered is not."""
    above, below = wide.policy, narrow.policy
    return (
        wide.document.company in ("", narrow.document.company)
        and _text(wide) in ("", _text(narrow))
        and (ANYONE in above.roles or set(below.roles) <= set(above.roles))
        and all(any(covers_action(a, b) for a in above.actions) for b in below.actions)
        and all(any(covers_resource(a, b) for a in above.resources) for b in below.resources)
    )


class _Covering:
    """Finds the policies that decide wherever one would, without asking all of them. What covers a
    pattern matches its text as if that were a name, `*` being a letter as any other."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_condition: dict[str, PatternTable] = defaultdict(lambda: PatternTable(":"))
        for entry in entries:
            actions = self._by_condition[_text(entry)]
            for action in dict.fromkeys(entry.policy.actions):
                for resource in dict.fromkeys(entry.policy.resources):
                    kind, id = split_resource(resource)
                    kinds = actions.place(action, lambda: PatternTable("/"))
                    ids = kinds.place(kind, lambda: PatternTable("/"))
                    by_role = ids.place(id, lambda: defaultdict(list))
                    for role in dict.fromkeys(entry.policy.roles):
                        by_role[role].append(entry)

    def of(self, entry: Entry) -> Iterator[Entry]:
        """The others that decide wherever a policy would, in the order of their places."""
        found: dict[tuple[str, int, int], Entry] = {}
        kind, id = split_resource(entry.policy.resources[0])
        for text in dict.fromkeys(("", _text(entry))):
            for kinds in self._by_condition[text].find(entry.policy.actions[0]):
                for ids in kinds.find(kind):
                    for by_role in ids.find(id):
                        for role in (ANYONE, entry.policy.roles[0]):
                            found |= {_order(other): other for other in by_role.get(role, ())}
        for _, other in sorted(found.items(), key=lambda item: item[0]):
            if other is not entry and _covers(other, entry):
                yield other


class _Allowing:
    """What is allowed, by the kinds of its actions."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        # Those that are about the same are one here.
        self._by_kind: dict[str, dict[tuple[str, ...], Entry]] = defaultdict(dict)
        for entry in entries:
            policy = entry.policy
            what = (entry.document.company, *policy.actions, "", *policy.resources)
            for kind in {_kind(action) for action in policy.actions}:
                self._by_kind[kind].setdefault(what, entry)

    def meets(self, entry: Entry) -> bool:
        """Whether some policy allows what one denies. A subject may hold any roles together."""
        kinds = {_kind(action) for action in entry.policy.actions}
        looked = list(self._by_kind) if "*" in kinds else [*kinds, "*"]
        found = (other for kind in looked for other in self._by_kind.get(kind, {}).values())
        return any(_meet(entry, other) for other in found)


def _kind(action: str) -> str:
    """The kind that a pattern of actions is about; `*` where that may be any."""
    kind = action.partition(":")[0]
    return "*" if "*" in kind else kind


def _meet(deny: Entry, allow: Entry) -> bool:
    companies = {deny.document.company, allow.document.company}
    return (
        ("" in companies or len(companies) == 1)
        and any(actions_meet(a, b) for a in deny.policy.actions for b in allow.policy.actions)
        and any(resources_meet(a, b) for a in deny.policy.resources for b in allow.policy.resources)
    )
