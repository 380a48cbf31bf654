"""Expressions as trees on the wire: programs to and from `cel.expr.ParsedExpr` and
`cel.expr.CheckedExpr`, the form in which implementations of the language pass expressions on.

    data = protobuf.to_parsed(program)
    program = protobuf.from_parsed(data, env)

Begin here, then `tree_writer` and `tree_reader`. Messages are passed as bytes: an embedder reads
and makes them with whichever descriptors of `cel.expr` are in his process. Ours have names of
their own (`proto/taskman_authz/cel/v1/expr.proto` says why).
"""

from __future__ import annotations

from google.protobuf.message import Message

from ...errors import CompileError
from ...issues import Issue, Issues, Place
from .. import messages
from ..env import Env
from ..parser import Parsed
from ..program import Program
from ..v1 import expr_pb2 as wire
from .tree_macros import macro_calls
from .tree_reader import Reader, deserialised
from .tree_writer import checked_bytes, parsed_bytes


def to_parsed(program: Program) -> bytes:
    """The tree of a program as a serialised `cel.expr.ParsedExpr`, with the places of its parts
    and the calls of its macros. The same program gives the same bytes."""
    return parsed_bytes(program.origin.parse(program.source))


def to_checked(program: Program) -> bytes:
    """The same as a serialised `cel.expr.CheckedExpr`: names are full names, and every part has
    its type, every name and call its reference. Raises CompileError where a program that was
    compiled unchecked does not check."""
    parsed = program.origin.parse(program.source)
    return checked_bytes(parsed, program.origin.check_tree(parsed))


def from_parsed(data: bytes | Message, env: Env, *, check: bool = True) -> Program:
    """The program of a `cel.expr.ParsedExpr`: serialised, or a message of that type.

    It may be anybody's: it is held to the limits of `env`, and to what a text could be parsed to.
    Raises CompileError for what is no such tree, with the first that is wrong, and as
    `Env.compile` for what does not check.
    """
    message = deserialised(wire.ParsedExpr, octets(data, env))
    reader = Reader(env, message.source_info)
    return env.program(read(reader, message.expr, message.source_info, env), check=check)


def from_checked(data: bytes | Message, env: Env) -> Program:
    """The same of a `cel.expr.CheckedExpr`. It is not trusted: of what it says about names, the
    full names are taken, each is looked up in `env` (whatever its container), and all types are
    found anew."""
    message = deserialised(wire.CheckedExpr, octets(data, env))
    reader = Reader(env, message.source_info, message.reference_map)
    return env.at_root().program(read(reader, message.expr, message.source_info, env))


def read(reader: Reader, expr: bytes, info: wire.SourceInfo, env: Env) -> Parsed:
    """The tree, and those of its macros' calls that are true."""
    tree = reader.tree(expr)
    return Parsed(tree, reader.source, macro_calls(reader, env.macros, info.macro_calls))


def octets(data: bytes | Message, env: Env) -> bytes:
    """The serialised message, if it is not too long."""
    found = data.SerializeToString() if isinstance(data, Message) else bytes(data)
    if len(found) > env.limits.tree_bytes:
        said = messages.limit_exceeded("tree_bytes", str(env.limits.tree_bytes))
        raise CompileError(Issues((Issue(Place("<expression>"), *said),)))
    return found
