"""A condition written out: what its file and its schema give it becomes plain CEL over the policy
variables, so that nothing behind knows of definitions or schemas.

- A name of the file (`is_owner`) becomes what it stands for, in parentheses.
- What JSON has no type for is read as the type that the schema says: `resource.due` becomes
  `timestamp(resource.due)`.
- An attribute with a fallback becomes a choice between the two.

Laws: only what is written is replaced, never a variable of a macro that has the same name; the
rest of the text stays as it is, and every part knows its place in the file. What cannot be followed
to its type stays as it is sent, a text, so that a mistake is one of types and does not compile.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from .._fast.expansion import start_of
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
from ..cel import Source
from ..cel.env import POLICY_VARIABLES
from ..cel.messages import limit_exceeded
from ..cel.parser import Parsed
from ..cel.types import (
    DOUBLE,
    DURATION,
    DYN,
    TIMESTAMP,
    UINT,
    Kind,
    Type,
    is_optional,
    optional_of,
)
from ..errors import CompileError
from ..issues import Issue, Issues, Place
from ..limits import DEFAULT, Limits

# The functions that read what was sent as a value of a type.
READERS = {TIMESTAMP: "timestamp", DURATION: "duration", DOUBLE: "double", UINT: "uint"}
CLOSING = re.compile(r"(?:\s|//[^\n]*\n)*\)")  # a parenthesis, behind white space and comments
UNUSED = "#unused"  # the variable of a loop that only binds a name (`cel.bind`)

Places = Callable[[int], Place]


class Named(NamedTuple):
    """What a name of a file stands for: a text, and its type where that is known."""

    text: str
    type: Type = DYN


class Vocabulary(Protocol):
    """What a condition may read besides the policy variables, and their types."""

    @property
    def types(self) -> Mapping[str, Type]:
        """The types of the policy variables."""

    @property
    def fallbacks(self) -> Mapping[str, str]:
        """Attributes of the subject, and the keys of the context that stand in for them."""

    def named(self, name: str, absolute: bool) -> Named | None:
        """What a name stands for, if `absolute` where variables of macros may hide those of
        policies; None where it is none of the file's."""


class Edit(NamedTuple):
    """What stands from `start` to `end` becomes `text`; with both the same it is put there."""

    start: int
    end: int
    text: str


class Rewritten(NamedTuple):
    """A condition written out, and the type of the whole where that is known."""

    source: Source
    type: Type
    unknown: list[tuple[str, int]]  # names that are neither the language's nor the file's, places


def rewritten(parsed: Parsed, vocabulary: Vocabulary, limits: Limits = DEFAULT) -> Rewritten:
    """The source of `parsed` written out; the same one where nothing is to be. Raises CompileError
    where it becomes longer than an expression may be."""
    walk = _Walk(parsed, vocabulary)
    type = walk.part(parsed.expr, {})
    source = parsed.source
    if walk.edits:
        source = edited(source, sorted(walk.edits), limits)
    return Rewritten(source, type, walk.unknown)


def absolute(parsed: Parsed) -> str:
    """The text of an expression with a dot before each policy variable, so that it means the same
    where variables of macros have their names."""
    walk = _Walk(parsed, _Nothing(), absolute=True)
    walk.part(parsed.expr, {})
    return edited(parsed.source, sorted(walk.edits)).text


def edited(source: Source, edits: Iterable[Edit], limits: Limits = DEFAULT) -> Source:
    """A source with edits that do not overlap, in their order. Raises CompileError as `joined`."""
    pieces: list[tuple[str, Places]] = []
    done = 0
    for start, end, text in edits:
        pieces.append((source.text[done:start], _from(source, done)))
        pieces.append((text, _at(source, start)))
        done = end
    return joined(source.name, [*pieces, (source.text[done:], _from(source, done))], limits)


def joined(name: str, pieces: Iterable[tuple[str, Places]], limits: Limits = DEFAULT) -> Source:
    """The source of texts one behind the other, each with its own places. Raises CompileError
    where it is longer than an expression may be."""
    kept = [(text, places) for text, places in pieces if text]
    starts: list[int] = []
    length = 0
    for text, _ in kept:
        starts.append(length)
        length += len(text)
    if length > limits.expression_length:
        said = limit_exceeded("expression_length", str(limits.expression_length))
        raise CompileError(Issues((Issue(kept[0][1](0), *said),)))

    def place(offset: int) -> Place:
        number = max(0, bisect_right(starts, offset) - 1)
        return kept[number][1](offset - starts[number])

    return Source("".join(text for text, _ in kept), name, place)


