"""Documents → rules → a PolicySet.

Stages, each a function of the former's product: load (text → documents), link (documents fit
together), conditions (each distinct one parsed, checked and planned once), rows, set.

Laws: a set is compiled whole or not at all; all issues of all stages and files are told at once,
up to `Limits.issues` of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from .._fast.decide import Decider
from .._fast.nodes import Node
from .._fast.rules import RuleIndex, RuleRow
from ..cel import Source, policy_env, policy_layout
from ..decision import ALLOWED, DENIED, DENIED_BY_ERROR, FAILED, NO_POLICY, NOT_MET, Reason
from ..errors import CompileError
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from .document import Policy
from .linker import link
from .loader import LoadedDocument, load
from .origins import Key, Origin, Origins
from .policy_set import PolicySet, digest, revision

NOTHING = (Reason(NO_POLICY, "", "no policy allows this action on this resource"),)


class _Entry(NamedTuple):
    """A policy, and where it is from."""

    document: LoadedDocument
    number: int
    policy: Policy

    @property
    def condition(self) -> str:
        return _trimmed(self.policy.condition)

    @property
    def key(self) -> Key:
        return self.policy.id, self.document.company or None

    @property
    def origin(self) -> Origin:
        path = (self.document.number, "policies", self.number)
        return Origin(self.document.text, path, self.condition)


def compile_documents(texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT) -> PolicySet:
    """The policy set of YAML documents, given as names and texts.

    Raises CompileError with all that is wrong; nothing is half compiled.
    """
    loaded = load(texts, limits)
    issues = [*loaded.issues, *link(loaded, limits)]
    entries = [
        _Entry(document, number, policy)
        for document in loaded.documents
        for number, policy in document.policies
    ]
    conditions = _Conditions(entries, limits)
    for document in loaded.documents:
        for number, text in document.conditions:
            conditions.compile(document, number, _trimmed(text))
    issues += conditions.issues
    if issues:
        raise CompileError(_bounded(issues, limits.issues))
    rows = [_row(entry, conditions) for entry in entries]
    index = RuleIndex(rows, limits.index_memory, limits.index_references)
    layout = conditions.layout
    decider = Decider(
        index,
        layout.paths,
        layout.registers,
        NOTHING,
        limits.reasons,
        limits.name_length,
        limits.subject_roles,
        limits.decision_steps,
    )
    digests = (digest(entry.document.company, entry.policy) for entry in entries)
    origins = Origins(conditions.env, {entry.key: entry.origin for entry in entries})
    return PolicySet(revision(digests), decider, limits, origins)


class _Conditions:
    """The distinct conditions of a set, compiled. Those that several policies have are numbered,
    so that a decision evaluates them once."""

    def __init__(self, entries: list[_Entry], limits: Limits) -> None:
        self.layout = policy_layout()
        self.issues: list[Issue] = []
        self.nodes: dict[str, Node] = {}
        uses = Counter(entry.condition for entry in entries if entry.policy.condition)
        self.numbers = {
            text: number
            for number, text in enumerate(text for text, count in uses.items() if count > 1)
        }
        self.env = policy_env(limits)
        self.most = max(1, limits.issues)
        for entry in entries:
            if entry.policy.condition:
                self.compile(entry.document, entry.number, entry.condition)

    def compile(self, document: LoadedDocument, number: int, text: str) -> None:
        """Compile the condition of policy number `number`, unless there is one of this text."""
        if text in self.nodes or len(self.issues) >= self.most:
            return
        source = Source(text, document.text.name, document.condition_places(number))
        try:
            self.nodes[text] = self.env.compile_condition(source, self.layout)
        except CompileError as error:
            self.issues += error.issues


def _trimmed(condition: str) -> str:
    """A condition without what it ends in: a `|` block has a line break there, a quote does not."""
    return condition.rstrip()


def _row(entry: _Entry, conditions: _Conditions) -> RuleRow:
    policy = entry.policy
    deny = policy.effect == "deny"
    decided, failed, unmet = (_deny_reasons if deny else _allow_reasons)(policy.id)
    return RuleRow(
        policy.id,
        entry.document.company or None,
        deny,
        tuple(dict.fromkeys(policy.actions)),
        tuple(dict.fromkeys(policy.resources)),
        tuple(dict.fromkeys(policy.roles)),
        # A condition that was not compiled must not become a policy without one.
        conditions.nodes[entry.condition] if policy.condition else None,
        conditions.numbers.get(entry.condition, -1),
        decided,
        failed,
        unmet,
    )


def _allow_reasons(id: str) -> tuple[object, object, object]:
    return (
        (Reason(ALLOWED, id, f"allowed by policy `{id}`"),),
        Reason(FAILED, id, f"the condition of policy `{id}` could not be evaluated"),
        Reason(NOT_MET, id, f"the condition of policy `{id}` is not met"),
    )


def _deny_reasons(id: str) -> tuple[object, object, object]:
    failed = f"denied: the condition of deny policy `{id}` could not be evaluated"
    return (
        (Reason(DENIED, id, f"denied by policy `{id}`"),),
        (Reason(DENIED_BY_ERROR, id, failed),),
        None,
    )


def _bounded(issues: list[Issue], limit: int) -> Issues:
    """The first issues in the order of their places, and how many more there are."""
    found = Issues.of(issues)
    if len(found) <= limit:
        return found
    last = found.items[limit - 1].place
    more = Issue(last, "too_many_issues", f"{len(found) - limit} more issues are not shown")
    return Issues((*found.items[:limit], more))
