"""The tree that the grammar of record gives, by an independent road: lark's parse, transformed.

Shapes are those of `tests.cel.trees.shape`, so that both trees can be compared.
"""

from __future__ import annotations

import re

from lark import Token, Transformer, v_args

from taskman_authz._fast.values import UInt

SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPE = re.compile(r"\\(?:[xX](..)|u(....)|U(.{8})|([0-3][0-7][0-7])|(.))", re.DOTALL)


class Chain:
    """Terms of `&&` or `||` that no parentheses separate."""

    def __init__(self, function, terms):
        self.function = function
        self.terms = terms


def closed(node):
    """A chain as the balanced tree that it stands for; anything else as it is."""
    if not isinstance(node, Chain):
        return node
    if len(node.terms) == 1:
        return node.terms[0]
    half = (len(node.terms) + 1) // 2
    sides = (closed(Chain(node.function, part)) for part in (node.terms[:half], node.terms[half:]))
    return call(node.function, *sides)


def call(function, *args):
    return "call", function, None, tuple(map(closed, args))


def literal(value):
    return "literal", type(value).__name__, repr(value)


def chained(function, left, right):
    terms = left.terms if isinstance(left, Chain) and left.function == function else [closed(left)]
    return Chain(function, [*terms, closed(right)])


def field_name(token):
    return str(token)[1:-1] if token.type == "QUOTED" else str(token)


def signed(tokens, read):
    value = read(str(tokens[-1]))
    return literal(-value if len(tokens) == 2 else value)


def integer(text):
    return int(text, 16) if text.startswith("0x") else int(text, 10)


def unquoted(token):
    """The body of a string literal with its escapes resolved, each character as one code point."""
    prefix, quote, body = re.fullmatch(r"""(\w*)('''|\"""|'|")(.*)\2""", token, re.DOTALL).groups()
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    if "r" in prefix.lower():
        return [(char, False) for char in body]
    pieces = []
    start = 0
    for match in ESCAPE.finditer(body):
        pieces += [(char, False) for char in body[start : match.start()]]
        octet, bmp, full, octal, char = match.groups()
        code = int(octal, 8) if octal else int(octet or bmp or full, 16) if char is None else -1
        pieces.append((SIMPLE.get(char, char), False) if code < 0 else (chr(code), True))
        start = match.end()
    return pieces + [(char, False) for char in body[start:]]


class Shapes(Transformer):
    """From lark's parse tree to a shape."""

    def start(self, children):
        return closed(children[0])

    def conditional(self, children):
        return call("_?_:_", *children)

    def logical_or(self, children):
        return chained("_||_", *children)

    def logical_and(self, children):
        return chained("_&&_", *children)

    def binary(self, children):
        left, operator, right = children
        return call("@in" if operator == "in" else f"_{operator}_", left, right)

    def logical_not(self, children):
        bangs, operand = children[:-1], children[-1]
        return call("!_", operand) if len(bangs) % 2 else operand

    def negation(self, children):
        signs, operand = children[:-1], children[-1]
        return call("-_", operand) if len(signs) % 2 else operand

    def name(self, children):
        if children[0] is None or isinstance(children[0], Token):
            return "ident", "".join(filter(None, children))
        return "select", children[0], str(children[1]), False

    reserved_name = name

    def select(self, children):
        return "select", closed(children[0]), field_name(children[1]), False

    def optional_select(self, children):
        return call("_?._", children[0], literal(field_name(children[1])))

    def index(self, children):
        return call("_[_]", *children)

    def optional_index(self, children):
        return call("_[?_]", *children)

    def member_call(self, children):
        target, name, *args = children
        given = tuple(closed(arg) for arg in args if arg is not None)
        return "call", str(name), closed(target), given

    def call(self, children):
        head, *args = children
        target, name = (None, head[1]) if head[0] == "ident" else (head[1], head[2])
        return "call", name, target, tuple(closed(arg) for arg in args if arg is not None)

    def message(self, children):
        head, *fields = children
        return "message", dotted(head), tuple(filter(None, fields))

    def field(self, children):
        mark, name, value = children
        return field_name(name), closed(value), mark is not None

    def group(self, children):
        return closed(children[0])

    def list(self, children):
        elements = [element for element in children if element is not None]
        optionals = tuple(index for index, (mark, _) in enumerate(elements) if mark)
        return "list", tuple(element for _, element in elements), optionals

    def element(self, children):
        mark, value = children
        return mark is not None, closed(value)

    def map(self, children):
        return "map", tuple(entry for entry in children if entry is not None)

    def entry(self, children):
        mark, key, value = children
        return closed(key), closed(value), mark is not None

    def int(self, children):
        return signed(children, integer)

    def double(self, children):
        return signed(children, float)

    @v_args(inline=True)
    def uint(self, token):
        return literal(UInt(integer(token[:-1])))

    @v_args(inline=True)
    def string(self, token):
        return literal("".join(char for char, _ in unquoted(token)))

    @v_args(inline=True)
    def bytes(self, token):
        pieces = unquoted(token)
        return literal(b"".join(bytes([ord(c)]) if octet else c.encode() for c, octet in pieces))

    def true(self, _):
        return literal(True)

    def false(self, _):
        return literal(False)

    def null(self, _):
        return literal(None)


def dotted(name):
    return name[1] if name[0] == "ident" else f"{dotted(name[1])}.{name[2]}"
