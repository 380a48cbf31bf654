"""Why an expression has the value that it has: every part of it as it was written, with what that
came to.

Laws: a part that was not evaluated says so and shows nothing below it; literals, and names that the
expression itself gives, are no parts of their own: what a name stands for is shown where it is
given. Of a loop the first turns and the last are kept, which for `exists` and `all` is the one
that decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .._fast.access import adapt, index, is_map, keys
from .._fast.activation import Activation
from .._fast.tree import (
    Call,
    Comprehension,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
    StructExpr,
)
from .._fast.values import Fault
from ..errors import EvaluationError
from .expression import Expression
from .macros import BLOCK, index_name
from .observation import Observable
from .outcome import evaluation_error, plain
from .source import Source
from .unparser import APPLIED, MEMBER, Unparser, Walk


class Explanation(msgspec.Struct, frozen=True):
    """A part of an expression: its `text`, the place of it (`position`, an offset in code points;
    `line` and `column`, from 1), and what it came to: its `value` as plain Python, or its `error`;
    neither if it was not `evaluated`. `parts` are the parts that it is made of, `turns` those of a
    loop, of which there were `turn_count`; `name` is what the expression calls it, or "".
    """

    text: str
    position: int
    line: int
    column: int
    evaluated: bool
    value: Any = None
    error: EvaluationError | None = None
    parts: tuple[Explanation, ...] = ()
    turns: tuple[Turn, ...] = ()
    turn_count: int = 0
    name: str = ""

    @property
    def origin(self) -> Explanation:
        """The part where its error came about; itself, where it has none."""
        below = [*self.parts, *(inner for turn in self.turns for inner in turn.parts)]
        for inner in below:
            if self.error is not None and inner.error is not None:
                if _at(self.error) == _at(inner.error):
                    return inner.origin
        return self


def _at(error: EvaluationError) -> tuple[str, int]:
    return error.code, error.position


class Turn(msgspec.Struct, frozen=True):
    """A turn of a loop: its `number`, from 1, what the loop's variables were, and the parts."""

    number: int
    variables: dict[str, Any]
    parts: tuple[Explanation, ...]


def explain(expression: Expression, source: Source, variables: Any) -> Explanation:
    """What every part came to over `variables` (as the core has them)."""
    explainer, seen = watched(expression, source, variables)
    return explainer.part(expression.parsed.expr, seen)


def watched(expression: Expression, source: Source, variables: Any) -> tuple[Explainer, Seen]:
    """What was seen of an evaluation over `variables`, and who explains parts of it."""
    parsed, checked, declarations, implementations, limits = expression
    record = Record(parsed.expr, limits.explained_turns)
    observable = Observable(parsed.expr, checked, declarations, implementations, limits)
    observable.value(variables, record.observe)
    meter = Activation(0, 0, 0, limits.evaluation_steps)
    return Explainer(parsed.macro_calls, record, source, meter), record.seen


# -- recording ------------------------------------------------------------------------------------

Seen = dict[int, Any]  # the values of parts by their ids; under -id, the turns of a loop


class Turns:
    """What was seen in the turns of a loop, while it goes on. Every turn begins with the same part:
    evaluation begins at one place."""

    __slots__ = ("begins", "count", "kept", "limit")

    def __init__(self, limit: int, begins: int) -> None:
        self.limit = limit
        self.begins = begins
        self.count = 0
        self.kept: list[tuple[int, Seen]] = []

    def see(self, id: int, value: Any) -> Seen:
        """Record a part, and give the turn that it belongs to."""
        if id == self.begins:
            self.count += 1
            if len(self.kept) == self.limit:
                self.kept.pop()
            self.kept.append((self.count, {}))
        seen = self.kept[-1][1]
        seen[id] = value
        return seen


