"""Bytes to tree: `cel.expr.ParsedExpr`, `cel.expr.CheckedExpr` from anywhere.

Laws:
- a tree from outside holds nothing that no text could be parsed to, but for comprehensions that no
  macro writes: every name can be written (or is one that macros make up), every operator has its
  arguments, every part is there and has an id of its own. So all later stages may treat it as they
  treat a tree of the parser;
- it is bounded as a text is, in bytes, parts and levels; a level is bounded before anything below
  it is looked at, and nothing here recurses;
- of what is wrong the first is reported: a program has made it, not a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from google.protobuf.message import DecodeError, Message

from ..._fast.scanner import QUOTED, WORDS
from ..._fast.tree import (
    Comprehension,
    Entry,
    Expr,
    highest,
    make_call,
    make_ident,
    make_list,
    make_literal,
    make_map,
    make_select,
    make_struct,
)
from ..._fast.values import UInt
from ...errors import CompileError
from ...issues import Issue, Issues, Place
from .. import messages
from ..check_messages import Said
from ..env import Env
from ..literals import KEYWORD_NAMES
from ..macros import BLOCK
from ..source import TreeSource
from ..v1 import expr_pb2 as wire

Wire = TypeVar("Wire", bound=Message)
# The serialised parts below a part, and what makes the part of them when they are read.
Read = tuple[list[bytes], Callable[..., Expr]]

LARGEST_ID = 2**31 - 1
# `@`, `#` and `:` are in the names that macros make up.
PLAIN = re.compile(r"[A-Za-z_@#][\w@#:]*", re.ASCII)
DOTTED = re.compile(rf"\.?{PLAIN.pattern}(?:\.{PLAIN.pattern})*", re.ASCII)
OPERATORS = {
    "_?_:_": 3,
    **dict.fromkeys(("!_", "-_", "@not_strictly_false"), 1),
    **dict.fromkeys("_&&_ _||_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in _+_ _-_ _*_ _/_ _%_".split(), 2),
    **dict.fromkeys(("_[_]", "_?._", "_[?_]"), 2),
}
OPTIONAL_OPERATORS = ("_?._", "_[?_]")
NO_REFERENCES: Mapping[int, wire.Reference] = {}


# What a tree may say that its readers must know: this makes no difference to what it means.
EXTENSIONS = frozenset({"cel_block"})


def deserialised(kind: type[Wire], data: bytes) -> Wire:
    """The message that these bytes are. Raises CompileError."""
    try:
        return kind.FromString(data)
    except DecodeError:
        place = Place("<expression>")
        issue = Issue(place, *messages.unreadable_tree(f"cel.expr.{kind.__name__}"))
        raise CompileError(Issues((issue,))) from None


class Reader:
    """One tree on its way from bytes. `nodes` has its parts by their ids when it is read."""

    def __init__(
        self,
        env: Env,
        info: wire.SourceInfo,
        references: Mapping[int, wire.Reference] = NO_REFERENCES,
    ) -> None:
        self.limits = env.limits
        self.optionals = env.optionals
        self.blocks = BLOCK in env.declarations.functions
        self.source = TreeSource(info.line_offsets, info.location or "<expression>")
        self.positions = dict(info.positions)
        self.references = references
        self.count = 0
        self.ids: set[int] = set()
        self.known: Mapping[int, Expr] = {}  # parts that are read already
        self.nodes: dict[int, Expr] = {}
        for extension in info.extensions:
            if extension.id not in EXTENSIONS:
                self.refuse(0, messages.unknown_extension(extension.id))

    def tree(self, data: bytes) -> Expr:
        """The part that `data` holds, with all below it. Raises CompileError."""
        order: list[tuple[int, Callable[..., Expr]]] = []
        todo = [(data, 1)]
        while todo:
            data, level = todo.pop()
            if level > self.limits.expression_depth:
                self.exceeded("expression_depth", self.limits.expression_depth)
            below, make = self.part(data)
            order.append((len(below), make))
            todo += [(part, level + 1) for part in reversed(below)]
        done: list[Expr] = []
        for count, make in reversed(order):
            node = make(*[done.pop() for _ in range(count)])
            self.nodes[node.id] = node
            done.append(node)
        return done.pop()

    # -- what is wrong ---------------------------------------------------------------------------

    def refuse(self, position: int, said: Said) -> NoReturn:
        raise CompileError(Issues((Issue(self.source.place(position), *said),)))

    def exceeded(self, limit: str, bound: int) -> NoReturn:
        self.refuse(0, messages.limit_exceeded(limit, str(bound)))

    def required(self, position: int, message: Message, *fields: str) -> list[bytes]:
        """The parts in these fields, all of which there must be."""
        for field in fields:
            if not message.HasField(field):
                self.refuse(position, messages.incomplete_tree(f"its part `{field}`"))
        return [getattr(message, field) for field in fields]

    def name(self, position: int, name: str, what: str, form: re.Pattern[str] = DOTTED) -> str:
        """A name that can be written, or that a macro makes up."""
        if not form.fullmatch(name) or name.lstrip(".").partition(".")[0] in WORDS:
            self.refuse(position, messages.unwritable_name(name, what))
        return name

    def field(self, position: int, name: str) -> str:
        """The name of a member, which may stand in backticks."""
        if not name or name.strip(QUOTED):
            self.refuse(position, messages.unwritable_name(name, "a field"))
        return name

    def optional(self, position: int) -> None:
        if not self.optionals:
            self.refuse(position, messages.no_optionals())

    # -- parts -----------------------------------------------------------------------------------

    def identified(self, id: int) -> tuple[int, int]:
        """The id of one more part, and its position."""
        self.count += 1
        if self.count > self.limits.expression_nodes:
            self.exceeded("expression_nodes", self.limits.expression_nodes)
        position = max(self.positions.get(id, -1), -1)
        if not 0 < id <= LARGEST_ID or id in self.ids:
            self.refuse(position, messages.invalid_id(id))
        self.ids.add(id)
        return id, position

    def part(self, data: bytes) -> Read:
        message = deserialised(wire.Expr, data)
        known = self.known.get(message.id)
        if known is not None:
            return [], lambda: known
        id, position = self.identified(message.id)
        reference = self.references.get(id)
        kind = message.WhichOneof("expr_kind")
        if kind is None:
            self.refuse(position, messages.incomplete_tree("a part"))
        if reference is not None and kind in ("ident_expr", "select_expr"):
            if reference.name and not reference.overload_id:
                name = self.name(position, reference.name, "a variable")
                return [], lambda: make_ident(id, position, name)
        return KINDS[kind](self, id, position, getattr(message, kind))

    def literal(self, id: int, position: int, message: wire.Constant) -> Read:
        kind = message.WhichOneof("constant_kind")
        if kind is None:
            self.refuse(position, messages.incomplete_tree("the value of a literal"))
        value: Any = None if kind == "null_value" else getattr(message, kind)
        if kind == "uint64_value":
            value = UInt(value)
        return [], lambda: make_literal(id, position, value)

    def ident(self, id: int, position: int, message: wire.Ident) -> Read:
        name = self.name(position, message.name, "a variable")
        return [], lambda: make_ident(id, position, name)

    def select(self, id: int, position: int, message: wire.Select) -> Read:
        field, test_only = self.field(position, message.field), message.test_only
        below = self.required(position, message, "operand")
        return below, lambda operand: make_select(id, position, operand, field, test_only)

    def call(self, id: int, position: int, message: wire.Call) -> Read:
        function, member = message.function, message.HasField("target")
        below = list(message.args)
        count = OPERATORS.get(function)
        if count is not None:
            if member or len(below) != count:
                self.refuse(position, messages.operator_arguments(function, count))
            if function in OPTIONAL_OPERATORS:
                self.optional(position)
        elif not member:
            self.name(position, function, "a function")
            if function == BLOCK and not self.blocks:
                self.refuse(position, messages.unwritable_name(function, "a function"))
        elif not PLAIN.fullmatch(function) or function in KEYWORD_NAMES:
            self.refuse(position, messages.unwritable_name(function, "a function"))
        if not member:
            return below, lambda *args: make_call(id, position, function, None, args)
        below.insert(0, message.target)
        return below, lambda target, *args: make_call(id, position, function, target, args)

    def list_literal(self, id: int, position: int, message: wire.CreateList) -> Read:
        below = list(message.elements)
        optionals = tuple(sorted(set(message.optional_indices)))
        for index in optionals:
            self.optional(position)
            if not 0 <= index < len(below):
                self.refuse(position, messages.not_in_list(index))
        return below, lambda *elements: make_list(id, position, elements, optionals)

    def struct(self, id: int, position: int, message: wire.CreateStruct) -> Read:
        reference = self.references.get(id)
        name = (reference.name if reference else "") or message.message_name
        if name and not DOTTED.fullmatch(name):
            self.refuse(position, messages.unwritable_name(name, "a message type"))
        below: list[bytes] = []
        make: list[Callable[[list[Expr]], Entry]] = []
        for entry in message.entries:
            make.append(self.entry(entry, bool(name), below))

        def made(*parts: Expr) -> Expr:
            left = list(reversed(parts))
            entries = tuple(each(left) for each in make)
            if name:
                return make_struct(id, position, name, entries)
            return make_map(id, position, entries)

        return below, made

    def entry(
        self, message: wire.CreateStruct.Entry, named: bool, below: list[bytes]
    ) -> Callable[[list[Expr]], Entry]:
        """What makes an entry, taking its parts from the end of a list; they are added to
        `below`."""
        id, position = self.identified(message.id)
        optional = message.optional_entry
        if optional:
            self.optional(position)
        kind = message.WhichOneof("key_kind")
        if kind is None:
            self.refuse(position, messages.incomplete_tree("the key of an entry"))
        if named is not (kind == "field_key"):
            self.refuse(position, messages.mixed_entry())
        if not named:
            below += [message.map_key, *self.required(position, message, "value")]
            return lambda left: Entry(id, position, left.pop(), left.pop(), optional)
        field = self.field(position, message.field_key)
        below += self.required(position, message, "value")
        return lambda left: Entry(id, position, field, left.pop(), optional)

    def comprehension(self, id: int, position: int, message: wire.Comprehension) -> Read:
        names = message.iter_var, message.iter_var2, message.accu_var
        for name in names if names[1] else names[::2]:  # there may be no second variable
            self.name(position, name, "a variable", PLAIN)
        fields = "iter_range", "accu_init", "loop_condition", "loop_step", "result"

        def made(over: Expr, start: Expr, going: Expr, step: Expr, result: Expr) -> Expr:
            node = Comprehension(id, position, over, *names, start, going, step, result)
            node.height = highest((over, start, going, step, result), 0) + 1
            return node

        return self.required(position, message, *fields), made


KINDS: dict[str, Callable[[Reader, int, int, Any], Read]] = {
    "const_expr": Reader.literal,
    "ident_expr": Reader.ident,
    "select_expr": Reader.select,
    "call_expr": Reader.call,
    "list_expr": Reader.list_literal,
    "struct_expr": Reader.struct,
    "comprehension_expr": Reader.comprehension,
}
