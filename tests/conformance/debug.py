"""Trees in the notation that the reference implementation's tests write them in: every node with
its kind, `1^#*expr.Constant_Int64Value#`, and what is in parentheses on lines of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from taskman_authz._fast.tree import (
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
from taskman_authz._fast.values import UInt

ESCAPES = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", '"': r"\"",
}  # fmt: skip
KINDS = {
    type(None): "Null",
    bool: "Bool",
    int: "Int64",
    UInt: "Uint64",
    float: "Double",
    str: "String",
    bytes: "Bytes",
}
# What a comprehension's parts are called in the notation, in its order.
PARTS = ("Target", "Accumulator", "Init", "LoopCondition", "LoopStep", "Result")


def debug(expr: Expr) -> str:
    """A tree in the notation of the reference implementation."""
    match expr:
        case Literal():
            return f"{constant(expr.value)}^#*expr.Constant_{KINDS[type(expr.value)]}Value#"
        case Ident():
            return kind(expr.name, "Ident")
        case Select():
            mark = "~test-only~" if expr.test_only else ""
            return kind(f"{debug(expr.operand)}.{expr.field}{mark}", "Select")
        case Call():
            target = f"{debug(expr.target)}." if expr.target else ""
            return kind(target + expr.function + enclosed("(", map(debug, expr.args), ")"), "Call")
        case ListExpr():
            elements = ("?" * (i in expr.optionals) + debug(e) for i, e in enumerate(expr.elements))
            return kind(enclosed("[", elements, "]"), "List")
        case MapExpr():
            return kind(enclosed("{", map(entry, expr.entries), "}"), "Struct")
        case StructExpr():
            return kind(expr.type_name + enclosed("{", map(entry, expr.entries), "}"), "Struct")
        case Comprehension():
            return kind(f"__comprehension__(\n{indented(parts(expr))})", "Comprehension")
    raise TypeError(expr)


def kind(text: str, name: str) -> str:
    return f"{text}^#*expr.Expr_{name}Expr#"


def entry(found: Entry) -> str:
    key = debug(found.key) if isinstance(found.key, Expr) else found.key
    mark = "?" * found.optional
    return f"{mark}{key}:{debug(found.value)}^#*expr.Expr_CreateStruct_Entry#"


def parts(expr: Comprehension) -> str:
    """The parts of a comprehension, each under its name."""
    written = [
        debug(expr.iter_range),
        expr.accu_var,
        *map(debug, (expr.accu_init, expr.loop_condition, expr.loop_step, expr.result)),
    ]
    names = [f"// Variable\n{expr.iter_var}"]
    if expr.iter_var2:
        names.append(f"// Variable2\n{expr.iter_var2}")
    named = (f"// {name}\n{text}" for name, text in zip(PARTS, written, strict=True))
    return ",\n".join((*names, *named))


def enclosed(opening: str, items: Iterable[str], closing: str) -> str:
    inside = ",\n".join(items)
    return f"{opening}\n{indented(inside)}\n{closing}" if inside else opening + closing


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def constant(value: object) -> str:
    """A literal as the reference implementation writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, UInt):
        return f"{int(value)}u"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, bytes):
        # What is no text is an octet of its own.
        return f"b{constant(value.decode('utf-8', 'surrogateescape'))}"
    return f'"{"".join(map(character, value))}"' if isinstance(value, str) else str(value)


def double(value: float) -> str:
    """The shortest digits; with an exponent, of two digits at least, below -4 and from 6 on."""
    number = Decimal(repr(value)).normalize()
    if value and not -4 <= number.adjusted() < 6:
        whole, *fraction = map(str, number.as_tuple().digits)
        point = "." if fraction else ""
        sign = "-" if value < 0 else ""
        return f"{sign}{whole}{point}{''.join(fraction)}e{number.adjusted():+03}"
    return repr(value).removesuffix(".0")


def character(char: str) -> str:
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable():
        return char
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:  # no character but an octet
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