class Record:
    """What is seen of an evaluation; of every loop so many turns as the limit says."""

    def __init__(self, tree: Expr, limit: int) -> None:
        self.limit = limit
        self.seen: Seen = {}
        self.running: dict[int, Turns] = {}
        self.loops: dict[int, Comprehension] = {}
        self.owners: dict[int, int] = {}  # the loop in whose turns a part is evaluated, or 0
        self.own(tree, 0)

    def own(self, tree: Expr, loop: int) -> None:
        self.owners[tree.id] = loop
        if isinstance(tree, Comprehension) and not names_only(tree):
            self.loops[tree.id] = tree
            self.own(tree.iter_range, loop)
            self.own(tree.accu_init, loop)
            for part in (tree.loop_condition, tree.loop_step, tree.result):
                self.own(part, tree.id)
        else:
            for part in children(tree):
                self.own(part, loop)

    def observe(self, id: int, value: Any) -> Any:
        owner = self.owners[id]
        if owner == 0:
            seen = self.seen
            seen[id] = value
        else:
            turns = self.running.get(owner)
            if turns is None:
                turns = self.running[owner] = Turns(self.limit, id)
            seen = turns.see(id, value)
        if id in self.running:
            seen[-id] = self.running.pop(id)
        return value


def names_only(tree: Comprehension) -> bool:
    """Whether a comprehension has no turns, and only gives a name to a value."""
    return type(tree.iter_range) is ListExpr and not tree.iter_range.elements


def children(tree: Expr) -> Iterator[Expr]:
    """The parts of a part."""
    if isinstance(tree, Select):
        yield tree.operand
    elif isinstance(tree, Call):
        yield from tree.args if tree.target is None else (tree.target, *tree.args)
    elif isinstance(tree, ListExpr):
        yield from tree.elements
    elif isinstance(tree, (MapExpr, StructExpr)):
        for entry in tree.entries:
            if isinstance(entry.key, Expr):
                yield entry.key
            yield entry.value
    elif isinstance(tree, Comprehension):
        yield from (tree.iter_range, tree.accu_init, tree.loop_condition, tree.loop_step)
        yield tree.result


def operands(tree: Expr, function: str) -> Iterator[Expr]:
    """The operands of a junction, those of the same junction in it in their place."""
    if isinstance(tree, Call) and tree.function == function:
        for operand in tree.args:
            yield from operands(operand, function)
    else:
        yield tree


# -- explaining -----------------------------------------------------------------------------------

Names = frozenset[str]  # that the expression itself gives
NONE: Names = frozenset()
Given = tuple[Expr, str, Names]  # a part, what it is called, and the names that it may read


class Writer(Unparser):
    """As the unparser, and a loop of which a tree (`cel.protobuf`) told no macro in all its parts;
    nothing reads that."""

    def comprehension(self, expr: Comprehension) -> Walk:
        names = ", ".join(filter(None, (expr.iter_var, expr.iter_var2)))
        texts = yield from self.each(children(expr))
        source, begin, *rest = texts
        parts = (names, source, expr.accu_var, begin, *rest)
        return f"__comprehension__({', '.join(parts)})", MEMBER


