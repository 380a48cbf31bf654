"""Rules → a PolicySet: what is left to do once every condition is compiled."""

from __future__ import annotations

from collections.abc import Sequence

from .._fast.activation import Path
from .._fast.decide import Decider
from .._fast.nodes import Node
from .._fast.required import Required
from .._fast.rows import RuleRow
from .._fast.rules import RuleIndex
from ..decision import ALLOWED, DENIED, DENIED_BY_ERROR, FAILED, NO_POLICY, NOT_MET, Reason
from ..limits import Limits
from .origins import Origins
from .policy_set import Declared, PolicySet
from .revision import Digests, digest

NOTHING = (Reason(NO_POLICY, "", "no policy allows this action on this resource"),)


def make_row(
    id: str,
    company: str,
    deny: bool,
    patterns: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    condition: Node | None,
    number: int,
    text: str,
    required: tuple[Required, ...] | None = None,
) -> RuleRow:
    """The rule of a policy: `patterns` are its actions, resources and roles, `text` is that of its
    condition, which `number` says is another rule's too (-1 if none)."""
    decided, failed, unmet = (_deny_reasons if deny else _allow_reasons)(id)
    about = (id, company or None, deny, *patterns)
    return RuleRow(*about, condition, number, decided, failed, unmet, text, required)


def renumbered(row: RuleRow, number: int) -> RuleRow:
    """The same rule, whose condition has a number now."""
    about = (row.id, row.company, row.deny, row.actions, row.resources, row.roles)
    said = (row.decided, row.failed, row.unmet)
    return RuleRow(*about, row.condition, number, *said, row.text, row.required)


def assemble(
    rows: Sequence[RuleRow],
    paths: list[Path],
    registers: int,
    declared: Declared,
    origins: Origins,
    limits: Limits,
) -> PolicySet:
    """The set of some rules, whose conditions read through `paths`."""
    index = RuleIndex(rows, limits.index_memory, limits.index_references, limits.reasons)
    digests = Digests(digest(row) for row in rows)
    decider = make_decider(index, paths, registers, limits)
    return PolicySet(decider, limits, digests, declared, origins)


def make_decider(index: RuleIndex, paths: list[Path], registers: int, limits: Limits) -> Decider:
    """What decides by the rules of an index."""
    return Decider(
        index,
        paths,
        registers,
        NOTHING,
        limits.reasons,
        limits.name_length,
        limits.subject_roles,
        limits.decision_steps,
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
