"""What evaluating an expression can cost, before it is evaluated: the least and the most.

Sizes are followed from the names that are read to the calls that go over them: where nothing says
how large a value is, it may be empty and it may be anything.

Laws: the most is never below what an evaluation counts (`costs.Counter`), if the values have the
types and sizes that are said of them; nor is the least above it, if moreover no part fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
from ..errors import ArgumentError, require
from .costs import UNBOUNDED, Cost, Model, Turn, kind_of, quarter, turn_of, written
from .loops import OPTIONAL_MAPS, body_of
from .macros import BLOCK, index_name
from .nesting import is_binding
from .observation import Observable
from .types import Kind, Type, is_optional

Sizes = Mapping[str, int | tuple[int, int]]
NOTHING = Cost(0, 0)
ONE = Cost(1, 1)
ANY_SIZE = Cost(0, UNBOUNDED)


def exactly(amount: int) -> Cost:
    return Cost(amount, amount)


def total(*costs: Cost) -> Cost:
    most = sum(each.most for each in costs)
    return Cost(sum(each.least for each in costs), min(most, UNBOUNDED))


def either(*costs: Cost) -> Cost:
    """What holds if one of these does."""
    return Cost(min(each.least for each in costs), max(each.most for each in costs))


def perhaps(cost: Cost) -> Cost:
    return either(cost, NOTHING)


def times(count: Cost, cost: Cost) -> Cost:
    return Cost(count.least * cost.least, min(count.most * cost.most, UNBOUNDED))


class Shape(NamedTuple):
    """What is known of a value: its size; its kind as `costs.kind_of` gives it, None if it may be
    any; the name that it is read by; and what it holds: elements, a map's values, an optional's."""

    size: Cost = ANY_SIZE
    kind: str | None = None
    path: str = ""
    items: Shape | None = None


UNKNOWN = Shape()
SCALAR = Shape(ONE, "")
Scope = dict[str, Shape]
Found = tuple[Cost, Shape]

KINDS = {Kind.STRING: "string", Kind.BYTES: "bytes", Kind.LIST: "list", Kind.MAP: "map"}
WITHOUT_PARTS = frozenset(
    {
        *(Kind.NULL, Kind.BOOL, Kind.INT, Kind.UINT, Kind.DOUBLE),
        *(Kind.TIMESTAMP, Kind.DURATION, Kind.TYPE),
    }
)


def union(first: Shape, second: Shape) -> Shape:
    """What holds of a value that has one of these shapes."""
    size = either(first.size, second.size)
    if first.kind != second.kind:
        return Shape(size)
    path = first.path if first.path == second.path else ""
    if first.items is None or second.items is None:
        return Shape(size, first.kind, path)
    return Shape(size, first.kind, path, union(first.items, second.items))


def optional_of(content: Shape) -> Shape:
    """The shape of an optional that holds this."""
    return Shape(ONE, "", "", content)


def _size(path: Any, size: Any) -> Cost:
    """A size that was given: the most, or the least and the most. Raises ArgumentError."""
    require("sizes", path, str, "names such as `task.tags`")
    if isinstance(size, int):
        return Cost(0, size)
    if isinstance(size, tuple) and len(size) == 2 and all(isinstance(end, int) for end in size):
        return Cost(*size)
    expected = "a whole number, or a pair of the least and the most"
    raise ArgumentError.of(f"sizes[`{path}`]", expected, size)


class Estimator:
    """One walk over one tree. A method takes a part and what names in it stand for, and gives what
    it costs and the shape of its value."""

    def __init__(self, observable: Observable, sizes: Sizes) -> None:
        self.model = Model(observable)
        self.tree = observable.tree
        self.sizes = {path: _size(path, size) for path, size in sizes.items()}

    def cost(self) -> Cost:
        """What the whole costs."""
        return self.part(self.tree, {})[0]

    def part(self, tree: Expr, scope: Scope) -> Found:
        cost, shape = VISIT[type(tree)](self, tree, scope)
        return cost, self.typed(tree, shape)

    def typed(self, tree: Expr, shape: Shape) -> Shape:
        """The shape, with what the checker knows."""
        type: Type | None = self.model.types.get(tree.id)
        if type is None:
            return shape
        if type.kind in WITHOUT_PARTS:
            return SCALAR
        if is_optional(type):
            return shape._replace(size=ONE, kind="")
        kind = None if type.nullable else KINDS.get(type.kind)
        return shape if kind is None or shape.kind is not None else shape._replace(kind=kind)

    def all_of(self, trees: list[Expr], scope: Scope) -> tuple[Cost, list[Shape]]:
        found = [self.part(tree, scope) for tree in trees]
        return total(*(cost for cost, _ in found)), [shape for _, shape in found]

    # -- names ------------------------------------------------------------------------------------

    def located(self, path: str) -> Shape:
        """What is read by a name."""
        return Shape(self.sizes.get(path, ANY_SIZE), None, path)

    def inside(self, shape: Shape, step: str) -> Shape:
        """What a value holds under a name, or of its elements, keys or values."""
        if shape.kind == "" and shape.items is not None:
            return optional_of(self.inside(shape.items, step))
        if shape.items is not None and step != "@keys":
            return shape.items
        return self.located(f"{shape.path}.{step}") if shape.path else UNKNOWN

    def element(self, shape: Shape) -> Shape:
        """An element of a list, or a value of a map."""
        if shape.kind == "" and shape.items is not None:
            return optional_of(self.element(shape.items))
        for kind, step in (("list", "@items"), ("map", "@values")):
            named = shape.kind is None and f"{shape.path}.{step}" in self.sizes
            if shape.kind == kind or named:
                return self.inside(shape, step)
        return UNKNOWN

    def literal(self, tree: Literal, scope: Scope) -> Found:
        return NOTHING, Shape(exactly(size_of(tree.value)), kind_of(tree.value))

    def ident(self, tree: Ident, scope: Scope) -> Found:
        found = scope.get(tree.name)
        cost = exactly(self.model.fixed(tree))
        return cost, self.located(tree.name.lstrip(".")) if found is None else found

    def select(self, tree: Select, scope: Scope) -> Found:
        own = exactly(self.model.fixed(tree))
        if tree.operand.id in self.model.shown:
            cost, shape = self.part(tree.operand, scope)
            found = SCALAR if tree.test_only else self.inside(shape, tree.field)
            return total(cost, own), found
        return own, self.located(written(tree).lstrip("."))

    # -- literals with parts ----------------------------------------------------------------------

    def list_literal(self, tree: ListExpr, scope: Scope) -> Found:
        shown = [part for part in tree.elements if part.id in self.model.shown]
        cost, shapes = self.all_of(shown, scope)
        if tree.optionals:
            size = Cost(len(shown) - len(tree.optionals), len(shown))
            return total(cost, exactly(self.model.fixed(tree))), Shape(size, "list")
        shape = Shape(exactly(len(shown)), "list", "", joined(shapes))
        return total(cost, exactly(self.model.fixed(tree))), shape

    def map_literal(self, tree: MapExpr, scope: Scope) -> Found:
        keys, _ = self.all_of([e.key for e in tree.entries if isinstance(e.key, Expr)], scope)
        values, shapes = self.all_of([entry.value for entry in tree.entries], scope)
        cost = total(keys, values, exactly(self.model.fixed(tree)))
        optional = sum(entry.optional for entry in tree.entries)
        size = Cost(len(tree.entries) - optional, len(tree.entries))
        return cost, Shape(size, "map", "", None if optional else joined(shapes))

    def struct(self, tree: StructExpr, scope: Scope) -> Found:
        entries: tuple[Entry, ...] = tree.entries
        parts = [entry.value for entry in entries if entry.value.id in self.model.shown]
        cost, _ = self.all_of(parts, scope)
        return total(cost, exactly(self.model.fixed(tree))), UNKNOWN

    # -- calls ------------------------------------------------------------------------------------

    def call(self, tree: Call, scope: Scope) -> Found:
        operands = self.model.operands(tree)
        if tree.function in ("_&&_", "_||_"):
            costs = [self.part(operand, scope)[0] for operand in operands]
            return total(costs[0], *map(perhaps, costs[1:])), UNKNOWN
        if tree.function == "_?_:_" and len(operands) == 3:
            (test, _), (cost, one), (other_cost, other) = (self.part(o, scope) for o in operands)
            return total(test, either(cost, other_cost)), union(one, other)
        if tree.function == BLOCK:
            return self.block(operands, scope)
        return self.function(tree, operands, scope)

    def function(self, tree: Call, operands: list[Expr], scope: Scope) -> Found:
        found = [self.part(operand, scope) for operand in operands]
        costs = [cost for cost, _ in found]
        shapes = [shape for _, shape in found]
        name = self.model.name(tree)
        result = self.typed(tree, self.result(tree, name, shapes))
        own = self.priced(tree, shapes, result)
        if self.model.is_lazy(tree):  # the second is evaluated only if the first is none
            costs[1] = perhaps(costs[1])
        return total(*costs, own), result

    def priced(self, tree: Call, shapes: list[Shape], result: Shape) -> Cost:
        """What a call costs, its arguments apart."""
        rules = self.model.rules(tree)
        sizes = [shape.size for shape in (*shapes, result)]
        least, most = [size.least for size in sizes], [size.most for size in sizes]
        kind = shapes[rules.argument].kind if rules.argument < len(shapes) else ""
        kinds = (*rules.rules, "") if kind is None else (kind,)
        return either(*(Cost(rules.cost(k, *least), rules.cost(k, *most)) for k in kinds))

    def result(self, tree: Call, name: str, shapes: list[Shape]) -> Shape:
        """The shape of what a function gives."""
        if name in READERS and shapes:
            return self.read(tree, name, shapes[0])
        if name == "dyn" and len(shapes) == 1:
            return shapes[0]
        if name in ("value", "orValue") and shapes:
            content = shapes[0].items or UNKNOWN
            return content if name == "value" else union(content, shapes[-1])
        if name in ("optional.of", "optional.ofNonZeroValue") and len(shapes) == 1:
            return optional_of(shapes[0])
        rule = RESULTS.get((name, len(shapes)))
        return UNKNOWN if rule is None else rule(*shapes)

    def read(self, tree: Call, name: str, shape: Shape) -> Shape:
        """What is read of a value: an optional of an optional, and where it is asked with `?`."""
        field = tree.args[-1] if tree.args else tree
        if name == "_?._" and isinstance(field, Literal):
            found = self.inside(shape, str(field.value))
        else:
            found = self.element(shape)
        is_optional = found.kind == "" and found.items is not None
        return found if name == "_[_]" or is_optional else optional_of(found)

    # -- names for values -------------------------------------------------------------------------

    def block(self, operands: list[Expr], scope: Scope) -> Found:
        inner = dict(scope)
        costs = []
        for number, part in enumerate(operands[:-1]):
            cost, inner[index_name(number)] = self.part(part, inner)
            costs.append(perhaps(cost))
        cost, shape = self.part(operands[-1], inner) if operands else (NOTHING, UNKNOWN)
        return total(*costs, cost), shape

    def binding(self, tree: Comprehension, scope: Scope) -> Found:
        """A value, computed where it is read first, if anywhere; and what it is read in."""
        own = exactly(self.model.once(tree))
        cost, shape = self.part(tree.accu_init, scope)
        if tree.macro in OPTIONAL_MAPS:
            result: Any = tree.result
            inner = result.args[1] if tree.macro == "optFlatMap" else result.args[1].args[0]
            named = {**scope, inner.accu_var: shape.items or UNKNOWN}
            inside, found = self.part(inner.result, named)
            held = found.items if tree.macro == "optFlatMap" else found
            return total(own, cost, perhaps(inside)), optional_of(held or UNKNOWN)
        inside, found = self.part(tree.result, {**scope, tree.accu_var: shape})
        return total(own, perhaps(cost), inside), found

    # -- loops ------------------------------------------------------------------------------------

    def comprehension(self, tree: Comprehension, scope: Scope) -> Found:
        if is_binding(tree):
            return self.binding(tree, scope)
        cost, source = self.part(tree.iter_range, scope)
        inner = {**scope, **self.variables(tree, source)}
        turn = turn_of(tree)
        if turn is None:
            return self.fold(tree, cost, source, scope, inner)
        turns = source.size
        if turn.stops:
            turns = Cost(min(1, turns.least), turns.most)
        each, shape = self.turn(tree, turn, inner)
        every = total(cost, exactly(turn.once), times(turns, each))
        return every, self.made(tree, source, shape)

    def variables(self, tree: Comprehension, source: Shape) -> Scope:
        """What a loop's variables stand for."""
        first = self.inside(source, "@keys") if source.kind == "map" else self.element(source)
        if source.kind == "map" and source.items is not None:
            first = UNKNOWN  # of a map that is written, only the values are known
        if source.kind is None and f"{source.path}.@keys" in self.sizes:
            first = self.inside(source, "@keys")
        if not tree.iter_var2:
            return {tree.iter_var: first}
        second = self.element(source)
        if source.kind == "list":
            first = SCALAR
        return {tree.iter_var: first, tree.iter_var2: second}

    def turn(self, tree: Comprehension, turn: Turn, inner: Scope) -> Found:
        """What each turn of a macro's loop costs, and what it makes."""
        predicate, result = body_of(tree)
        test = NOTHING if predicate is None else self.part(predicate, inner)[0]
        made, shape = (NOTHING, UNKNOWN) if result is None else self.part(result, inner)
        if predicate is None:
            return total(exactly(turn.chosen), made), shape
        chosen = total(exactly(turn.chosen), made)
        return total(test, either(chosen, exactly(turn.passed))), shape

    def made(self, tree: Comprehension, source: Shape, shape: Shape) -> Shape:
        """The shape of what a macro's loop makes."""
        predicate, result = body_of(tree)
        size = perhaps(source.size) if predicate is not None else source.size
        if tree.macro == "filter":
            return Shape(size, "list", "", self.variables(tree, source)[tree.iter_var])
        if tree.macro in ("map", "transformList"):
            return Shape(size, "list", "", shape)
        if tree.macro == "transformMap":
            return Shape(size, "map", "", shape)
        return UNKNOWN if result is not None else SCALAR

    def fold(
        self, tree: Comprehension, cost: Cost, source: Shape, scope: Scope, inner: Scope
    ) -> Found:
        """Any comprehension. Its condition is looked at once more where it ends it."""
        initial, _ = self.part(tree.accu_init, scope)
        named = {**inner, tree.accu_var: UNKNOWN}
        condition, _ = self.part(tree.loop_condition, named)
        step, _ = self.part(tree.loop_step, named)
        result, shape = self.part(tree.result, {**scope, tree.accu_var: UNKNOWN})
        turns = Cost(0, source.size.most)
        return total(cost, initial, times(turns, total(condition, step)), result), shape


