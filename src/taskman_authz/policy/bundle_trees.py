"""Checked trees as data: expressions as a bundle carries them.

A node is a list that begins with a number for its kind. Where a name or a call stands for
something, its node says what for, as the checker found it; so a tree can be planned as it is.

Laws: what is read has the shape of a tree, whatever the bytes are (msgspec holds them to the types
below), and is bounded in depth as a text is. What else could be wrong with a tree that nobody
checked (an operator without its arguments, a name that stands for nothing) comes to a fault of the
condition, which never grants and in a deny policy denies.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

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
    highest,
    make_call,
    make_ident,
    make_list,
    make_literal,
    make_map,
    make_select,
    make_struct,
)
from .._fast.values import INT_MAX, INT_MIN, UInt
from ..cel.checker import Checked
from ..cel.decls import Reference
from ..cel.types import BOOL
from ..issues import Issues

Position = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
Int = Annotated[int, Meta(ge=INT_MIN, le=INT_MAX)]


class _Node(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    position: Position


class LiteralNode(_Node, tag=0):
    """A literal but for unsigned integers and bytes."""

    value: None | bool | Int | float | str


class UIntNode(_Node, tag=1):
    """An unsigned integer."""

    value: Annotated[int, Meta(ge=0)]  # msgpack has none above 64 bits


class IdentNode(_Node, tag=2):
    """A name, and the full name of what it stands for ("" if that is nothing declared)."""

    name: str
    full: str


class SelectNode(_Node, tag=3):
    """`operand.field`, or its presence; `full` if the whole is a name with dots."""

    operand: Node
    field: str
    test_only: bool
    full: str


class CallNode(_Node, tag=4):
    """A call, the full name of its function (of operators ""), and whether its target is a part of
    that name."""

    function: str
    target: Node | None
    args: tuple[Node, ...]
    full: str
    namespaced: bool


class ListNode(_Node, tag=5):
    """A list."""

    elements: tuple[Node, ...]
    optionals: tuple[Position, ...]


class MapEntry(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """An entry of a map."""

    position: Position
    key: Node
    value: Node
    optional: bool


class MapNode(_Node, tag=6):
    """A map."""

    entries: tuple[MapEntry, ...]


class FieldNode(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """A field of a message."""

    position: Position
    name: str
    value: Node
    optional: bool


class StructNode(_Node, tag=7):
    """A message literal."""

    type_name: str
    fields: tuple[FieldNode, ...]


class FoldNode(_Node, tag=8):
    """A comprehension."""

    iter_range: Node
    iter_var: str
    iter_var2: str
    accu_var: str
    accu_init: Node
    loop_condition: Node
    loop_step: Node
    result: Node
    macro: str


class BytesNode(_Node, tag=9):
    """Bytes."""

    value: bytes


Node = (
    LiteralNode
    | BytesNode
    | UIntNode
    | IdentNode
    | SelectNode
    | CallNode
    | ListNode
    | MapNode
    | StructNode
    | FoldNode
)


class TooDeep(ValueError):
    """A tree has more levels than any expression may have."""


# -- from trees -----------------------------------------------------------------------------------


class Writer:
    """Makes nodes of a checked tree; `functions` gathers what it calls, with how many arguments."""

    def __init__(self, checked: Checked, functions: set[tuple[str, int]]) -> None:
        self.checked = checked
        self.references = checked.references
        self.functions = functions

    def node(self, tree: Expr) -> Node:
        """The node of a tree."""
        made: Node = _WRITE[type(tree)](self, tree)
        return made

    def nodes(self, trees: tuple[Expr, ...]) -> tuple[Node, ...]:
        return tuple(self.node(tree) for tree in trees)

    def literal(self, tree: Literal) -> Node:
        if type(tree.value) is UInt:
            return UIntNode(tree.position, int(tree.value))
        if type(tree.value) is bytes:
            return BytesNode(tree.position, tree.value)
        return LiteralNode(tree.position, tree.value)

    def full_name(self, tree: Expr) -> str:
        found = self.references.get(tree.id)
        return "" if found is None else found.name

    def ident(self, tree: Ident) -> Node:
        return IdentNode(tree.position, tree.name, self.full_name(tree))

    def select(self, tree: Select) -> Node:
        operand = self.node(tree.operand)
        return SelectNode(tree.position, operand, tree.field, tree.test_only, self.full_name(tree))

    def call(self, tree: Call) -> Node:
        target = None if tree.target is None else self.node(tree.target)
        found = self.references.get(tree.id)
        full, namespaced = ("", False) if found is None else (found.name, found.namespaced)
        count = len(tree.args) + (tree.target is not None and not namespaced)
        self.functions.add((full or tree.function, count))
        args = self.nodes(tree.args)
        return CallNode(tree.position, tree.function, target, args, full, namespaced)

    def list(self, tree: ListExpr) -> Node:
        return ListNode(tree.position, self.nodes(tree.elements), tree.optionals)

    def map(self, tree: MapExpr) -> Node:
        entries = tuple(
            MapEntry(one.position, self.node(one.key), self.node(one.value), one.optional)
            for one in tree.entries
            if isinstance(one.key, Expr)
        )
        return MapNode(tree.position, entries)

    def struct(self, tree: StructExpr) -> Node:
        fields = tuple(
            FieldNode(one.position, str(one.key), self.node(one.value), one.optional)
            for one in tree.entries
        )
        return StructNode(tree.position, tree.type_name, fields)

    def fold(self, tree: Comprehension) -> Node:
        return FoldNode(
            tree.position,
            self.node(tree.iter_range),
            tree.iter_var,
            tree.iter_var2,
            tree.accu_var,
            self.node(tree.accu_init),
            self.node(tree.loop_condition),
            self.node(tree.loop_step),
            self.node(tree.result),
            tree.macro,
        )


_WRITE: dict[type[Expr], Any] = {
    Literal: Writer.literal,
    Ident: Writer.ident,
    Select: Writer.select,
    Call: Writer.call,
    ListExpr: Writer.list,
    MapExpr: Writer.map,
    StructExpr: Writer.struct,
    Comprehension: Writer.fold,
}


# -- to trees -------------------------------------------------------------------------------------


class Reader:
    """Makes a tree of nodes, with numbers for its parts and what these stand for."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.references: dict[int, Reference] = {}
        self.count = 0

    def checked(self, node: Node) -> Checked:
        """The checked tree of a condition. Raises TooDeep."""
        return Checked(self.tree(node), BOOL, {}, self.references, Issues())

    def tree(self, node: Node) -> Expr:
        """The tree of a node."""
        self.count += 1
        tree: Expr = _READ[type(node)](self, node, self.count)
        if tree.height > self.depth:
            raise TooDeep
        return tree

    def trees(self, nodes: tuple[Node, ...]) -> tuple[Expr, ...]:
        return tuple([self.tree(node) for node in nodes])

    def stands_for(self, id: int, name: str, namespaced: bool = False) -> None:
        if name:
            self.references[id] = Reference(name, namespaced=namespaced)

    def literal(self, node: LiteralNode | BytesNode, id: int) -> Expr:
        return make_literal(id, node.position, node.value)

    def uint(self, node: UIntNode, id: int) -> Expr:
        return make_literal(id, node.position, UInt(node.value))

    def ident(self, node: IdentNode, id: int) -> Expr:
        self.stands_for(id, node.full)
        return make_ident(id, node.position, node.name)

    def select(self, node: SelectNode, id: int) -> Expr:
        self.stands_for(id, node.full)
        return make_select(id, node.position, self.tree(node.operand), node.field, node.test_only)

    def call(self, node: CallNode, id: int) -> Expr:
        self.stands_for(id, node.full, node.namespaced)
        target = None if node.target is None else self.tree(node.target)
        return make_call(id, node.position, node.function, target, self.trees(node.args))

    def list(self, node: ListNode, id: int) -> Expr:
        return make_list(id, node.position, self.trees(node.elements), node.optionals)

    def map(self, node: MapNode, id: int) -> Expr:
        entries = [
            Entry(id, one.position, self.tree(one.key), self.tree(one.value), one.optional)
            for one in node.entries
        ]
        return make_map(id, node.position, tuple(entries))

    def struct(self, node: StructNode, id: int) -> Expr:
        entries = [
            Entry(id, one.position, one.name, self.tree(one.value), one.optional)
            for one in node.fields
        ]
        return make_struct(id, node.position, node.type_name, tuple(entries))

    def fold(self, node: FoldNode, id: int) -> Expr:
        parts = (node.iter_range, node.accu_init, node.loop_condition, node.loop_step, node.result)
        source, initial, condition, step, result = trees = self.trees(parts)
        names = (node.iter_var, node.iter_var2, node.accu_var)
        tree = Comprehension(
            id, node.position, source, *names, initial, condition, step, result, node.macro
        )
        tree.height = highest(trees, 0) + 1
        return tree


_READ: dict[type[Any], Any] = {
    LiteralNode: Reader.literal,
    BytesNode: Reader.literal,
    UIntNode: Reader.uint,
    IdentNode: Reader.ident,
    SelectNode: Reader.select,
    CallNode: Reader.call,
    ListNode: Reader.list,
    MapNode: Reader.map,
    StructNode: Reader.struct,
    FoldNode: Reader.fold,
}

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Node).decode
