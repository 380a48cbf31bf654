"""Evaluation where not everything is known: a value, or what would have to be known for one.

The plan is another one than the plain one, made of nodes of the core that know of unknowns
(`_fast.partial`) and of plain ones: a part that needs all of its operands is planned over names
for them, so that what it means is said in one place.

Laws: where there is a value, it is the one that the plain plan gives for whatever the unknown
attributes are; an error is one for all of them. `tests/cel/test_partial.py` holds it to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._fast import bindings, logic, nodes, optionals, partial
from .._fast.access import adapt, find, missing
from .._fast.evaluator import Evaluator
from .._fast.observed import Observed
from .._fast.tree import (
    Call,
    Comprehension,
    Entry,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
    StructExpr,
)
from .._fast.values import Fault
from ..errors import require
from . import loops
from .attributes import AttributePattern, variable
from .expression import Expression
from .layout import Layout
from .loops import NEXT, Node, Scope
from .macros import BLOCK
from .planner import PLAN, Plan

Pattern = str | AttributePattern
# Under this name a loop's scope tells what its turns need: a register, and the comprehension.
TURN = "#turn"
# To their first argument, of which they read a part.
STEPS = {"_[_]": False, "_[?_]": True}
JUNCTIONS = {"_&&_": False, "_||_": True}  # to the value that decides
LAZY = frozenset({("or", 2), ("orValue", 2)})  # optional values: the second only if it is needed


class Unknown:
    """What a partial evaluation comes to that needs more: the `attributes` that it would have to
    know, as an expression writes them (`resource.owner`, `items[0].price`).

    False, because it is no yes.
    """

    __slots__ = ("attributes",)

    def __init__(self, attributes: Iterable[str]) -> None:
        self.attributes = frozenset(attributes)

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.attributes == self.attributes

    def __hash__(self) -> int:
        return hash((Unknown, self.attributes))

    def __repr__(self) -> str:
        return f"Unknown({sorted(self.attributes)})"


class PartialPlan(Plan):
    """A plan for unknowns. If it is `watched`, every part shows its value."""

    def __init__(self, expression: Expression, layout: Layout, watched: bool = False) -> None:
        _, _, declarations, implementations, limits = expression
        parts = expression.references, declarations, implementations, layout, limits
        super().__init__(*parts)
        self.single = Plan(*parts)
        self.watched = watched

    def node(self, tree: Expr, scope: Scope) -> Node:
        node = self.part(tree, scope)
        if type(tree) is Literal:
            return node
        node = partial.Settled(node)
        turn = scope.get(TURN)
        if turn is None:
            return node
        register, loop = turn
        return partial.Noted(node, register, stand_in(loop, tree))

    def part(self, tree: Expr, scope: Scope) -> Node:
        self.planned += 1
        if TURN in scope:
            scope = {name: given for name, given in scope.items() if name != TURN}
        node = PARTIAL[type(tree)](self, tree, scope)
        # A name for a value shows itself where it is given.
        watched = self.watched and type(node) is not bindings.Lazy
        return Observed(node, tree.id) if watched else node

    def select(self, tree: Select, scope: Scope) -> Node:
        if tree.test_only:
            return nodes.Has(self.part(tree.operand, scope), tree.field, tree.position)
        return self.path(tree, scope) or nodes.Member(
            self.part(tree.operand, scope), tree.field, tree.position
        )

    # -- calls ------------------------------------------------------------------------------------

    def call(self, tree: Call, scope: Scope) -> Node:
        function, args = tree.function, tree.args
        if function in JUNCTIONS:
            terms = tuple(self.node(argument, scope) for argument in args)
            return partial.Junction(terms, JUNCTIONS[function], function, tree.position)
        if function == "_?_:_":
            chosen, other = self.part(args[1], scope), self.part(args[2], scope)
            return logic.Conditional(self.node(args[0], scope), chosen, other, tree.position)
        if function in STEPS:
            operand, key = self.part(args[0], scope), self.node(args[1], scope)
            return partial.Step(operand, key, STEPS[function], tree.position)
        if function == "_?._" and type(args[1]) is Literal:
            operand = self.part(args[0], scope)
            return optionals.OptionalMember(operand, args[1].value, tree.position)
        if function == BLOCK:
            return loops.block(self, tree, scope)
        name, target = self.function(tree)
        operands = args if target is None else (target, *args)

        def over(names: tuple[Expr, ...]) -> Call:
            called = tree.target if target is None else names[0]
            left = names if target is None else names[1:]
            return Call(tree.id, tree.position, function, called, left)

        return self.strict(operands, over, scope, (name, len(operands)) in LAZY)

    # -- literals with parts ----------------------------------------------------------------------

    def list(self, tree: ListExpr, scope: Scope) -> Node:
        def over(names: tuple[Expr, ...]) -> ListExpr:
            return ListExpr(tree.id, tree.position, names, tree.optionals)

        return self.strict(tree.elements, over, scope)

    def map(self, tree: MapExpr, scope: Scope) -> Node:
        operands: list[Expr] = []
        for entry in tree.entries:
            assert isinstance(entry.key, Expr)
            operands += entry.key, entry.value

        def over(names: tuple[Expr, ...]) -> MapExpr:
            pairs = zip(names[::2], names[1::2], tree.entries, strict=True)
            entries = [Entry(was.id, was.position, k, v, was.optional) for k, v, was in pairs]
            return MapExpr(tree.id, tree.position, tuple(entries))

        return self.strict(tuple(operands), over, scope)

    def struct(self, tree: StructExpr, scope: Scope) -> Node:
        def over(names: tuple[Expr, ...]) -> StructExpr:
            pairs = zip(names, tree.entries, strict=True)
            entries = [Entry(was.id, was.position, was.key, v, was.optional) for v, was in pairs]
            return StructExpr(tree.id, tree.position, tree.type_name, tuple(entries))

        return self.strict(tuple(entry.value for entry in tree.entries), over, scope)

    def strict(
        self,
        operands: tuple[Expr, ...],
        over: Callable[[tuple[Expr, ...]], Expr],
        scope: Scope,
        lazy: bool = False,
    ) -> Node:
        """The node of a part that needs all of its `operands`; `over` makes it one over names. If
        it is `lazy`, they are evaluated where the part asks for them."""
        first = self.claim(scope, len(operands))
        inner = {**scope, NEXT: first + len(operands)}
        planned: list[Node] = []
        names: list[Expr] = []
        for operand in operands:
            if type(operand) is Literal:
                names.append(operand)
                continue
            register = first + len(planned)
            planned.append(self.node(operand, inner))
            names.append(Ident(operand.id, operand.position, f"#{register}"))
            inner[f"#{register}"] = planned[-1] if lazy else register
        tree = over(tuple(names))
        before = self.single.planned
        node = PLAN[type(tree)](self.single, tree, inner)
        self.planned += self.single.planned - before - len(planned)  # which are counted already
        return node if lazy or not planned else partial.Strict(tuple(planned), first, node)

    # -- loops ------------------------------------------------------------------------------------

    def comprehension(self, tree: Comprehension, scope: Scope) -> Node:
        if type(tree.iter_range) is ListExpr and not tree.iter_range.elements:
            if tree.macro in loops.OPTIONAL_MAPS:
                return loops.optional_map(self, tree, scope)
            return loops.named(self, [(tree.accu_var, tree.accu_init)], tree.result, scope)
        if tree.macro not in (loops.PAIRS if tree.iter_var2 else loops.MACROS):
            return loops.comprehension(self, tree, scope)
        register = self.claim(scope, 1)
        inner = {**scope, NEXT: register + 1, TURN: (register, tree)}
        node = loops.comprehension(self, tree, inner)
        return partial.Loop(node, register, DECIDES.get(tree.macro))

    def source(self, tree: Expr, scope: Scope) -> Node:
        return partial.Opened(self.part(tree, scope))


DECIDES = {"exists": True, "all": False}


def stand_in(loop: Comprehension, tree: Expr) -> Any:
    """What a loop goes on with where a part of a turn is unknown: a predicate that changes
    nothing, an empty map for the entries that a transform adds."""
    step: Any = loop.loop_step
    is_predicate = step.function == "_?_:_" and tree is step.args[0]
    if loop.macro == "transformMapEntry" and not is_predicate:
        return {}
    return loop.macro == "all"


PARTIAL: dict[type[Expr], Callable[[PartialPlan, Any, Scope], Node]] = {
    **PLAN,
    Select: PartialPlan.select,
    Call: PartialPlan.call,
    ListExpr: PartialPlan.list,
    MapExpr: PartialPlan.map,
    StructExpr: PartialPlan.struct,
    Comprehension: PartialPlan.comprehension,
}


class Partial:
    """A planned expression, or a part of one, that can be evaluated where not everything is
    known. In a `scope`, names stand for nodes."""

    __slots__ = ("evaluator", "layout")

    def __init__(
        self,
        expression: Expression,
        tree: Expr | None = None,
        scope: Scope | None = None,
        watched: bool = False,
    ) -> None:
        self.layout = Layout()
        planned = PartialPlan(expression, self.layout, watched)
        node = planned.node(expression.parsed.expr if tree is None else tree, scope or {})
        roots = len(self.layout.roots)
        sizes = self.layout.slots, self.layout.registers, roots
        self.evaluator = Evaluator(node, *sizes, expression.limits.evaluation_steps)

    def value(
        self,
        variables: Any,
        patterns: Iterable[AttributePattern],
        observer: Callable[[int, Any], Any] | None = None,
    ) -> Any:
        """The core value, or a Fault, where what `patterns` cover is not known."""
        known = {
            name: variable(name, held(variables, name), patterns) for name in self.layout.roots
        }
        if observer is None:
            return self.evaluator.value(known)
        return self.evaluator.observe(known, observer)


def held(variables: Any, name: str) -> Any:
    """The core value of a variable, or the Fault that there is none."""
    found = find(variables, name)
    return Fault("no_such_attribute", (name,)) if found is missing() else adapt(found)


def patterns_of(unknown: Iterable[Pattern]) -> tuple[AttributePattern, ...]:
    """Patterns, which may be given as texts. Raises CompileError for a text that is none."""
    given = (unknown,) if isinstance(unknown, (str, AttributePattern)) else unknown
    require("unknown", given, Iterable, "patterns of attributes such as `resource.owner`")
    patterns = tuple(AttributePattern(one) if isinstance(one, str) else one for one in given)
    for one in patterns:
        require("unknown", one, AttributePattern, "patterns of attributes such as `resource.owner`")
    return patterns
