"""Tree to bytes: `cel.expr.ParsedExpr`, `cel.expr.CheckedExpr`.

Laws: the same tree gives the same bytes; nothing here recurses; in a checked tree names are full
names and what was read as a name with dots is an identifier, as the reference implementation
leaves them, while the macros' calls stay as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._fast.tree import (
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
from ..._fast.values import UInt
from ..checker import Checked
from ..decls import Reference
from ..parser import Parsed
from ..v1 import expr_pb2 as wire
from .tree_parts import children
from .tree_types import type_bytes

NO_REFERENCES: Mapping[int, Reference] = {}


def parsed_bytes(parsed: Parsed) -> bytes:
    """A tree as it was parsed, as a serialised `cel.expr.ParsedExpr`."""
    writer = Writer(parsed)
    expr = writer.tree(parsed.expr)
    made = wire.ParsedExpr(expr=expr, source_info=writer.source_info())
    return made.SerializeToString(deterministic=True)


def checked_bytes(parsed: Parsed, checked: Checked) -> bytes:
    """A tree as it was checked, as a serialised `cel.expr.CheckedExpr`."""
    writer = Writer(parsed, checked.references)
    expr = writer.tree(parsed.expr)
    written = writer.positions.keys()  # a name with dots is one part, and what it was made of none
    made = wire.CheckedExpr(
        expr=expr,
        type_map={id: type_bytes(type) for id, type in checked.types.items() if id in written},
        reference_map={
            id: reference_message(reference)
            for id, reference in checked.references.items()
            if id in written
        },
        source_info=writer.source_info(),
    )
    return made.SerializeToString(deterministic=True)


def reference_message(reference: Reference) -> wire.Reference:
    made = wire.Reference(name=reference.name, overload_id=reference.overloads)
    if type(reference.value) in CONSTANTS:
        made.value = constant(reference.value).SerializeToString()
    return made


CONSTANTS = {
    bool: "bool_value",
    int: "int64_value",
    UInt: "uint64_value",
    float: "double_value",
    str: "string_value",
    bytes: "bytes_value",
}


def constant(value: Any) -> wire.Constant:
    """The value of a literal."""
    if value is None:
        return wire.Constant(null_value=0)  # type: ignore[arg-type]
    fields: dict[str, Any] = {CONSTANTS[type(value)]: value}
    return wire.Constant(**fields)


class Writer:
    """One tree on its way to bytes. `positions` is filled with what was written."""

    def __init__(self, parsed: Parsed, references: Mapping[int, Reference] = NO_REFERENCES) -> None:
        self.parsed = parsed
        self.references = references
        self.abridged: Mapping[int, Call] = {}  # macros that are written as their ids
        self.positions: dict[int, int] = {}
        self.done: dict[int, bytes] = {}  # parts by their ids

    def tree(self, root: Expr) -> bytes:
        """A part of the tree with all below it, serialised."""
        order: list[Expr] = []
        todo = [root]
        while todo:
            node = todo.pop()
            order.append(node)
            todo += self.below(node)
        for node in reversed(order):
            self.done[node.id] = self.part(node).SerializeToString()
        return self.take(root)

    def take(self, node: Expr) -> bytes:
        """A part that is done. It is not kept: every level holds what is below it."""
        return self.done.pop(node.id)

    def source_info(self) -> wire.SourceInfo:
        """Where the parts were written; to be asked for when the tree has been."""
        self.references = NO_REFERENCES
        self.abridged = self.parsed.macro_calls
        calls = {id: self.macro_call(call) for id, call in self.abridged.items()}
        return wire.SourceInfo(
            location=self.parsed.source.name,
            line_offsets=self.parsed.source.line_offsets(),
            positions={id: offset for id, offset in self.positions.items() if offset >= 0},
            macro_calls=calls,
        )

    def macro_call(self, call: Call) -> bytes:
        """What was written for a macro; a macro inside of it is the part with its id."""
        for part in children(call):
            self.done[part.id] = self.tree(part)
        return wire.Expr(call_expr=self.call(call)).SerializeToString()

    def below(self, node: Expr) -> tuple[Expr, ...]:
        """What is written below a part."""
        reference = self.references.get(node.id)
        if node.id in self.abridged or (reference is not None and type(node) is Select):
            return ()
        if reference is not None and reference.namespaced:
            return children(node)[1:]
        return children(node)

    def part(self, node: Expr) -> wire.Expr:
        """A part, when all below it is done."""
        if node.id in self.abridged:
            return wire.Expr(id=node.id)
        self.positions[node.id] = node.position
        reference = self.references.get(node.id)
        if reference is not None and type(node) in (Ident, Select):
            return wire.Expr(id=node.id, ident_expr=wire.Ident(name=reference.name))
        field, write = KINDS[type(node)]
        fields: dict[str, Any] = {field: write(self, node)}
        return wire.Expr(id=node.id, **fields)

    def literal(self, node: Literal) -> wire.Constant:
        return constant(node.value)

    def ident(self, node: Ident) -> wire.Ident:
        return wire.Ident(name=node.name)

    def select(self, node: Select) -> wire.Select:
        operand = self.take(node.operand)
        return wire.Select(operand=operand, field=node.field, test_only=node.test_only)

    def call(self, node: Call) -> wire.Call:
        reference = self.references.get(node.id)
        target = None if reference is not None and reference.namespaced else node.target
        return wire.Call(
            target=None if target is None else self.take(target),
            function=node.function if reference is None else reference.name,
            args=[self.take(arg) for arg in node.args],
        )

    def list_literal(self, node: ListExpr) -> wire.CreateList:
        elements = [self.take(element) for element in node.elements]
        return wire.CreateList(elements=elements, optional_indices=node.optionals)

    def map_literal(self, node: MapExpr) -> wire.CreateStruct:
        return wire.CreateStruct(entries=map(self.entry, node.entries))

    def struct(self, node: StructExpr) -> wire.CreateStruct:
        reference = self.references.get(node.id)
        name = node.type_name if reference is None else reference.name
        return wire.CreateStruct(message_name=name, entries=map(self.entry, node.entries))

    def entry(self, entry: Entry) -> wire.CreateStruct.Entry:
        self.positions[entry.id] = entry.position
        made = wire.CreateStruct.Entry(id=entry.id, optional_entry=entry.optional)
        if isinstance(entry.key, Expr):
            made.map_key = self.take(entry.key)
        else:
            made.field_key = entry.key
        made.value = self.take(entry.value)
        return made

    def comprehension(self, node: Comprehension) -> wire.Comprehension:
        return wire.Comprehension(
            iter_var=node.iter_var,
            iter_var2=node.iter_var2,
            iter_range=self.take(node.iter_range),
            accu_var=node.accu_var,
            accu_init=self.take(node.accu_init),
            loop_condition=self.take(node.loop_condition),
            loop_step=self.take(node.loop_step),
            result=self.take(node.result),
        )


KINDS: dict[type[Expr], tuple[str, Callable[[Writer, Any], Any]]] = {
    Literal: ("const_expr", Writer.literal),
    Ident: ("ident_expr", Writer.ident),
    Select: ("select_expr", Writer.select),
    Call: ("call_expr", Writer.call),
    ListExpr: ("list_expr", Writer.list_literal),
    MapExpr: ("struct_expr", Writer.map_literal),
    StructExpr: ("struct_expr", Writer.struct),
    Comprehension: ("comprehension_expr", Writer.comprehension),
}
