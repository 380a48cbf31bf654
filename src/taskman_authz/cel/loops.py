"""How comprehensions run, and names for values: the part of the planner that gives out registers.

Laws: a register belongs to one variable for as long as anything can read it. Loops one after the
other share theirs, loops inside of one another do not; and because a bound value may be computed
anywhere in its block's result, what computes it shares none with the result. The weight of a loop's
turn is how many nodes are planned for its body.

A fold over an empty list never runs: it gives a name to its initial value, which is how `cel.bind`
is written. The macros' expansions are those of `macros`, `ext.comprehensions` and `ext.optionals`;
what is needed of them stands at fixed places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from .._fast import bindings, folds, nodes, optionals, pairs
from .._fast.tree import Call, Comprehension, Expr, ListExpr
from .._fast.values import Fault
from .macros import BLOCK, index_name

Node = nodes.Node
# Names that the expression itself gives → the register that a loop's variable lies in, or the node
# of a bound value; under NEXT, the next free register.
Scope = dict[str, Any]
NEXT = ""


class Planner(Protocol):
    """What plans the parts of a loop."""

    planned: int  # how many nodes there are so far

    def node(self, tree: Expr, scope: Scope) -> Node:
        """The node of a tree."""

    def source(self, tree: Expr, scope: Scope) -> Node:
        """The node of what a loop goes over."""

    def claim(self, scope: Scope, count: int) -> int:
        """The first of so many registers that nothing in `scope` uses."""

    def apart(self, tree: Expr, scope: Scope) -> tuple[Node, int]:
        """The node of a tree, and the first register that nothing in it uses."""


def comprehension(plan: Planner, tree: Comprehension, scope: Scope) -> Node:
    """The node of a comprehension."""
    if type(tree.iter_range) is ListExpr and not tree.iter_range.elements:
        if tree.macro in OPTIONAL_MAPS:
            return optional_map(plan, tree, scope)
        return named(plan, [(tree.accu_var, tree.accu_init)], tree.result, scope)
    source = plan.source(tree.iter_range, scope)
    before = plan.planned
    node = loop(plan, tree, source, scope)
    node.weight = max(1, plan.planned - before)
    return node


def loop(plan: Planner, tree: Comprehension, source: Node, scope: Scope) -> folds.Turning:
    """The loop of a comprehension over `source`."""
    macro = (PAIRS if tree.iter_var2 else MACROS).get(tree.macro)
    if macro is None:
        return fold(plan, tree, source, scope)
    count = 2 if tree.iter_var2 else 1
    first = plan.claim(scope, count)
    inner = {**scope, tree.iter_var: first, NEXT: first + count}
    if tree.iter_var2:
        inner[tree.iter_var2] = first + 1
    return macro(plan, tree, source, first, inner)


def fold(plan: Planner, tree: Comprehension, source: Node, scope: Scope) -> folds.Turning:
    """Any comprehension."""
    first = plan.claim(scope, 3)
    second = first + 1 if tree.iter_var2 else -1
    accumulator = first + 2
    outer = {**scope, tree.accu_var: accumulator, NEXT: first + 3}
    inner = {**outer, tree.iter_var: first}
    if second >= 0:
        inner[tree.iter_var2] = second
    return folds.Fold(
        source,
        first,
        second,
        accumulator,
        plan.node(tree.accu_init, scope),
        plan.node(tree.loop_condition, inner),
        plan.node(tree.loop_step, inner),
        plan.node(tree.result, outer),
        tree.position,
    )


# -- bound values ---------------------------------------------------------------------------------

# What costs nothing to read again.
READY = (nodes.Constant, nodes.Attribute, nodes.Local, bindings.Lazy)


def named(plan: Planner, parts: Iterable[tuple[str, Expr]], result: Expr, scope: Scope) -> Node:
    """`result`, in which names stand for values, each known to the next."""
    inner = dict(scope)
    bound: list[int] = []
    for name, part in parts:
        register = plan.claim(inner, 1)
        node, free = plan.apart(part, {**inner, NEXT: register + 1})
        if not isinstance(node, READY):
            node = bindings.Lazy(register, node, part.position)
            bound.append(register)
            inner[NEXT] = free
        inner[name] = node
    planned = plan.node(result, inner)
    return bindings.Block(tuple(bound), planned, result.position) if bound else planned


def block(plan: Planner, tree: Call, scope: Scope) -> Node:
    """`cel.@block([a, b, …], result)`"""
    parts = tree.args[0] if len(tree.args) == 2 else None
    if type(parts) is not ListExpr:
        return nodes.Constant(Fault("no_such_overload", (BLOCK,), tree.position), tree.position)
    numbered = [(index_name(number), part) for number, part in enumerate(parts.elements)]
    return named(plan, numbered, tree.args[1], scope)


OPTIONAL_MAPS = ("optMap", "optFlatMap")


def optional_map(plan: Planner, tree: Any, scope: Scope) -> Node:
    """`e.optMap(x, t)`, `e.optFlatMap(x, t)`: a name for `e`, and in it one for its value."""
    flat = tree.macro == "optFlatMap"
    inner = tree.result.args[1] if flat else tree.result.args[1].args[0]
    optional = plan.node(tree.accu_init, scope)
    register = plan.claim(scope, 1)
    result = plan.node(inner.result, {**scope, inner.accu_var: register, NEXT: register + 1})
    return optionals.MapOptional(optional, register, result, flat, tree.position)


# -- macros with one variable ---------------------------------------------------------------------


def _exists(plan: Planner, tree: Any, source: Node, register: int, scope: Scope) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[1], scope)
    return folds.Exists(source, register, predicate, False, tree.position)


def _all(plan: Planner, tree: Any, source: Node, register: int, scope: Scope) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[1], scope)
    return folds.Exists(source, register, predicate, True, tree.position)


def _exists_one(
    plan: Planner, tree: Any, source: Node, register: int, scope: Scope
) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[0], scope)
    return folds.ExistsOne(source, register, predicate, tree.position)


def _map(plan: Planner, tree: Any, source: Node, register: int, scope: Scope) -> folds.Turning:
    predicate, step = chosen(plan, tree, scope)
    result = plan.node(step.args[1].elements[0], scope)
    return folds.Collect(source, register, predicate, result, tree.position)


def _filter(plan: Planner, tree: Any, source: Node, register: int, scope: Scope) -> folds.Turning:
    predicate, _ = chosen(plan, tree, scope)
    return folds.Collect(source, register, predicate, None, tree.position)


def chosen(plan: Planner, tree: Any, scope: Scope) -> tuple[Node | None, Any]:
    """The predicate of a step `p ? s : @result`, planned, and `s`; of another step, None and it."""
    step = tree.loop_step
    if step.function != "_?_:_":
        return None, step
    return plan.node(step.args[0], scope), step.args[1]


# -- macros with two ------------------------------------------------------------------------------


def _exists_pair(plan: Planner, tree: Any, source: Node, first: int, scope: Scope) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[1], scope)
    return pairs.ExistsPair(source, first, first + 1, predicate, False, tree.position)


def _all_pairs(plan: Planner, tree: Any, source: Node, first: int, scope: Scope) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[1], scope)
    return pairs.ExistsPair(source, first, first + 1, predicate, True, tree.position)


def _exists_one_pair(
    plan: Planner, tree: Any, source: Node, first: int, scope: Scope
) -> folds.Turning:
    predicate = plan.node(tree.loop_step.args[0], scope)
    return pairs.ExistsOnePair(source, first, first + 1, predicate, tree.position)


def _transform_list(
    plan: Planner, tree: Any, source: Node, first: int, scope: Scope
) -> folds.Turning:
    predicate, step = chosen(plan, tree, scope)
    result = plan.node(step.args[1].elements[0], scope)
    return pairs.TransformList(source, first, first + 1, predicate, result, tree.position)


def _transform_map(
    plan: Planner, tree: Any, source: Node, first: int, scope: Scope
) -> folds.Turning:
    predicate, step = chosen(plan, tree, scope)
    result = plan.node(step.args[2], scope)
    return pairs.TransformMap(source, first, first + 1, predicate, result, tree.position)


def _transform_entries(
    plan: Planner, tree: Any, source: Node, first: int, scope: Scope
) -> folds.Turning:
    predicate, step = chosen(plan, tree, scope)
    result = plan.node(step.args[1], scope)
    return pairs.TransformEntries(source, first, first + 1, predicate, result, tree.position)


Loops = dict[str, Callable[[Planner, Any, Node, int, Scope], folds.Turning]]
MACROS: Loops = {
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
    "existsOne": _exists_one,
    "map": _map,
    "filter": _filter,
}
PAIRS: Loops = {
    "all": _all_pairs,
    "exists": _exists_pair,
    "exists_one": _exists_one_pair,
    "existsOne": _exists_one_pair,
    "transformList": _transform_list,
    "transformMap": _transform_map,
    "transformMapEntry": _transform_entries,
}