def joined(shapes: list[Shape]) -> Shape:
    """What holds of each of these."""
    found = shapes[0] if shapes else UNKNOWN
    for shape in shapes[1:]:
        found = union(found, shape)
    return found


# -- what functions give --------------------------------------------------------------------------


def _sum(first: Shape, second: Shape) -> Shape:
    size = total(first.size, second.size)
    if first.kind is None or second.kind is None:
        return Shape(either(size, ONE))
    if first.items is None or second.items is None:
        return Shape(size, first.kind)
    return Shape(size, first.kind, "", union(first.items, second.items))


def _string(shape: Shape) -> Shape:
    if shape.kind == "":
        return Shape(Cost(1, 40), "string")
    # A character is 4 bytes at most.
    size = Cost(quarter(shape.size.least), shape.size.most)
    return Shape(either(size, Cost(1, 40)) if shape.kind is None else size, "string")


def _bytes(shape: Shape) -> Shape:
    return Shape(Cost(shape.size.least, min(4 * shape.size.most, UNBOUNDED)), "bytes")


def _as_large(shape: Shape, *_: Shape) -> Shape:
    return shape._replace(path="")


def _part_of(shape: Shape, *_: Shape) -> Shape:
    return shape._replace(size=perhaps(shape.size), path="")


READERS = ("_[_]", "_?._", "_[?_]", "first", "last")
RESULTS: dict[tuple[str, int], Callable[..., Shape]] = {
    ("_+_", 2): _sum,
    ("string", 1): _string,
    ("bytes", 1): _bytes,
    **dict.fromkeys([("lowerAscii", 1), ("upperAscii", 1), ("reverse", 1), ("sort", 1)], _as_large),
    **dict.fromkeys([("trim", 1), ("substring", 2), ("substring", 3), ("charAt", 2)], _part_of),
    **dict.fromkeys([("slice", 3), ("distinct", 1)], _part_of),
}

VISIT: dict[type[Expr], Callable[[Estimator, Any, Scope], Found]] = {
    Literal: Estimator.literal,
    Ident: Estimator.ident,
    Select: Estimator.select,
    Call: Estimator.call,
    ListExpr: Estimator.list_literal,
    MapExpr: Estimator.map_literal,
    StructExpr: Estimator.struct,
    Comprehension: Estimator.comprehension,
}