class Explainer:
    """Parts, as they were written, with what was seen of them."""

    def __init__(
        self, macro_calls: Mapping[int, Call], record: Record, source: Source, meter: Activation
    ) -> None:
        self.meter = meter  # pays for all values that are shown
        self.macro_calls = macro_calls
        self.record = record
        self.source = source
        self.unparser = Writer(macro_calls)

    def part(
        self, tree: Expr, seen: Seen, names: Names = frozenset(), name: str = ""
    ) -> Explanation:
        text = self.unparser.text(tree)
        place = self.source.place(tree.position)
        at = text, tree.position, place.line, place.column
        if tree.id not in seen:
            return Explanation(*at, False, name=name)
        value = seen[tree.id]
        found = self.plain(value)
        error = found if type(found) is EvaluationError else None
        parts = tuple(
            self.part(part, seen, inner, called)
            for part, called, inner in self.parts(tree, names)
            if part.id in seen or not is_target(tree, part)
        )
        loop = self.loop_of(tree)
        turns = None if loop is None else seen.get(-loop.id)
        shown = () if loop is None or turns is None else tuple(self.turns(tree, loop, seen, names))
        count = 0 if turns is None else turns.count
        return Explanation(*at, True, None if error else found, error, parts, shown, count, name)

    # -- parts ------------------------------------------------------------------------------------

    def parts(self, tree: Expr, names: Names) -> Iterator[Given]:
        """The parts of a part that are worth showing."""
        called = self.macro_calls.get(tree.id)
        if isinstance(tree, Comprehension) and called and tree.accu_init in called.args:
            yield tree.accu_init, tree.accu_var, names
            yield from shown(tree.result, names | {tree.accu_var})
        elif isinstance(tree, Call) and tree.function == BLOCK:
            *parts, result = (*children(tree.args[0]), tree.args[1])
            for number, part in enumerate(parts):
                yield part, f"cel.index({number})", names
                names |= {index_name(number)}
            yield from shown(result, names)
        elif isinstance(tree, Call) and tree.function in ("_&&_", "_||_"):
            for operand in operands(tree, tree.function):
                yield from shown(operand, names)
        elif not is_attribute(tree):
            owner = self.record.owners[tree.id]
            inner = names | variables(tree, called)
            for part in children(called or tree):
                if self.record.owners.get(part.id) == owner:
                    yield from shown(part, inner)

    # -- loops ------------------------------------------------------------------------------------

    def loop_of(self, tree: Expr) -> Comprehension | None:
        """The loop that a part is, or that its macro is written as."""
        called = self.macro_calls.get(tree.id)
        if called is None or not isinstance(tree, Comprehension):
            return None
        if tree.id in self.record.loops:
            return tree
        owners = [self.record.owners.get(part.id, 0) for part in called.args]
        inside = [owner for owner in owners if owner not in (0, self.record.owners[tree.id])]
        return self.record.loops[inside[-1]] if inside else None

    def turns(self, tree: Expr, loop: Comprehension, seen: Seen, names: Names) -> Iterator[Turn]:
        bodies = [
            part
            for part in self.macro_calls[tree.id].args
            if self.record.owners.get(part.id) == loop.id
        ]
        source = seen[loop.iter_range.id]
        members = keys(source) if is_map(source) else source
        inner = names | {loop.iter_var, loop.iter_var2}
        for number, turn in seen[-loop.id].kept:
            parts = [one for body in bodies for one in shown(body, inner)]
            variables = self.values(loop, source, members, number - 1)
            yield Turn(
                number, variables, tuple(self.part(part, turn, inner) for part, _, _ in parts)
            )

    def values(self, loop: Comprehension, source: Any, members: Any, place: int) -> dict[str, Any]:
        """What a loop's variables are in a turn."""
        member = adapt(members[place])
        if not loop.iter_var2:
            return {loop.iter_var: self.plain(member)}
        pair = (member, index(source, member)) if is_map(source) else (place, member)
        return dict(zip((loop.iter_var, loop.iter_var2), map(self.plain, pair), strict=True))

    def plain(self, value: Any) -> Any:
        """A value as plain Python, or the error that there is instead."""
        found = value if type(value) is Fault else plain(value, meter=self.meter)
        return evaluation_error(found, self.source) if type(found) is Fault else found


def variables(tree: Expr, called: Call | None) -> Names:
    """The variables of a macro that became a comprehension: what its call begins with."""
    if called is None or not isinstance(tree, Comprehension):
        return NONE
    first = called.args[: 2 if tree.iter_var2 else 1]
    return frozenset(name.name for name in first if isinstance(name, Ident))


def is_target(tree: Expr, part: Expr) -> bool:
    """Whether a part is a call's target: where it is no value, it begins the function's name."""
    return isinstance(tree, Call) and part is tree.target


def shown(tree: Expr, names: Names) -> Iterator[Given]:
    """A part, unless it says nothing: a literal, or a name that the expression gives."""
    if not is_literal(tree) and not (isinstance(tree, Ident) and tree.name in names):
        yield tree, "", names


def is_literal(tree: Expr) -> bool:
    """Whether a part is a literal, or a list, a map or a time that literals write."""
    is_time = isinstance(tree, Call) and tree.function in ("timestamp", "duration")
    if is_time or isinstance(tree, (ListExpr, MapExpr)):
        return all(map(is_literal, children(tree)))
    return isinstance(tree, Literal)


def is_attribute(tree: Expr) -> bool:
    """Whether a part is a name, or a member or element of one that is written out; or asks whether
    there is one."""
    while True:
        if isinstance(tree, Select):
            tree = tree.operand
        elif isinstance(tree, Call) and tree.function in APPLIED and is_literal(tree.args[1]):
            tree = tree.args[0]
        else:
            return isinstance(tree, Ident)
