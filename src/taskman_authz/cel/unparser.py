"""Tree to text: what the parser reads back as the same tree, with no parentheses that it does not
need, macros as they were called, and lines of a given width where one is asked for.

Law: `parse(unparse(parsed))` is `parsed`, places in the text aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

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


def unparse(parsed: Parsed, width: int = 0) -> str:
    """The text of a tree. With a `width`, lines are broken where they would be longer, as far as
    there is a place to break them. Raises ValueError for a comprehension that no macro wrote."""
    doc, _ = Unparser(parsed.macro_calls).expression(parsed.expr)
    return render(doc, width)


class Unparser:
    """Each method gives the document of a node and how tightly it holds together."""

    def __init__(self, macro_calls: Mapping[int, Call]) -> None:
        self.macro_calls = macro_calls
        self.kinds: dict[type, Callable[[Any], tuple[Doc, int]]] = {
            Literal: self.literal,
            Ident: self.ident,
            Select: self.select,
            Call: self.call,
            ListExpr: self.list_literal,
            MapExpr: self.map_literal,
            StructExpr: self.message,
            Comprehension: self.comprehension,
        }

    def expression(self, expr: Expr) -> tuple[Doc, int]:
        written = self.macro_calls.get(expr.id)
        return self.plain_call(written) if written else self.kinds[type(expr)](expr)

    def tight(self, expr: Expr, least: int) -> Doc:
        """The document of `expr`, in parentheses where it holds together less than `least`."""
        doc, tightness = self.expression(expr)
        return doc if tightness >= least else Group(["(", doc, ")"])

    # -- kinds ---------------------------------------------------------------------------------

    def literal(self, expr: Literal) -> tuple[Doc, int]:
        return literal_text(expr.value), MEMBER

    def ident(self, expr: Ident) -> tuple[Doc, int]:
        return expr.name, MEMBER

    def select(self, expr: Select) -> tuple[Doc, int]:
        doc: Doc = [self.tight(expr.operand, MEMBER), ".", field_text(expr.field)]
        return (["has(", doc, ")"] if expr.test_only else doc), MEMBER

    def list_literal(self, expr: ListExpr) -> tuple[Doc, int]:
        elements: list[Doc] = [self.expression(element)[0] for element in expr.elements]
        for index in expr.optionals:
            elements[index] = ["?", elements[index]]
        return enclosed("[", elements, "]"), MEMBER

    def map_literal(self, expr: MapExpr) -> tuple[Doc, int]:
        return enclosed("{", [self.entry(entry) for entry in expr.entries], "}"), MEMBER

    def message(self, expr: StructExpr) -> tuple[Doc, int]:
        entries = [self.entry(entry) for entry in expr.entries]
        return [expr.type_name, enclosed("{", entries, "}")], MEMBER

    def entry(self, entry: Entry) -> Doc:
        key = field_text(entry.key) if isinstance(entry.key, str) else self.expression(entry.key)[0]
        return ["?" if entry.optional else "", key, ": ", self.expression(entry.value)[0]]

    def comprehension(self, expr: Comprehension) -> tuple[Doc, int]:
        raise ValueError("a comprehension that no macro wrote has no text")

    def call(self, expr: Call) -> tuple[Doc, int]:
        function, args = expr.function, expr.args
        if function in BINARY:
            return self.binary(expr)
        if function in UNARIES:
            return self.unary(expr)
        if function == "_?_:_":
            return self.ternary(expr)
        if function in ("_[_]", "_[?_]"):
            key = self.expression(args[1])[0]
            opening = "[?" if function == "_[?_]" else "["
            return [self.tight(args[0], MEMBER), enclosed(opening, [key], "]")], MEMBER
        if function == "_?._" and isinstance(args[1], Literal):
            return [self.tight(args[0], MEMBER), ".?", field_text(args[1].value)], MEMBER
        return self.plain_call(expr)

    def plain_call(self, expr: Call) -> tuple[Doc, int]:
        """`function(args)`, `target.function(args)`"""
        target = [self.tight(expr.target, MEMBER), "."] if expr.target else []
        args = [self.expression(arg)[0] for arg in expr.args]
        return [*target, expr.function, enclosed("(", args, ")")], MEMBER

    # -- operators -----------------------------------------------------------------------------

    def unary(self, expr: Call) -> tuple[Doc, int]:
        sign = UNARIES[expr.function]
        operand = self.tight(expr.args[0], MEMBER)
        if sign == "-" and self.begins_with_number(expr.args[0]):
            operand = Group(["(", operand, ")"])  # or the sign would belong to the number
        return [sign, operand], UNARY

    def ternary(self, expr: Call) -> tuple[Doc, int]:
        condition, chosen, other = expr.args
        doc = [self.tight(condition, OR), LINE, "? ", self.tight(chosen, OR)]
        return Group([*doc, LINE, ": ", self.tight(other, TERNARY)]), TERNARY

    def binary(self, expr: Call) -> tuple[Doc, int]:
        operator, tightness = BINARY[expr.function]
        left, right = expr.args
        if tightness > AND:
            doc = [self.tight(left, tightness), f" {operator} ", self.tight(right, tightness + 1)]
            return doc, tightness
        terms = self.terms(expr, max(self.counts(expr, expr.function)))
        first, *others = [self.tight(term, tightness + 1) for term in terms]
        doc = [first]
        for other in others:
            doc += f" {operator}", LINE, other
        return Group(doc), tightness

    def counts(self, expr: Expr, function: str) -> set[int]:
        """How many terms a chain of `function` can have that is read as `expr`: the parser makes
        it a balanced tree, the greater half on the left."""
        if not self.joins(expr, function):
            return {1}
        left, right = (self.counts(side, function) for side in expr.args)
        even = {2 * half for half in right if half in left}
        return even | {2 * half + 1 for half in right if half + 1 in left} | {1}

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

    def begins_with_number(self, expr: Expr) -> bool:
        """Whether the text of `expr` begins with an int or a double."""
        expr = self.macro_calls.get(expr.id, expr)
        if isinstance(expr, Select):
            return not expr.test_only and self.begins_with_number(expr.operand)
        if isinstance(expr, Call):
            first = expr.args[0] if expr.function in APPLIED else expr.target
            return first is not None and self.begins_with_number(first)
        return isinstance(expr, Literal) and type(expr.value) in (int, float)


def enclosed(opening: str, items: Sequence[Doc], closing: str) -> Doc:
    """Items between brackets, separated by commas."""
    if not items:
        return opening + closing
    inner: list[Doc] = [SOFT]
    for item in items[:-1]:
        inner += item, ",", LINE
    return Group([opening, Group([*inner, items[-1]], indented=True), SOFT, closing])