def _from(source: Source, start: int) -> Places:
    return lambda offset: source.place(start + offset)


def _at(source: Source, start: int) -> Places:
    return lambda offset: source.place(start)


Scope = Mapping[str, Type]  # the variables of the macros around


class _Walk:
    """One walk over one tree. A method takes a node and gives its type, DYN where it is not known;
    what is to be written otherwise goes into `edits`."""

    def __init__(self, parsed: Parsed, vocabulary: Vocabulary, absolute: bool = False) -> None:
        self.absolute = absolute
        self.text = parsed.source.text
        self.macro_calls = parsed.macro_calls
        self.vocabulary = vocabulary
        self.edits: list[Edit] = []
        self.unknown: list[tuple[str, int]] = []

    def part(self, tree: Expr, scope: Scope) -> Type:
        return WALK[type(tree)](self, tree, scope)

    def parts(self, trees: Iterable[Expr], scope: Scope) -> Type:
        for tree in trees:
            self.part(tree, scope)
        return DYN

    def literal(self, tree: Literal, scope: Scope) -> Type:
        return DYN

    def ident(self, tree: Ident, scope: Scope) -> Type:
        if tree.name in scope:
            return scope[tree.name]
        name = tree.name.removeprefix(".")
        if name in POLICY_VARIABLES:
            if self.absolute and self.stands(name, tree.position):
                self.edits.append(Edit(tree.position, tree.position, "."))
            return self.vocabulary.types.get(name, DYN)
        found = self.vocabulary.named(name, not POLICY_VARIABLES.keys().isdisjoint(scope))
        if found is None:
            self.unknown.append((name, tree.position))
            return DYN
        if self.stands(tree.name, tree.position):
            self.edits.append(Edit(tree.position, tree.position + len(tree.name), found.text))
        return found.type

    def stands(self, name: str, position: int) -> bool:
        """Whether a name is written at a place: macros make names that are not."""
        return self.text.startswith(name, position)

    # -- members -----------------------------------------------------------------------------------

    def select(self, tree: Select, scope: Scope) -> Type:
        operand = self.part(tree.operand, scope)
        instead = self.instead_of(tree.operand, tree.field, scope)
        if tree.test_only:
            if instead:
                self.ask_both(tree, instead)
            return DYN
        end = self.end_of(tree.field, tree.position)
        if instead and end:
            read = f"subject.{tree.field}"
            text = f"(has({read}) ? {read} : .context.{instead})"
            self.edits.append(Edit(self.start_of(tree, end), end, text))
        return self.converted(tree, end, member(operand, tree.field))

    def optional_select(self, tree: Call, scope: Scope) -> Type:
        """`operand.?field`"""
        operand, field = tree.args
        inside = self.part(operand, scope)
        if type(field) is not Literal or type(field.value) is not str:
            return self.part(field, scope)
        instead = self.instead_of(operand, field.value, scope)
        end = self.end_of(field.value, field.position)
        if instead and end:
            read = f"has(subject.{field.value}) ? subject.?{field.value}"
            text = f"({read} : .context.?{instead})"
            self.edits.append(Edit(self.start_of(operand, end), end, text))
        found = member(inside, field.value)
        return self.converted(tree, end, found if is_optional(found) else optional_of(found))

    def instead_of(self, operand: Expr, field: str, scope: Scope) -> str:
        """The key of the context that stands in for an attribute; "" where none does."""
        if type(operand) is not Ident or operand.name != "subject" or "subject" in scope:
            return ""
        return self.vocabulary.fallbacks.get(field, "")

    def ask_both(self, tree: Select, instead: str) -> None:
        """`has(subject.x)` asks whether one of both is there."""
        call = self.macro_calls.get(tree.id)
        closing = CLOSING.match(self.text, self.end_of(tree.field, tree.position))
        if call is not None and closing is not None:
            self.edits.append(Edit(call.position, call.position, "("))
            self.edits.append(Edit(closing.end(), closing.end(), f" || has(.context.{instead}))"))

    def end_of(self, field: str, position: int) -> int:
        """Where the name of a member ends; 0 where it is not written there."""
        if self.stands(field, position):
            return position + len(field)
        return position + len(field) + 2 if self.stands(f"`{field}`", position) else 0

    def start_of(self, tree: Expr, end: int) -> int:
        """Where what ends at `end` begins, with the parentheses around its first names."""
        start = start_of(tree)
        span = self.text[start:end]
        for _ in range(span.count(")") - span.count("(")):
            start = max(self.text.rfind("(", 0, start), 0)
        return start

    def converted(self, tree: Expr, end: int, found: Type) -> Type:
        """The type of what is read; where it is sent as another, it is written how to read it."""
        if not end or (made := conversion(found)) is None:
            return found
        start = self.start_of(tree, end)
        before, after = made
        if before:
            self.edits.append(Edit(start, start, before))
        self.edits.append(Edit(end, end, after))
        return DYN

    # -- calls and macros --------------------------------------------------------------------------

    def call(self, tree: Call, scope: Scope) -> Type:
        if tree.function == "_?._" and len(tree.args) == 2:
            return self.optional_select(tree, scope)
        if tree.function in ("_==_", "_!=_") and any(map(is_null, tree.args)):
            for argument in tree.args:  # whether something is null is asked of what was sent
                if isinstance(argument, Select) and not argument.test_only:
                    argument = argument.operand
                self.part(argument, scope)
            return DYN
        if tree.target is not None:
            self.part(tree.target, scope)
        types = [self.part(argument, scope) for argument in tree.args]
        if tree.function == "_[_]" and types:
            return element(types[0])
        return DYN

    def list(self, tree: ListExpr, scope: Scope) -> Type:
        return self.parts(tree.elements, scope)

    def map(self, tree: MapExpr, scope: Scope) -> Type:
        for entry in tree.entries:
            self.parts((entry.key, entry.value), scope)  # type: ignore[arg-type]
        return DYN

    def struct(self, tree: StructExpr, scope: Scope) -> Type:
        return self.parts([entry.value for entry in tree.entries], scope)

    def comprehension(self, tree: Comprehension, scope: Scope) -> Type:
        over = self.part(tree.iter_range, scope)
        begun = self.part(tree.accu_init, scope)
        outer = {**scope, tree.accu_var: begun if tree.iter_var == UNUSED else DYN}
        inner = {**outer, tree.iter_var: element(over)}
        if tree.iter_var2:
            inner |= {tree.iter_var: DYN, tree.iter_var2: element(over)}
        self.parts((tree.loop_condition, tree.loop_step), inner)
        result = self.part(tree.result, outer)
        return over if tree.macro == "filter" else result


