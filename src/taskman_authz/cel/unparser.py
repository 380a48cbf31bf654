"""Tree to text: what the parser reads back as the same tree, with no parentheses that it does not
need, macros as they were called, and lines of a given width where one is asked for.

Law: `parse(unparse(parsed))` is `parsed`, places in the text aside. No frame of Python is spent on
a level of the tree: a method is a generator that yields the nodes whose documents it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeGuard

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
from .linebreaks import LINE, SOFT, Doc, Group, render
from .literals import field_text, literal_text
from .parser import Parsed

# How tightly a text holds together, from a ternary to what a member can be selected of.
TERNARY, OR, AND, RELATION, SUM, PRODUCT, UNARY, MEMBER = range(8)

BINARY = {
    "_||_": ("||", OR), "_&&_": ("&&", AND),
    "_==_": ("==", RELATION), "_!=_": ("!=", RELATION), "_<_": ("<", RELATION),
    "_<=_": ("<=", RELATION), "_>_": (">", RELATION), "_>=_": (">=", RELATION),
    "@in": ("in", RELATION),
    "_+_": ("+", SUM), "_-_": ("-", SUM),
    "_*_": ("*", PRODUCT), "_/_": ("/", PRODUCT), "_%_": ("%", PRODUCT),
}  # fmt: skip
UNARIES = {"!_": "!", "-_": "-"}
APPLIED = ("_[_]", "_[?_]", "_?._")  # to their first argument

# Yields a node and the least tightness that its document must have, is sent that document, and
# returns a document with its tightness.
Walk: TypeAlias = Generator[tuple[Expr, int], Doc, tuple[Doc, int]]


def unparse(parsed: Parsed, width: int = 0) -> str:
    """The text of a tree. With a `width`, lines are broken where they would be longer, as far as
    there is a place to break them. Raises ValueError for a comprehension that no macro wrote."""
    return render(Unparser(parsed.macro_calls).document(parsed.expr), width)


class Unparser:
    """Nodes to documents."""

    def __init__(self, macro_calls: Mapping[int, Call]) -> None:
        self.macro_calls = macro_calls
        self.kinds: dict[type, Callable[[Any], Walk]] = {
            Literal: self.literal,
            Ident: self.ident,
            Select: self.select,
            Call: self.call,
            ListExpr: self.list_literal,
            MapExpr: self.map_literal,
            StructExpr: self.message,
            Comprehension: self.comprehension,
        }

    def document(self, expr: Expr) -> Doc:
        """The document of a whole tree."""
        walks = [(self.walk(expr), TERNARY)]
        doc: Doc = ""
        begun = False
        while walks:
            walk, least = walks[-1]
            try:
                child, child_least = walk.send(doc) if begun else next(walk)
            except StopIteration as done:
                doc, tightness = done.value
                doc = doc if tightness >= least else Group(["(", doc, ")"])
                walks.pop()
                begun = True
            else:
                walks.append((self.walk(child), child_least))
                begun = False
        return doc

    def walk(self, expr: Expr) -> Walk:
        written = self.macro_calls.get(expr.id)
        return self.plain_call(written) if written else self.kinds[type(expr)](expr)

    # -- kinds ---------------------------------------------------------------------------------

    def literal(self, expr: Literal) -> Walk:
        yield from ()
        return literal_text(expr.value), MEMBER

    def ident(self, expr: Ident) -> Walk:
        yield from ()
        return expr.name, MEMBER

    def select(self, expr: Select) -> Walk:
        doc: Doc = [(yield expr.operand, MEMBER), ".", field_text(expr.field)]
        return (["has(", doc, ")"] if expr.test_only else doc), MEMBER

    def list_literal(self, expr: ListExpr) -> Walk:
        elements = yield from self.each(expr.elements)
        for index in expr.optionals:
            elements[index] = ["?", elements[index]]
        return enclosed("[", elements, "]"), MEMBER

    def map_literal(self, expr: MapExpr) -> Walk:
        entries = yield from self.entries(expr.entries)
        return enclosed("{", entries, "}"), MEMBER

    def message(self, expr: StructExpr) -> Walk:
        entries = yield from self.entries(expr.entries)
        return [expr.type_name, enclosed("{", entries, "}")], MEMBER

    def comprehension(self, expr: Comprehension) -> Walk:
        raise ValueError("a comprehension that no macro wrote has no text")

    def call(self, expr: Call) -> Walk:
        function = expr.function
        if function in BINARY:
            return self.binary(expr)
        if function in UNARIES:
            return self.unary(expr)
        if function == "_?_:_":
            return self.ternary(expr)
        if function in APPLIED:
            return self.applied(expr)
        return self.plain_call(expr)

    def plain_call(self, expr: Call) -> Walk:
        """`function(args)`, `target.function(args)`"""
        target: Doc = [(yield expr.target, MEMBER), "."] if expr.target else ""
        args = yield from self.each(expr.args)
        return [target, expr.function, enclosed("(", args, ")")], MEMBER

    def each(self, exprs: Iterable[Expr]) -> Generator[tuple[Expr, int], Doc, list[Doc]]:
        docs = []
        for expr in exprs:
            docs.append((yield expr, TERNARY))
        return docs

    def entries(self, entries: Iterable[Entry]) -> Generator[tuple[Expr, int], Doc, list[Doc]]:
        docs: list[Doc] = []
        for entry in entries:
            key = entry.key
            name = field_text(key) if isinstance(key, str) else (yield key, TERNARY)
            docs.append(["?" if entry.optional else "", name, ": ", (yield entry.value, TERNARY)])
        return docs

    # -- operators -----------------------------------------------------------------------------

    def applied(self, expr: Call) -> Walk:
        """`a[b]`, `a[?b]`, `a.?b`"""
        operand = yield expr.args[0], MEMBER
        second = expr.args[1]
        if expr.function == "_?._" and isinstance(second, Literal):
            return [operand, ".?", field_text(second.value)], MEMBER
        opening = "[" if expr.function == "_[_]" else "[?"
        return [operand, enclosed(opening, [(yield second, TERNARY)], "]")], MEMBER

    def unary(self, expr: Call) -> Walk:
        sign = UNARIES[expr.function]
        operand = yield expr.args[0], MEMBER
        if sign == "-" and self.begins_with_number(expr.args[0]):
            operand = Group(["(", operand, ")"])  # or the sign would belong to the number
        return [sign, operand], UNARY

    def ternary(self, expr: Call) -> Walk:
        condition, chosen, other = expr.args
        doc: list[Doc] = [(yield condition, OR), LINE, "? ", (yield chosen, OR)]
        return Group([*doc, LINE, ": ", (yield other, TERNARY)]), TERNARY

    def binary(self, expr: Call) -> Walk:
        operator, tightness = BINARY[expr.function]
        if tightness > AND:
            left, right = expr.args
            doc: list[Doc] = [(yield left, tightness), f" {operator} "]
            return [*doc, (yield right, tightness + 1)], tightness
        first, *others = self.terms(expr, max(self.counts(expr, expr.function)))
        doc = [(yield first, tightness + 1)]
        for other in others:
            doc += f" {operator}", LINE, (yield other, tightness + 1)
        return Group(doc), tightness

    # -- chains --------------------------------------------------------------------------------

    def counts(self, expr: Expr, function: str) -> set[int]:
        """How many terms a chain of `function` can have that is read as `expr`: the parser makes
        it a balanced tree, the greater half on the left."""
        if not self.joins(expr, function):
            return {1}
        left, right = expr.args
        lefts, rights = self.counts(left, function), self.counts(right, function)
        even = {2 * half for half in rights if half in lefts}
        return even | {2 * half + 1 for half in rights if half + 1 in lefts} | {1}

    def terms(self, expr: Expr, count: int) -> list[Expr]:
        """The terms of a chain of `count` that is read as `expr`."""
        if count == 1 or not isinstance(expr, Call):
            return [expr]
        left, right = expr.args
        return self.terms(left, (count + 1) // 2) + self.terms(right, count // 2)

    def joins(self, expr: Expr, function: str) -> TypeGuard[Call]:
        """Whether `expr` is an operator of the chain, and not a macro that became one."""
        return (
            isinstance(expr, Call) and expr.function == function and expr.id not in self.macro_calls
        )

    def begins_with_number(self, expr: Expr | None) -> bool:
        """Whether the text of `expr` begins with an int or a double."""
        while expr is not None:
            expr = self.macro_calls.get(expr.id, expr)
            if isinstance(expr, Select) and not expr.test_only:
                expr = expr.operand
            elif isinstance(expr, Call):
                expr = expr.args[0] if expr.function in APPLIED else expr.target
            else:
                return isinstance(expr, Literal) and type(expr.value) in (int, float)
        return False


def enclosed(opening: str, items: Sequence[Doc], closing: str) -> Doc:
    """Items between brackets, separated by commas."""
    if not items:
        return opening + closing
    inner: list[Doc] = [SOFT]
    for item in items[:-1]:
        inner += item, ",", LINE
    return Group([opening, Group([*inner, items[-1]], indented=True), SOFT, closing])
