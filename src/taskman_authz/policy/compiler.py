"""Documents → rules → a PolicySet.

Stages, each a function of the former's product: load (text → documents), link (documents fit
together), resolve (the names of files and the types of schemas are worked in: every condition is
plain CEL), conditions (each distinct one parsed, checked and planned once), rows, set.

Laws: a set is compiled whole or not at all; all issues of all stages and files are told at once,
up to `Limits.issues` of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .._fast.decide import Decider
from .._fast.nodes import Node
from .._fast.rules import RuleIndex, RuleRow
from ..cel import Env, policy_env, policy_layout
from ..decision import ALLOWED, DENIED, DENIED_BY_ERROR, FAILED, NO_POLICY, NOT_MET, Reason
from ..errors import CompileError
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from .constancy import never_or_always
from .definitions import Definitions
from .linker import link
from .loader import load
from .origins import Origins
from .policy_set import PolicySet, digest, revision
from .resolver import Condition, Entry, resolve, told
from .schema import Schema
from .schema_document import Schemas

NOTHING = (Reason(NO_POLICY, "", "no policy allows this action on this resource"),)


def compile_documents(
    texts: Iterable[tuple[str, str]], limits: Limits = DEFAULT, schema: Schema | None = None
) -> PolicySet:
    """The policy set of YAML documents, given as names and texts; `schema` holds for all of them,
    in the place of those that stand among them.

    Raises CompileError with all that is wrong; nothing is half compiled.
    """
    loaded = load(texts, limits)
    env = policy_env(limits)
    schemas = Schemas(loaded.schemas, limits, schema)
    definitions = Definitions(loaded, env)
    resolved = resolve(loaded, definitions, schemas, env)
    entries = resolved.entries
    conditions = _Conditions(entries, limits)
    for other in resolved.others:
        conditions.compile(other)
    issues = [
        *loaded.issues,
        *schemas.issues,
        *definitions.issues,
        *link(loaded, limits, definitions),
        *resolved.issues,
        *conditions.issues,
    ]
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
    return PolicySet(revision(digests), decider, limits, Origins(entries))


class _Conditions:
    """The distinct conditions of a set, compiled. Those that several policies have are numbered,
    so that a decision evaluates them once."""

    def __init__(self, entries: list[Entry], limits: Limits) -> None:
        self.layout = policy_layout()
        self.issues: list[Issue] = []
        self.nodes: dict[str, Node] = {}
        texts = (each.condition.source.text for each in entries if each.condition)
        self.numbers = {
            text: number
            for number, text in enumerate(
                text for text, count in Counter(texts).items() if count > 1
            )
        }
        self.most = max(1, limits.issues)
        self._met: set[tuple[Env, str]] = set()
        for entry in entries:
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


def _row(entry: Entry, conditions: _Conditions) -> RuleRow:
    policy = entry.policy
    deny = policy.effect == "deny"
    text = entry.condition.source.text if entry.condition else ""
    decided, failed, unmet = (_deny_reasons if deny else _allow_reasons)(policy.id)
    return RuleRow(
        policy.id,
        entry.document.company or None,
        deny,
        tuple(dict.fromkeys(policy.actions)),
        tuple(dict.fromkeys(policy.resources)),
        tuple(dict.fromkeys(policy.roles)),
        # A condition that was not compiled must not become a policy without one.
        conditions.nodes[text] if entry.condition else None,
        conditions.numbers.get(text, -1),
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
