"""Tree to text: what the parser reads back as the same tree, with no parentheses that it does not
need, macros as they were called, and lines of a given width where one is asked for.

Law: `parse(unparse(parsed))` is `parsed`, places in the text aside. No frame of Python is spent on
a level of the tree: a method is a generator that yields the nodes whose documents it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
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
from ..errors import CompileError
from ..issues import Issue, Issues, Place
from . import messages
from .literals import field_text, literal_text
from .parser import Parsed
from .wrapping import laid_out

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

# Yields a node and the least tightness that its text must have, is sent that text, and returns a
# text with its tightness.
Walk: TypeAlias = Generator[tuple[Expr, int], str, tuple[str, int]]


def unparse(parsed: Parsed, width: int = 0) -> str:
    """The text of a tree: on one line, or laid out to `width` columns (see `wrapping`). Raises
    CompileError for a comprehension that no macro wrote."""
    text = Unparser(parsed.macro_calls).text(parsed.expr)
    return laid_out(text, width) if width else text


def without_text() -> CompileError:
    """What is raised for a comprehension that no macro wrote: only trees from outside have them."""
    return CompileError(Issues((Issue(Place("<expression>"), *messages.no_text()),)))


class Unparser:
    """Nodes to texts."""

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

    def text(self, expr: Expr) -> str:
        """The text of a whole tree."""
        walks = [(self.walk(expr), TERNARY)]
        text = ""
        begun = False
        while walks:
            walk, least = walks[-1]
            try:
                child, child_least = walk.send(text) if begun else next(walk)
            except StopIteration as done:
                text, tightness = done.value
                text = text if tightness >= least else f"({text})"
                walks.pop()
                begun = True
            else:
                walks.append((self.walk(child), child_least))
                begun = False
        return text

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
        text = f"{(yield expr.operand, MEMBER)}.{field_text(expr.field)}"
        return f"has({text})" if expr.test_only else text, MEMBER

    def list_literal(self, expr: ListExpr) -> Walk:
        elements = yield from self.each(expr.elements)
        for index in expr.optionals:
            elements[index] = f"?{elements[index]}"
        return f"[{', '.join(elements)}]", MEMBER

    def map_literal(self, expr: MapExpr) -> Walk:
        entries = yield from self.entries(expr.entries)
        return f"{{{entries}}}", MEMBER

    def message(self, expr: StructExpr) -> Walk:
        entries = yield from self.entries(expr.entries)
        return f"{expr.type_name}{{{entries}}}", MEMBER

    def comprehension(self, expr: Comprehension) -> Walk:
        raise without_text()

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
        target = f"{(yield expr.target, MEMBER)}." if expr.target else ""
        args = yield from self.each(expr.args)
        return f"{target}{expr.function}({', '.join(args)})", MEMBER

    def each(self, exprs: Iterable[Expr]) -> Generator[tuple[Expr, int], str, list[str]]:
        texts = []
        for expr in exprs:
            texts.append((yield expr, TERNARY))
        return texts

    def entries(self, entries: Iterable[Entry]) -> Generator[tuple[Expr, int], str, str]:
        texts = []
        for entry in entries:
            key = entry.key
            mark = "?" if entry.optional else ""
            name = field_text(key) if isinstance(key, str) else (yield key, TERNARY)
            texts.append(f"{mark}{name}: {(yield entry.value, TERNARY)}")
        return ", ".join(texts)

    # -- operators -----------------------------------------------------------------------------

    def applied(self, expr: Call) -> Walk:
        """`a[b]`, `a[?b]`, `a.?b`"""
        operand = yield expr.args[0], MEMBER
        second = expr.args[1]
        if expr.function == "_?._" and isinstance(second, Literal):
            return f"{operand}.?{field_text(second.value)}", MEMBER
        opening = "[" if expr.function == "_[_]" else "[?"
        return f"{operand}{opening}{(yield second, TERNARY)}]", MEMBER

    def unary(self, expr: Call) -> Walk:
        sign = UNARIES[expr.function]
        operand = yield expr.args[0], MEMBER
        if sign == "-" and self.begins_with_number(expr.args[0]):
            operand = f"({operand})"  # or the sign would belong to the number
        return sign + operand, UNARY

    def ternary(self, expr: Call) -> Walk:
        condition, chosen, other = expr.args
        text = f"{(yield condition, OR)} ? {(yield chosen, OR)} : {(yield other, TERNARY)}"
        return text, TERNARY

    def binary(self, expr: Call) -> Walk:
        operator, tightness = BINARY[expr.function]
        if tightness > AND:
            left, right = expr.args
            return f"{(yield left, tightness)} {operator} {(yield right, tightness + 1)}", tightness
        terms = []
        for term in self.terms(expr, max(self.counts(expr, expr.function))):
            terms.append((yield term, tightness + 1))
        return f" {operator} ".join(terms), tightness

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
