"""Documents → rules → a PolicySet.

Stages, each a function of the former's product: load (text → documents), link (documents fit
together), conditions (each distinct one parsed, checked and planned once), rows, set.

Laws: a set is compiled whole or not at all; all issues of all stages and files are told at once,
up to `Limits.issues` of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .._fast.nodes import Node
from .._fast.rows import RuleRow
from ..cel import Source, policy_env, policy_layout
from ..cel.layout import Layout
from ..errors import CompileError
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from .assembly import assemble, make_row
from .document import Policy
from .linker import declared_roles, link
from .loader import Loaded, LoadedDocument, load
from .policy_set import PolicySet


class Entry(NamedTuple):
    """A policy, and where it is from."""

    document: LoadedDocument
    number: int
    policy: Policy

    @property
    def condition(self) -> str:
        return _trimmed(self.policy.condition)


def compile_documents(texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT) -> PolicySet:
    """The policy set of YAML documents, given as names and texts.

    Raises CompileError with all that is wrong; nothing is half compiled.
    """
    loaded = load(texts, limits)
    issues = [*loaded.issues, *link(loaded, limits)]
    entries = entries_of(loaded)
    conditions = Conditions(entries, limits, policy_layout(), {})
    for document in loaded.documents:
        for number, text in document.conditions:
            conditions.compile(document, number, _trimmed(text))
    issues += conditions.issues
    if issues:
        raise CompileError(bounded(issues, limits.issues))
    rows = [make_entry_row(entry, conditions.nodes, conditions.numbers) for entry in entries]
    layout = conditions.layout
    return assemble(rows, layout.paths, layout.registers, declared_roles(loaded.documents), limits)


def entries_of(loaded: Loaded) -> list[Entry]:
    """The policies of documents."""
    return [
        Entry(document, number, policy)
        for document in loaded.documents
        for number, policy in document.policies
    ]


class Conditions:
    """The distinct conditions of a set, compiled, but for those in `known`. Those that several
    policies have are numbered, so that a decision evaluates them once."""

    def __init__(
        self, entries: Sequence[Entry], limits: Limits, layout: Layout, known: dict[str, Node]
    ) -> None:
        self.layout = layout
        self.issues: list[Issue] = []
        self.nodes = known
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


def make_entry_row(entry: Entry, nodes: dict[str, Node], numbers: dict[str, int]) -> RuleRow:
    """The rule of a policy whose condition is compiled."""
    policy, text = entry.policy, entry.condition
    return make_row(
        policy.id,
        entry.document.company,
        policy.effect == "deny",
        (_distinct(policy.actions), _distinct(policy.resources), _distinct(policy.roles)),
        # A condition that was not compiled must not become a policy without one.
        nodes[text] if policy.condition else None,
        numbers.get(text, -1),
        text,
    )


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def bounded(issues: list[Issue], limit: int) -> Issues:
    """The first issues in the order of their places, and how many more there are."""
    found = Issues.of(issues)
    if len(found) <= limit:
        return found
    last = found.items[limit - 1].place
    more = Issue(last, "too_many_issues", f"{len(found) - limit} more issues are not shown")
    return Issues((*found.items[:limit], more))
