"""Documents → rules → a PolicySet.

Stages, each a function of the former's product: load (text → documents), link (documents fit
together), resolve (the names of files and the types of schemas are worked in: every condition is
plain CEL), conditions (each distinct one parsed, checked and planned once), rows, set.

Laws: a set is compiled whole or not at all; all issues of all stages and files are told at once,
up to `Limits.issues` of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import NoneType

from .._fast.nodes import Node
from .._fast.rows import RuleRow
from ..cel import Env, policy_env, policy_layout
from ..cel.layout import Layout
from ..errors import ArgumentError, CompileError, require
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from .assembly import assemble, make_row
from .constancy import never_or_always
from .definitions import Definitions
from .linker import Known, declared_roles, link
from .loader import Loaded, load
from .origins import Origins
from .policy_set import Declared, PolicySet
from .resolver import Condition, Entry, resolve, told
from .schema import Schema
from .schema_document import Schemas


def _pairs(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The same, one after another. Raises ArgumentError where they are something else."""
    expected = "pairs of a name and a text"
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise ArgumentError.of("texts", expected, texts)
    for each in texts:
        if not isinstance(each, tuple) or list(map(type, each)) != [str, str]:
            raise ArgumentError.of("texts", expected, each)
        yield each


def compile_documents(
    texts: Iterable[tuple[str, str]],
    limits: Limits = DEFAULT,
    schema: Schema | None = None,
    progress: Progress | None = None,
) -> PolicySet:
    """The policy set of YAML documents, given as names and texts; `schema` holds for all of them,
    in the place of those that stand among them. `progress` is told what is done of what.

    Raises CompileError with all that is wrong; nothing is half compiled.
    """
    require("schema", schema, (Schema, NoneType), "a Schema")
    require("limits", limits, Limits, "Limits")
    tell = progress or silent
    tell("reading policies", 0, 0)
    loaded = load(_pairs(texts), limits)
    conditions = Conditions(limits, policy_layout(), {}, tell)
    schemas = Schemas(loaded.schemas, limits, schema)
    entries = compile_loaded(loaded, schemas, conditions)
    tell("indexing policies", 0, 0)
    shared: Shared = {}
    parts = (conditions.nodes, conditions.numbers, shared)
    rows = [make_entry_row(entry, *parts) for entry in entries]
    layout, roles = conditions.layout, declared_roles(loaded.documents)
    typed = schema is not None or bool(loaded.schemas)
    overridden = frozenset(id for each in loaded.documents for id in each.overrides)
    derived = (role.name for each in loaded.documents for _, role in each.definitions.derived_roles)
    declared = Declared(roles, typed, schemas.actions, overridden, frozenset(derived))
    origins = Origins.of_entries(entries)
    del loaded, entries, conditions, parts  # the documents are not needed while the index grows
    return assemble(rows, layout.paths, layout.registers, declared, origins, limits)


TOLD = 100  # policies from one word about progress to the next

# Told a stage, and how much of it is done of how much (0 of 0: nobody knows).
Progress = Callable[[str, int, int], object]


def silent(stage: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def compile_loaded(
    loaded: Loaded, schemas: Schemas, conditions: Conditions, known: Known | None = None
) -> list[Entry]:
    """The policies of documents, with their conditions compiled into `conditions`; `known` is of
    the set that they change. Raises CompileError with all that is wrong."""
    limits = conditions.limits
    env = policy_env(limits)
    definitions = Definitions(loaded, env)
    resolved = resolve(loaded, definitions, schemas, env)
    conditions.compile_all(resolved.entries)
    for other in resolved.others:
        conditions.compile(other)
    issues = [
        *loaded.issues,
        *schemas.issues,
        *definitions.issues,
        *link(loaded, limits, definitions, known),
        *resolved.issues,
        *conditions.issues,
    ]
    if issues:
        raise CompileError(bounded(issues, limits.issues))
    return resolved.entries


class Conditions:
    """The distinct conditions of some policies, compiled; those in `nodes` are it already. Those
    that several policies have are numbered, so that a decision evaluates them once."""

    def __init__(
        self, limits: Limits, layout: Layout, nodes: dict[str, Node], tell: Progress = silent
    ) -> None:
        self.limits = limits
        self.tell = tell
        self.numbers: dict[str, int] = {}
        self.layout = layout
        self.issues: list[Issue] = []
        self.nodes = nodes
        self.most = max(1, limits.issues)
        self._met: set[tuple[Env, str]] = set()

    def compile_all(self, entries: Sequence[Entry]) -> None:
        """Compile the conditions of policies, and number those that several have."""
        texts = (text_of(each) for each in entries if each.condition)
        self.numbers = {
            text: number
            for number, text in enumerate(
                text for text, count in Counter(texts).items() if count > 1
            )
        }
        for number, entry in enumerate(entries):
            if not number % TOLD:
                self.tell("compiling policies", number, len(entries))
            if entry.condition:
                self.compile(entry.condition)

    def compile(self, condition: Condition) -> None:
        """Compile a condition, unless there is one of this text that may read the same."""
        source, env = condition.source, condition.env
        if (env, source.text) in self._met or len(self.issues) >= self.most:
            return
        try:
            checked = env.check_condition(source)
            node = env.plan_condition(checked, self.layout)
        except CompileError as error:
            self.issues += told(error, condition)
            return
        self.issues += never_or_always(checked.tree, node, source)
        self._met.add((env, source.text))
        self.nodes.setdefault(source.text, node)


def text_of(entry: Entry) -> str:
    """The text of a policy's condition as it is decided by, "" if it has none."""
    return entry.condition.source.text if entry.condition else ""


# Lists of names that several policies have: kept once, which is a tenth of the memory of a set.
Shared = dict[tuple[str, ...], tuple[str, ...]]


def make_entry_row(
    entry: Entry, nodes: dict[str, Node], numbers: dict[str, int], shared: Shared
) -> RuleRow:
    """The rule of a policy whose condition is compiled."""
    policy, text = entry.policy, text_of(entry)

    def distinct(names: list[str]) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(names))
        return shared.setdefault(found, found)

    return make_row(
        policy.id,
        entry.document.company,
        policy.effect == "deny",
        (distinct(policy.actions), distinct(policy.resources), distinct(policy.roles)),
        # A condition that was not compiled must not become a policy without one.
        nodes[text] if entry.condition else None,
        numbers.get(text, -1),
        text,
    )


def bounded(issues: list[Issue], limit: int) -> Issues:
    """The first issues in the order of their places, and how many more there are."""
    found = Issues.of(issues)
    if len(found) <= limit:
        return found
    last = found.items[limit - 1].place
    more = Issue(last, "too_many_issues", f"{len(found) - limit} more issues are not shown")
    return Issues((*found.items[:limit], more))
