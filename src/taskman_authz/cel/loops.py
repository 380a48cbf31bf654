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
    made = (PAIRS if tree.iter_var2 else MACROS).get(tree.macro)
    if made is None:
        return fold(plan, tree, source, scope)
    count = 2 if tree.iter_var2 else 1
    first = plan.claim(scope, count)
    inner = {**scope, tree.iter_var: first, NEXT: first + count}
    if tree.iter_var2:
        inner[tree.iter_var2] = first + 1
    predicate, result = body_of(tree)
    return made(
        source,
        first,
        None if predicate is None else plan.node(predicate, inner),
        None if result is None else plan.node(result, inner),
        tree.position,
    )


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


# -- macros ---------------------------------------------------------------------------------------


def body_of(tree: Comprehension) -> tuple[Expr | None, Expr | None]:
    """What was written for each turn of a macro's loop: the predicate and the result, None where
    the macro has none."""
    step: Any = tree.loop_step
    if tree.macro in ("all", "exists"):
        return step.args[1], None
    if tree.macro in ("exists_one", "existsOne", "filter"):
        return step.args[0], None
    predicate = None
    if step.function == "_?_:_":
        predicate, step = step.args[0], step.args[1]
    made = step.args[-1]
    return predicate, made.elements[0] if step.function == "_+_" else made


# Source, the first register, predicate and result (None where the macro has none), place → the loop
Made = Callable[[Node, int, Any, Any, int], folds.Turning]


def _exists(universal: bool) -> Made:
    return lambda source, first, predicate, _, place: folds.Exists(
        source, first, predicate, universal, place
    )


def _exists_pair(universal: bool) -> Made:
    return lambda source, first, predicate, _, place: pairs.ExistsPair(
        source, first, first + 1, predicate, universal, place
    )


def _exists_one(source: Node, first: int, predicate: Any, _: Any, place: int) -> folds.Turning:
    return folds.ExistsOne(source, first, predicate, place)


def _exists_one_pair(source: Node, first: int, predicate: Any, _: Any, place: int) -> pairs.Loop:
    return pairs.ExistsOnePair(source, first, first + 1, predicate, place)


def _transform(kind: Callable[..., pairs.Transform]) -> Made:
    return lambda source, first, predicate, result, place: kind(
        source, first, first + 1, predicate, result, place
    )


MACROS: dict[str, Made] = {
    "all": _exists(True),
    "exists": _exists(False),
    "exists_one": _exists_one,
    "existsOne": _exists_one,
    "map": folds.Collect,
    "filter": folds.Collect,
}
PAIRS: dict[str, Made] = {
    "all": _exists_pair(True),
    "exists": _exists_pair(False),
    "exists_one": _exists_one_pair,
    "existsOne": _exists_one_pair,
    "transformList": _transform(pairs.TransformList),
    "transformMap": _transform(pairs.TransformMap),
    "transformMapEntry": _transform(pairs.TransformEntries),
}
