"""Functions with a node of their own: a call of one is planned as that, where its arguments allow.

Law: as for the planner, the node means what the function means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .._fast import calls, nodes, optionals
from .._fast.activation import Activation
from .._fast.patterns import remembered, steps_of
from .._fast.shapes import Matcher
from ..limits import Limits
from . import functions
from .functions import Implementation

Node = nodes.Node
Operands = tuple[Any, ...]  # planned nodes


class Plan(Protocol):
    """What they need of the planner's `Plan`."""

    limits: Limits
    patterns: Activation | None

    def folded(self, node: Node, operands: Operands) -> Node:
        """The constant that a node over constants is, or the node."""


def is_text(node: Any) -> bool:
    return type(node) is nodes.Constant and type(node.constant) is str


def _matches(plan: Plan, _: Implementation, arguments: Operands, position: int) -> Node | None:
    text, pattern = arguments
    if plan.patterns is None:
        plan.patterns = Activation(0, 0, 0, plan.limits.regex_steps)
    if not is_text(pattern) or is_text(text) or plan.patterns.steps < 0:
        return None  # left to the evaluation, which has a budget
    matcher = remembered(pattern.constant, plan.limits.regex_length)
    plan.patterns.pay(steps_of(matcher, ""))
    return calls.Matches(text, matcher, position) if isinstance(matcher, Matcher) else None


def _contains(
    plan: Plan, implementation: Implementation, arguments: Operands, position: int
) -> Node:
    container, member = arguments
    lists = implementation is functions.contains
    node = calls.Contains(implementation, container, member, lists, position)
    return plan.folded(node, arguments)


def _size(plan: Plan, implementation: Implementation, arguments: Operands, position: int) -> Node:
    return plan.folded(calls.Size(implementation, arguments[0], position), arguments)


def _starts(plan: Plan, _: Implementation, arguments: Operands, position: int) -> Node:
    return plan.folded(calls.StartsWith(arguments[0], arguments[1], position), arguments)


def _ends(plan: Plan, _: Implementation, arguments: Operands, position: int) -> Node:
    return plan.folded(calls.EndsWith(arguments[0], arguments[1], position), arguments)


def _either(
    plan: Plan, implementation: Implementation, arguments: Operands, position: int
) -> Node | None:
    unwraps = implementation is optionals.value_or
    if not unwraps and implementation is not optionals.either:
        return None
    first, other = arguments
    if unwraps and type(first) is optionals.OptionalMember:
        return optionals.MemberOr(first.operand, first.name, other, first.position)
    return plan.folded(optionals.Either(first, other, unwraps, position), arguments)


TIGHTER: dict[tuple[str, int], Callable[[Plan, Implementation, Operands, int], Node | None]] = {
    ("matches", 2): _matches,
    ("contains", 2): _contains,
    ("size", 1): _size,
    ("startsWith", 2): _starts,
    ("endsWith", 2): _ends,
    ("or", 2): _either,
    ("orValue", 2): _either,
}
