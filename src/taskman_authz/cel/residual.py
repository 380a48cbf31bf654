"""What remains of an expression where some attributes are known: an expression over the others.

What is known becomes a literal (`timestamp('…')`, `optional.of(…)` where there is none), a decided
operand or branch is gone, a name for what is known gives way to it. Loops stay loops.

Laws: over the attributes that were not known, a residual gives what the expression gives over all
of them, and fails where that fails; a part that fails already stays, with what is known of it; a
value that cannot be written (an object of the caller's) is left as the attribute that it is read
from. What is reduced is the tree as it was written, macros as their calls, and each part's value
is that of `partial`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from .._fast import nodes
from .._fast.access import adapt
from .._fast.activation import Activation, extent
from .._fast.partial import UNKNOWN, Incomplete
from .._fast.times import Duration, Timestamp, duration_text, timestamp_text
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
from .._fast.values import CelType, Fault, MixedMap, OptionalValue, UInt
from .attributes import AttributePattern
from .decls import Declarations
from .expression import Expression
from .layout import Layout
from .loops import Scope
from .macros import BLOCK, index_name
from .parser import Parsed
from .partial import JUNCTIONS, Partial
from .planner import Plan
from .source import Source
from .types import BOOL, Kind
from .unparser import unparse, without_text

LITERAL_DEPTH = 32  # levels of lists and maps in a literal: an expression's depth is bounded too
COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "!_", *JUNCTIONS})
QUANTIFIERS = frozenset({"all", "exists", "exists_one", "existsOne"})


def residual_text(
    expression: Expression, variables: Any, patterns: Iterable[AttributePattern]
) -> str:
    """The text of what remains over `variables` (as the core has them)."""
    reduction = Reduction(expression, variables, tuple(patterns))
    tree = reduction.reduce(expression.parsed.expr, Frame({}, {}))
    return unparse(Parsed(tree, Source(""), {}))


class Frame(msgspec.Struct):
    """Where a part stands: the nodes that names stand for, and the values of parts (by id) that
    were evaluated there."""

    scope: Scope
    values: dict[int, Any]

    def within(self, names: dict[str, Any]) -> Frame:
        """The frame in which names stand for values besides."""
        made = {name: nodes.Constant(value, -1) for name, value in names.items()}
        return Frame({**self.scope, **made}, {})


class Reduction:
    """Reduces the parts of an expression."""

    def __init__(
        self, expression: Expression, variables: Any, patterns: tuple[AttributePattern, ...]
    ) -> None:
        self.expression = expression
        self.variables = variables
        self.patterns = patterns
        self.macro_calls = expression.parsed.macro_calls
        # For the parts of literals; what finds none is left as it was written.
        self.room = Activation(0, 0, 0, expression.limits.expression_nodes)
        self.names = Plan(
            expression.references,
            expression.declarations,
            expression.implementations,
            Layout(),
            expression.limits,
        )

    def value(self, tree: Expr, frame: Frame) -> Any:
        """The value of a part, which may be known in part; or a Fault."""
        if type(tree) is Literal:
            return tree.value
        if tree.id not in frame.values:

            def observer(id: int, value: Any) -> Any:
                frame.values[id] = value
                return value

            planned = Partial(self.expression, tree, frame.scope, watched=True)
            planned.value(self.variables, self.patterns, observer)
        return frame.values[tree.id]

    def reduce(self, tree: Expr, frame: Frame, boolean: bool = False) -> Expr:
        """What remains of a part; `boolean` where a value that is no bool is an error anyway."""
        if type(tree) is Literal:
            return tree
        value = self.value(tree, frame)
        if type(value) is not Fault and not isinstance(value, Incomplete):
            literal = written(value, self.expression.declarations, self.room)
            if literal is not None:
                return literal
        called = self.macro_calls.get(tree.id)
        if called is not None and type(tree) is not Select:  # of `has`, the tree is written too
            return self.macro(tree, called, frame, boolean)
        if type(tree) is Call:
            return self.call(tree, frame, boolean)
        if type(tree) is Comprehension:
            raise without_text()
        return KINDS[type(tree)](self, tree, frame)

    def each(self, trees: Iterable[Expr], frame: Frame) -> tuple[Expr, ...]:
        return tuple(self.reduce(tree, frame) for tree in trees)

    # -- kinds ------------------------------------------------------------------------------------

    def ident(self, tree: Ident, frame: Frame) -> Expr:
        return tree

    def select(self, tree: Select, frame: Frame) -> Expr:
        root = tree.operand
        while type(root) is Select and not root.test_only:
            root = root.operand
        if type(root) is Ident and root.name not in frame.scope:
            return tree  # an attribute
        operand = self.reduce(tree.operand, frame)
        return Select(tree.id, tree.position, operand, tree.field, tree.test_only)

    def list(self, tree: ListExpr, frame: Frame) -> Expr:
        elements = self.each(tree.elements, frame)
        return ListExpr(tree.id, tree.position, elements, tree.optionals)

    def map(self, tree: MapExpr, frame: Frame) -> Expr:
        return MapExpr(tree.id, tree.position, self.entries(tree.entries, frame))

    def struct(self, tree: StructExpr, frame: Frame) -> Expr:
        entries = self.entries(tree.entries, frame)
        return StructExpr(tree.id, tree.position, tree.type_name, entries)

    def entries(self, given: Iterable[Entry], frame: Frame) -> tuple[Entry, ...]:
        made = []
        for one in given:
            key = one.key if isinstance(one.key, str) else self.reduce(one.key, frame)
            value = self.reduce(one.value, frame)
            made.append(Entry(one.id, one.position, key, value, one.optional))
        return tuple(made)

    def comprehension(self, tree: Comprehension, frame: Frame) -> Expr:
        raise without_text()

    # -- calls ------------------------------------------------------------------------------------

    def call(self, tree: Call, frame: Frame, boolean: bool) -> Expr:
        if tree.function in JUNCTIONS:
            return self.junction(tree, frame, boolean)
        if tree.function == "_?_:_":
            return self.conditional(tree, frame, boolean)
        if tree.function == "!_":
            return call("!_", self.reduce(tree.args[0], frame, True))
        _, target = self.names.function(tree)
        reduced = tree.target if target is None else self.reduce(target, frame)
        return call(tree.function, *self.each(tree.args, frame), target=reduced)

    def conditional(self, tree: Call, frame: Frame, boolean: bool) -> Expr:
        condition, chosen, other = tree.args
        decided = (
            self.value(condition, frame) if type(condition) is not Literal else condition.value
        )
        if decided is True:
            return self.reduce(chosen, frame, boolean)
        if decided is False:
            return self.reduce(other, frame, boolean)
        branches = self.reduce(chosen, frame, boolean), self.reduce(other, frame, boolean)
        return call("_?_:_", self.reduce(condition, frame, True), *branches)

    def junction(self, tree: Call, frame: Frame, boolean: bool) -> Expr:
        """`a && b && …`, `a || b || …`, without the operands that change nothing."""
        neutral = not JUNCTIONS[tree.function]
        left: list[tuple[Expr, Expr]] = []
        for operand in self.operands(tree, tree.function):
            reduced = self.reduce(operand, frame, True)
            if type(reduced) is not Literal or reduced.value is not neutral:
                left.append((operand, reduced))
        terms = [reduced for _, reduced in left]
        if len(terms) == 1 and not boolean and not self.is_bool(left[0][0]):
            terms.insert(0, Literal(0, -1, neutral))  # or what is no bool would be a value
        return joined(tree.function, terms)

    def operands(self, tree: Expr, function: str) -> Iterator[Expr]:
        """The operands of a junction, those of junctions in it in their place."""
        if type(tree) is Call and tree.function == function and tree.id not in self.macro_calls:
            for operand in tree.args:
                yield from self.operands(operand, function)
        else:
            yield tree

    def is_bool(self, tree: Expr) -> bool:
        """Whether a part is surely a bool, or an error."""
        checked = self.expression.checked
        if checked is not None and checked.types.get(tree.id) == BOOL:
            return True
        if type(tree) is Call:
            return tree.function in COMPARISONS
        if type(tree) is Comprehension:
            return tree.macro in QUANTIFIERS
        return type(tree) is Select and tree.test_only

    # -- macros -----------------------------------------------------------------------------------

    def macro(self, tree: Expr, called: Call, frame: Frame, boolean: bool) -> Expr:
        if type(tree) is Comprehension:
            if tree.accu_init in called.args:
                return self.bind(called, frame, boolean)
            return self.loop(tree, called, frame)
        if type(tree) is Call and tree.function == BLOCK:
            return self.block(tree, frame, boolean)
        parts = set(within(tree))
        args = [self.reduce(arg, frame) if arg in parts else arg for arg in called.args]
        target = called.target
        if target in parts:
            target = self.reduce(target, frame)
        return call(called.function, *args, target=target)

    def loop(self, tree: Comprehension, called: Call, frame: Frame) -> Expr:
        """`range.macro(x, …)`: its range, and what it does in a turn, of which x is not known."""
        assert called.target is not None
        count = 2 if tree.iter_var2 else 1
        names, bodies = called.args[:count], called.args[count:]
        variables = [name.name for name in names if isinstance(name, Ident)]
        inner = frame.within({name: Fault(UNKNOWN, (name,)) for name in variables})
        predicate = tree.macro in QUANTIFIERS or tree.macro == "filter" or len(bodies) == 2
        made = [
            self.reduce(body, inner, predicate and number == 0)
            for number, body in enumerate(bodies)
        ]
        shown = [self.macro_calls.get(name.id, name) for name in names]
        return call(called.function, *shown, *made, target=self.reduce(called.target, frame))

    def bind(self, called: Call, frame: Frame, boolean: bool) -> Expr:
        """`cel.bind(x, value, result)`"""
        name, bound, result = called.args
        assert isinstance(name, Ident)
        value = self.value(bound, frame)
        reduced = self.reduce(result, frame.within({name.name: value}), boolean)
        if not any(type(part) is Ident and part.name == name.name for part in within(reduced)):
            return reduced
        return call("bind", name, self.reduce(bound, frame), reduced, target=called.target)

    def block(self, tree: Call, frame: Frame, boolean: bool) -> Expr:
        """`cel.block([a, b, …], result)`"""
        parts, result = tree.args
        assert isinstance(parts, ListExpr)
        inner = frame
        reduced = []
        for number, part in enumerate(parts.elements):
            value = self.value(part, inner)
            reduced.append(self.reduce(part, inner))
            inner = inner.within({index_name(number): value})
        left = self.reduce(result, inner, boolean)
        if not any(type(part) is Call and part.function == "index" for part in within(left)):
            return left
        return call("block", ListExpr(0, -1, tuple(reduced)), left, target=Ident(0, -1, "cel"))


KINDS: dict[type[Expr], Callable[[Reduction, Any, Frame], Expr]] = {
    Ident: Reduction.ident,
    Select: Reduction.select,
    ListExpr: Reduction.list,
    MapExpr: Reduction.map,
    StructExpr: Reduction.struct,
    Comprehension: Reduction.comprehension,
}


# -- trees ----------------------------------------------------------------------------------------


def call(function: str, *args: Expr, target: Expr | None = None) -> Call:
    return Call(0, -1, function, target, args)


def joined(function: str, terms: list[Expr]) -> Expr:
    """A chain as the parser reads one: balanced, the greater half on the left."""
    if len(terms) == 1:
        return terms[0]
    half = (len(terms) + 1) // 2
    return call(function, joined(function, terms[:half]), joined(function, terms[half:]))


def children(tree: Expr) -> Iterator[Expr]:
    """The parts of a part that it evaluates itself: of a loop its range, of a name for a value
    that value."""
    if type(tree) is Select:
        yield tree.operand
    elif type(tree) is Call:
        yield from tree.args if tree.target is None else (tree.target, *tree.args)
    elif type(tree) is ListExpr:
        yield from tree.elements
    elif type(tree) is Comprehension:
        yield from (tree.iter_range, tree.accu_init)
    elif type(tree) is MapExpr or type(tree) is StructExpr:
        for entry in tree.entries:
            if isinstance(entry.key, Expr):
                yield entry.key
            yield entry.value


def within(tree: Expr) -> Iterator[Expr]:
    """A part and all parts of it."""
    yield tree
    for child in children(tree):
        yield from within(child)


# -- literals -------------------------------------------------------------------------------------

PLAIN = frozenset({type(None), bool, int, UInt, float, bytes})
KEYS = frozenset({bool, int, UInt, str})


def written(
    value: Any, declarations: Declarations, room: Activation, depth: int = LITERAL_DEPTH
) -> Expr | None:
    """An expression that has this value (of the core); None where there is none, or no `room` for
    one: a value that shares its parts has more of them than memory."""
    kind = type(value)
    if kind in PLAIN or (kind is str and writable(value)):
        return Literal(0, -1, value)
    if kind is Timestamp:
        return call("timestamp", Literal(0, -1, timestamp_text(value)))
    if kind is Duration:
        return call("duration", Literal(0, -1, duration_text(value)))
    if kind is CelType:
        found = declarations.find_ident(value.name)
        return Ident(0, -1, value.name) if found and found.type.kind is Kind.TYPE else None
    if depth <= 0 or kind is str or kind is Fault or not room.pay(1 + extent(value)):
        return None
    if kind is list or kind is tuple:
        elements = []
        for member in value:
            element = written(adapt(member), declarations, room, depth - 1)
            if element is None:
                return None
            elements.append(element)
        return ListExpr(0, -1, tuple(elements))
    if kind is OptionalValue:
        return written_optional(value, declarations, room, depth)
    return written_map(value, declarations, room, depth) if kind in (dict, MixedMap) else None


def writable(text: str) -> bool:
    """Whether a literal can hold a text: a half of a pair of surrogates is no character."""
    return text.isascii() or not any(0xD800 <= ord(char) < 0xE000 for char in text)


def written_optional(
    value: OptionalValue, declarations: Declarations, room: Activation, depth: int
) -> Expr | None:
    optional = Ident(0, -1, "optional")
    if not value.present:
        return call("none", target=optional)
    content = written(value.content, declarations, room, depth - 1)
    return None if content is None else call("of", content, target=optional)


def written_map(
    value: Any, declarations: Declarations, room: Activation, depth: int
) -> Expr | None:
    made = []
    for key, member in value.items():
        held = written(adapt(member), declarations, room, depth - 1)
        if type(key) not in KEYS or held is None:
            return None
        made.append(Entry(0, -1, Literal(0, -1, key), held))
    return MapExpr(0, -1, tuple(made))