WALK: dict[type[Expr], Callable[[_Walk, Any, Scope], Type]] = {
    Literal: _Walk.literal,
    Ident: _Walk.ident,
    Select: _Walk.select,
    Call: _Walk.call,
    ListExpr: _Walk.list,
    MapExpr: _Walk.map,
    StructExpr: _Walk.struct,
    Comprehension: _Walk.comprehension,
}


def is_null(tree: Expr) -> bool:
    """Whether a tree is the literal `null`."""
    return type(tree) is Literal and tree.value is None


def member(type: Type, field: str) -> Type:
    """The type of a member; of an optional one, an optional one."""
    if is_optional(type):
        return optional_of(member(type.parameters[0], field))
    return (type.fields or {}).get(field, DYN)


def element(type: Type) -> Type:
    """The type of what a list holds, or a map under its keys."""
    return type.parameters[-1] if type.kind is Kind.LIST else DYN


def conversion(type: Type) -> tuple[str, str] | None:
    """What stands before and behind something that is to be read as its type; None where it is
    sent as that."""
    if type in READERS:
        return f"{READERS[type]}(", ")"
    if is_optional(type) or type.kind is Kind.LIST:
        inside = conversion(type.parameters[0])
        if inside is not None:
            macro = "map" if type.kind is Kind.LIST else "optMap"
            return "", f".{macro}(each, {inside[0]}each{inside[1]})"
    return None


class _Nothing:
    """A vocabulary without anything."""

    types: Mapping[str, Type] = {}
    fallbacks: Mapping[str, str] = {}

    def named(self, name: str, absolute: bool) -> Named | None:
        return None


def references(parsed: Parsed) -> set[str]:
    """The names that an expression reads besides the policy variables and those of its macros."""
    return {name for name, _ in rewritten(parsed, _Nothing()).unknown}
