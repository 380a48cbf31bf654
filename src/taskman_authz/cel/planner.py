"""Checked tree to program: a graph of nodes of the core.

Laws: names, members and functions are resolved here, once; constants are folded bottom-up, where
the operands of a node are constants and its value is no fault; `&&` and `||` become flat; a node
that has a tighter form for what it was given (a constant text, a constant list, a constant
pattern) gets it. A plan never changes what an expression means: `tests/cel/test_planner.py` holds
it to the plan without these forms.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from .._fast import calls, logic, nodes, numbers, optionals, relations
from .._fast.activation import Activation, extent
from .._fast.calls import size_of
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
from .._fast.values import CelType, Fault
from ..limits import DEFAULT, Limits
from . import loops
from .checker import Checked
from .choices import choices
from .decls import Declarations, FieldEntry, Reference
from .functions import CONSTANT_TIME, Described, Implementation, Implementations
from .layout import Layout
from .loops import NEXT, Scope
from .macros import BLOCK
from .tighter import TIGHTER, is_text
from .types import Kind

Node = nodes.Node
Operands = tuple[Any, ...]  # planned nodes
# As large as their text.
WRITTEN = (nodes.MakeList, nodes.MakeMap, optionals.MakeOptionalList, optionals.MakeOptionalMap)


class Plan:
    """What planning one expression needs to know: its references, its layout, its functions."""

    def __init__(
        self,
        references: dict[int, Reference] | None,
        declarations: Declarations,
        implementations: Implementations,
        layout: Layout,
        limits: Limits,
    ) -> None:
        self.references = references  # None: the expression was not checked
        self.declarations = declarations
        self.implementations = implementations
        self.layout = layout
        self.limits = limits
        self.shared = True  # whether others read through the layout
        self.high = 0  # the first register that nothing planned so far uses
        self.reads: dict[int, list[nodes.Attribute]] = {}  # by slot; twice for a read in a loop
        self.planned = 0  # how many nodes, for the weights of loops' bodies
        # What pays for folding constants and for planning patterns; made when there are any.
        self.folding: Activation | None = None
        self.patterns: Activation | None = None

    # -- registers --------------------------------------------------------------------------------

    def claim(self, scope: Scope, count: int) -> int:
        """The first of so many registers that nothing in `scope` uses."""
        first: int = scope.get(NEXT, 0)
        self.high = max(self.high, first + count)
        self.layout.need_registers(first + count)
        return first

    def apart(self, tree: Expr, scope: Scope) -> tuple[Node, int]:
        """The node of a tree, and the first register that nothing in it uses."""
        before, self.high = self.high, scope.get(NEXT, 0)
        node = self.part(tree, scope)
        free = self.high
        self.high = max(before, free)
        return node, free

    # -- constants --------------------------------------------------------------------------------

    def folded(self, node: Node, operands: Operands) -> Node:
        """The constant that a node over constants is; the node itself if it is none, or a fault, or
        takes long, or makes much of little."""
        for operand in operands:
            if type(operand) is not nodes.Constant:
                return node
        if self.folding is None:
            self.folding = Activation(0, 0, 0, self.limits.folding_steps)
        value = nodes.evaluate(node, self.folding)
        if type(value) is Fault or self.folding.steps < 0:
            return node
        if size_of(value) > self.limits.folded_size and type(node) not in WRITTEN:
            return node
        return nodes.Constant(value, node.position)

    # -- names ------------------------------------------------------------------------------------

    def node(self, tree: Expr, scope: Scope) -> Node:
        """The node of a tree within the comprehensions of `scope`."""
        self.planned += 1
        return PLAN[type(tree)](self, tree, scope)

    # What is bound to a name or only read of, and what a loop goes over: other plans may differ.
    part = source = node

    def literal(self, tree: Literal, scope: Scope) -> Node:
        value = tree.value
        self.planned += extent(value)
        # The same word stands in many policies: it is kept once, and found equal by identity
        # where the data are made of such words too.
        return nodes.Constant(intern(value) if type(value) is str else value, tree.position)

    def ident(self, tree: Ident, scope: Scope) -> Node:
        given = scope.get(tree.name)
        if given is not None:
            return nodes.Local(given, tree.position) if type(given) is int else given
        found = self.reference(tree, tree.name) or Reference(tree.name.lstrip("."))
        return self.named(found, (), tree.position, scope)

    def reference(self, tree: Expr, name: str) -> Reference | None:
        """What a name with dots stands for, as a variable, a type or a constant."""
        if self.references is not None:
            return self.references.get(tree.id)
        declared = self.declarations.find_ident(name)
        return None if declared is None else declared.reference

    def named(
        self, found: Reference, members: tuple[str, ...], position: int, scope: Scope
    ) -> Node:
        """The node of `found.member…`, read through one slot."""
        name = found.name.lstrip(".") if found.name[0] == "." else found.name
        if found.value is not None:
            return self.members(nodes.Constant(found.value, position), members, position)
        variable = self.declarations.variables.get(name)
        if variable is None:
            is_type = self.declarations.provider.find_type(name) is not None
        else:
            is_type = variable.type.kind is TYPE and name in TYPE_VALUES
        if is_type:
            return self.members(nodes.Constant(CelType(name), position), members, position)
        slot = self.layout.slot(name, members)
        attribute = nodes.Attribute(slot, self.layout.paths[slot], position)
        attribute.kept = self.shared
        readers = [attribute, attribute] if scope else [attribute]
        others = self.reads.setdefault(slot, readers)
        if others is not readers:
            others += readers
        return attribute

    def keep(self) -> None:
        """Keep in slots what is read more than once, where nobody else reads through the layout."""
        self.layout.slots = 0
        for slot, readers in self.reads.items():
            if len(readers) > 1:
                for reader in readers:
                    reader.kept = True
                self.layout.slots = slot + 1

    def members(self, node: Node, members: tuple[str, ...], position: int) -> Node:
        for member in members:
            node = self.folded(nodes.Member(node, member, position), (node,))
        return node

    def select(self, tree: Select, scope: Scope) -> Node:
        if tree.test_only:
            operand = self.node(tree.operand, scope)
            return self.folded(nodes.Has(operand, tree.field, tree.position), (operand,))
        root, references = tree.operand, self.references
        if references is not None and type(root) is Ident and root.name not in scope:
            found = references.get(tree.id)
            if found is not None:
                return self.named(found, (), tree.position, scope)
            found = references.get(root.id)
            if found is not None:
                return self.named(found, (tree.field,), tree.position, scope)
        path = self.path(tree, scope)
        if path is not None:
            return path
        return self.members(self.node(tree.operand, scope), (tree.field,), tree.position)

    def path(self, tree: Select, scope: Scope) -> Node | None:
        """The node of `a.b.c` that is a name, or members of one; None if the chain begins with
        something else (a call, a comprehension's variable, an index)."""
        members: tuple[str, ...] = ()
        step: Expr = tree
        references = self.references
        while type(step) is Select and not step.test_only:
            found = self.written(step, scope) if references is None else references.get(step.id)
            if found is not None:
                return self.named(found, members, tree.position, scope)
            members = (step.field, *members)
            step = step.operand
        if type(step) is not Ident or step.name in scope:
            return None
        found = self.reference(step, step.name) or Reference(step.name.lstrip("."))
        return self.named(found, members, tree.position, scope)

    def written(self, tree: Select, scope: Scope) -> Reference | None:
        """What a select of an unchecked tree stands for that is a name with dots."""
        name = dotted(tree)
        if name is None or name.partition(".")[0] in scope:
            return None
        return self.reference(tree, name)

    # -- literals with parts ----------------------------------------------------------------------

    def list(self, tree: ListExpr, scope: Scope) -> Node:
        elements = tuple(self.node(element, scope) for element in tree.elements)
        if tree.optionals:
            marks = tuple(number in tree.optionals for number in range(len(elements)))
            return self.folded(optionals.MakeOptionalList(elements, marks, tree.position), elements)
        return self.folded(nodes.MakeList(elements, tree.position), elements)

    def map(self, tree: MapExpr, scope: Scope) -> Node:
        keys: Operands = tuple(self.key(entry, scope) for entry in tree.entries)
        members = tuple(self.node(entry.value, scope) for entry in tree.entries)
        marks = tuple(entry.optional for entry in tree.entries)
        if any(marks):
            made = optionals.MakeOptionalMap(keys, members, marks, tree.position)
            return self.folded(made, keys + members)
        return self.folded(nodes.MakeMap(keys, members, tree.position), keys + members)

    def key(self, entry: Entry, scope: Scope) -> Node:
        assert isinstance(entry.key, Expr)
        return self.node(entry.key, scope)

    def struct(self, tree: StructExpr, scope: Scope) -> Node:
        found = self.declarations.find_type(tree.type_name)
        entries = [FieldEntry(str(one.key), one.optional, one.position) for one in tree.entries]
        construct = self.declarations.provider.construction(found[0], entries) if found else None
        if construct is None:
            fault = Fault("no_such_overload", (f"{tree.type_name}{{}}",), tree.position)
            return nodes.Constant(fault, tree.position)
        members = tuple(self.node(entry.value, scope) for entry in tree.entries)
        return self.folded(nodes.Call(construct, members, tree.position), members)

    # -- calls ------------------------------------------------------------------------------------

    def call(self, tree: Call, scope: Scope) -> Node:
        special = OPERATORS.get(tree.function)
        if special is not None:
            written = tree.args
            if len(written) == 2:  # most are, and this is quicker
                return special(
                    self, tree, (self.node(written[0], scope), self.node(written[1], scope))
                )
            arguments = tuple([self.node(argument, scope) for argument in written])
            return special(self, tree, arguments)
        if tree.function == BLOCK:
            return loops.block(self, tree, scope)
        name, target = self.function(tree)
        written = tree.args if target is None else (target, *tree.args)
        if not self.callable(name, target is not None, len(written)):
            fault = Fault("no_such_overload", (name,), tree.position)
            return nodes.Constant(fault, tree.position)
        arguments = tuple(self.node(argument, scope) for argument in written)
        implementation = self.implementations[name, len(written)]
        tighter = TIGHTER.get((name, len(written)))
        pure = type(implementation) is not Described or implementation.pure
        if pure and tighter is not None:
            made = tighter(self, implementation, arguments, tree.position)
            if made is not None:
                return made
        self.planned += steps_of_calling(implementation)
        node = applied(implementation, arguments, tree.position)
        return self.folded(node, arguments) if pure else node

    def function(self, tree: Call) -> tuple[str, Expr | None]:
        """The full name of a call's function, and its target where that is an argument."""
        if self.references is None:
            name = None if tree.target is None else dotted(tree.target)
            found = self.declarations.find_function(f"{name}.{tree.function}") if name else None
            if found is not None:
                return found.name, None
            found = self.declarations.find_function(tree.function)
            return (found.name if found else tree.function), tree.target
        reference = self.references[tree.id]
        return reference.name, None if reference.namespaced else tree.target

    def callable(self, name: str, member: bool, count: int) -> bool:
        found = self.declarations.functions.get(name)
        return (name, count) in self.implementations and (
            found is not None and bool(found.overloads_of(member, count))
        )


def dotted(tree: Expr) -> str | None:
    """`a.b.c` as text, if a tree is a name with dots."""
    parts: list[str] = []
    while type(tree) is Select and not tree.test_only:
        parts.append(tree.field)
        tree = tree.operand
    if type(tree) is not Ident:
        return None
    return ".".join((tree.name, *reversed(parts)))


TYPE = Kind.TYPE  # looked up once: a member of an Enum takes long
TYPE_VALUES = frozenset(
    {
        *("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"),
        *("google.protobuf.Timestamp", "google.protobuf.Duration"),
    }
)


# -- functions ------------------------------------------------------------------------------------


def steps_of_calling(implementation: Implementation) -> int:
    """What a turn of a loop pays for a call in it, whatever the arguments are."""
    if type(implementation) is Described and implementation.cost is not None:
        return 0
    return 0 if implementation in CONSTANT_TIME else calls.CALL


def applied(implementation: Implementation, arguments: Operands, position: int) -> Node:
    """A node that calls an implementation."""
    if type(implementation) is Described:
        found = implementation
        parts = calls.WORK, found.cost, found.metered
        return calls.Function(found.function, arguments, position, *parts)
    work = 0 if implementation in CONSTANT_TIME else calls.WORK
    if len(arguments) == 1:
        return calls.Unary(implementation, arguments[0], position, work)
    if len(arguments) == 2:
        return calls.Binary(implementation, arguments[0], arguments[1], position, work)
    return calls.Function(implementation, arguments, position, work)


# -- operators ------------------------------------------------------------------------------------

Operator = Callable[[Plan, Call, Operands], Node]


def _and(plan: Plan, tree: Call, operands: Operands) -> Node:
    if len(operands) == 2 and are_plain(logic.And, operands[0], operands[1]):
        return logic.And(operands, tree.position)
    flat = choices(flattened(logic.And, operands), True, plan.reads)
    if decided(flat, False):
        return nodes.Constant(False, tree.position)
    return plan.folded(logic.And(flat, tree.position), flat) if len(flat) > 1 else only(flat)


def _or(plan: Plan, tree: Call, operands: Operands) -> Node:
    if len(operands) == 2 and are_plain(logic.Or, operands[0], operands[1]):
        return logic.Or(operands, tree.position)
    flat = choices(flattened(logic.Or, operands), False, plan.reads)
    if decided(flat, True):
        return nodes.Constant(True, tree.position)
    return plan.folded(logic.Or(flat, tree.position), flat) if len(flat) > 1 else only(flat)


def are_plain(kind: type[logic.And] | type[logic.Or], left: Node, right: Node) -> bool:
    """Whether nothing is to be joined or folded. (It is what follows, told sooner.)"""
    first, second = type(left), type(right)
    return not (
        first is kind
        or second is kind
        or first is nodes.Constant
        or second is nodes.Constant
        or first is relations.InTexts
        or second is relations.InTexts
    )


def only(operands: Operands) -> Node:
    node: Node = operands[0]
    return node


def flattened(kind: type[logic.And] | type[logic.Or], operands: Operands) -> Operands:
    """The operands, with those of nested nodes of the same kind in their place."""
    flat: list[Node] = []
    for operand in operands:
        flat += operand.operands if type(operand) is kind else (operand,)
    return tuple(flat)


def decided(operands: Operands, value: bool) -> bool:
    """Whether some operand is this constant."""
    for operand in operands:
        if type(operand) is nodes.Constant and operand.constant is value:
            return True
    return False


def is_constant(node: Node, value: bool) -> bool:
    return type(node) is nodes.Constant and node.constant is value


def _not(plan: Plan, tree: Call, operands: Operands) -> Node:
    return plan.folded(logic.Not(operands[0], tree.position), operands)


def _conditional(plan: Plan, tree: Call, operands: Operands) -> Node:
    condition: Node = operands[0]
    chosen: Node = operands[1]
    other: Node = operands[2]
    if is_constant(condition, True):
        return chosen
    if is_constant(condition, False):
        return other
    return logic.Conditional(condition, chosen, other, tree.position)


def _equality(negated: bool) -> Operator:
    general = relations.NotEqual if negated else relations.Equal

    def planned(plan: Plan, tree: Call, operands: Operands) -> Node:
        left, right = operands
        if type(left) is type(right):  # constants both, or neither
            return plan.folded(general(left, right, tree.position), operands)
        if type(left) is nodes.Constant:
            left, right = right, left
        if type(right) is nodes.Constant:
            kind = type(right.constant)
            if kind is str:
                return relations.EqualText(left, right.constant, negated, tree.position)
            if kind is int:
                return relations.EqualInt(left, right.constant, negated, tree.position)
        return plan.folded(general(operands[0], operands[1], tree.position), operands)

    return planned


def is_int(node: Any) -> bool:
    return type(node) is nodes.Constant and type(node.constant) is int


def _order(operator: int) -> Operator:
    def planned(plan: Plan, tree: Call, operands: Operands) -> Node:
        form = relations.OrderInt if is_int(operands[1]) else relations.Order
        return plan.folded(form(operands[0], operands[1], operator, tree.position), operands)

    return planned


def _in(plan: Plan, tree: Call, operands: Operands) -> Node:
    member, container = operands
    if type(container) is nodes.Constant and type(container.constant) is list:
        members = container.constant
        if type(member) is not nodes.Constant and all(type(text) is str for text in members):
            return relations.InTexts(member, frozenset(members), False, tree.position)
    if is_text(member) and type(container) is not nodes.Constant:
        return relations.TextIn(member.constant, container, tree.position)
    return plan.folded(relations.In(member, container, tree.position), operands)


def _add(plan: Plan, tree: Call, operands: Operands) -> Node:
    left, right = operands
    if is_int(right) and numbers.is_small(right.constant):
        return plan.folded(
            numbers.WithInt(numbers.ADD, left, right.constant, tree.position), operands
        )
    return plan.folded(numbers.Add(left, right, plan.limits.value_size, tree.position), operands)


def _arithmetic(operator: int) -> Operator:
    def planned(plan: Plan, tree: Call, operands: Operands) -> Node:
        left, right = operands
        if is_int(right) and numbers.is_small(right.constant):
            return plan.folded(
                numbers.WithInt(operator, left, right.constant, tree.position), operands
            )
        return plan.folded(numbers.Arithmetic(operator, left, right, tree.position), operands)

    return planned


def _index(plan: Plan, tree: Call, operands: Operands) -> Node:
    return plan.folded(nodes.Index(operands[0], operands[1], tree.position), operands)


def _optional_member(plan: Plan, tree: Call, operands: Operands) -> Node:
    operand, name = operands[0], tree.args[1]
    if type(name) is not Literal or type(name.value) is not str:
        return nodes.Constant(Fault("no_such_overload", ("_?._",), tree.position), tree.position)
    return plan.folded(optionals.OptionalMember(operand, name.value, tree.position), (operand,))


def _optional_index(plan: Plan, tree: Call, operands: Operands) -> Node:
    return plan.folded(optionals.OptionalIndex(operands[0], operands[1], tree.position), operands)


def _not_strictly_false(plan: Plan, tree: Call, operands: Operands) -> Node:
    return logic.NotStrictlyFalse(operands[0], tree.position)


OPERATORS: dict[str, Operator] = {
    "_&&_": _and,
    "_||_": _or,
    "_?_:_": _conditional,
    "!_": _not,
    "_==_": _equality(False),
    "_!=_": _equality(True),
    **{name: _order(operator) for operator, name in enumerate(relations.ORDER_NAMES)},
    "@in": _in,
    "_+_": _add,
    "_-_": _arithmetic(numbers.SUBTRACT),
    "_*_": _arithmetic(numbers.MULTIPLY),
    "_/_": _arithmetic(numbers.DIVIDE),
    "_%_": _arithmetic(numbers.MODULO),
    "_[_]": _index,
    "_?._": _optional_member,
    "_[?_]": _optional_index,
    "@not_strictly_false": _not_strictly_false,
}


PLAN: dict[type[Expr], Callable[[Plan, Any, Scope], Node]] = {
    Literal: Plan.literal,
    Ident: Plan.ident,
    Select: Plan.select,
    Call: Plan.call,
    ListExpr: Plan.list,
    MapExpr: Plan.map,
    StructExpr: Plan.struct,
    Comprehension: loops.comprehension,
}


def plan(
    checked: Checked,
    declarations: Declarations,
    implementations: Implementations,
    layout: Layout,
    limits: Limits = DEFAULT,
    *,
    alone: bool = False,
) -> Node:
    """The program of a checked tree, reading through `layout`; `alone` if nothing else does."""
    planned = Plan(checked.references, declarations, implementations, layout, limits)
    planned.shared = not alone
    node = planned.node(checked.tree, {})
    if alone:
        planned.keep()
    return node


def plan_unchecked(
    tree: Expr,
    declarations: Declarations,
    implementations: Implementations,
    layout: Layout,
    limits: Limits = DEFAULT,
) -> Node:
    """The program of a tree that was only parsed: names that nothing declares are variables."""
    return Plan(None, declarations, implementations, layout, limits).node(tree, {})
