"""An expression whose evaluation is watched: every part of the tree shows what it came to.

What costs, explains or takes apart an evaluation stands on this. The plan is another one than the
plain one: a node of its own for every part, nothing folded, nothing in a tighter form. What it
means is the same.

INVARIANT: a part that is not evaluated (a branch not taken, an operand after the deciding one) is
not shown; a part within a loop is shown once a turn. `a.b.c` that is read as one attribute path is
one part, as are the inner nodes of a macro's expansion that nobody wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._fast.evaluator import Evaluator
from .._fast.nodes import Node
from .._fast.observed import Observed
from .._fast.tree import Expr
from ..limits import DEFAULT, Limits
from .checker import Checked
from .decls import Declarations
from .functions import Implementations
from .layout import Layout
from .loops import Scope
from .planner import PLAN, Plan

# The id of a part (`Expr.id`) and its core value, or Fault → what the evaluation goes on with.
Observer = Callable[[int, Any], Any]


class ObservedPlan(Plan):
    """A plan all of whose parts are watched; `parts` are these, by their ids."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.parts: dict[int, Expr] = {}

    def node(self, tree: Expr, scope: Scope) -> Node:
        self.planned += 1
        self.parts[tree.id] = tree
        return Observed(PLAN[type(tree)](self, tree, scope), tree.id)

    part = source = node


class Observable:
    """A planned expression that can be watched, with its tree, the `parts` that can be shown by
    their ids, what functions do, and, where it was checked, the types and references of the parts.
    """

    __slots__ = ("checked", "evaluator", "implementations", "parts", "tree")

    def __init__(
        self,
        tree: Expr,
        checked: Checked | None,
        declarations: Declarations,
        implementations: Implementations,
        limits: Limits = DEFAULT,
    ) -> None:
        layout = Layout()
        references = None if checked is None else checked.references
        planned = ObservedPlan(references, declarations, implementations, layout, limits)
        node = planned.node(tree, {})
        self.tree = tree
        self.parts = planned.parts
        self.implementations = implementations
        self.checked = checked
        sizes = layout.slots, layout.registers, len(layout.roots)
        self.evaluator = Evaluator(node, *sizes, limits.evaluation_steps)

    def value(self, variables: Any, observer: Observer) -> Any:
        """The core value over `variables` (names to values), or a Fault; `observer` is shown every
        part that is evaluated, when it has been, and its answer stands for the part."""
        return self.evaluator.observe(variables, observer)
