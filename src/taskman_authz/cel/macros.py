"""The macros of the language definition: calls that the parser replaces by the trees that they
stand for ("Macros"). An extension library adds its own to the same table.

Law: the trees are those of the reference implementation, node for node and id for id, because the
suite's expected trees are compared with them.
"""

from __future__ import annotations

from collections.abc import Callable

from .._fast.expansion import Expander, Expansion, MacroTable
from .._fast.tree import Expr, Ident, Select
from . import messages

__all__ = ["STANDARD_MACROS", "Expander", "Expansion", "MacroTable", "variable"]

# Names that an iteration variable would hide; the second is what trees had in former times.
ACCUMULATORS = frozenset(("@result", "__result__"))


BLOCK = "cel.@block"  # the function of `cel.block([a, b, …], result)`


def index_name(number: int) -> str:
    """The name of the `number`th part of a block: none that can be written."""
    return f"@index{number}"


def variable(expansion: Expansion, argument: Expr) -> str:
    """The name of the variable that `argument` writes; "", and an issue, if it writes none."""
    if not isinstance(argument, Ident) or argument.name.startswith("."):
        expansion.refuse(argument, *messages.variable_expected(expansion.name))
        return ""
    if argument.name in ACCUMULATORS:
        expansion.refuse(argument, *messages.variable_is_accumulator(argument.name))
        return ""
    return argument.name


def has(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr:
    """`has(e.f)`"""
    argument = args[0]
    if isinstance(argument, Select) and not argument.test_only:
        return expansion.presence(argument)
    return expansion.refuse(argument, *messages.selection_expected(expansion.name))


def quantifier(shape: Callable[..., Expr]) -> Expander:
    """The expander of `e.macro(x, …)`: `shape` is given the range, the name of x and the rest."""

    def expand(expansion: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
        name = variable(expansion, args[0])
        return shape(expansion, target, name, *args) if name else args[0]

    return expand


def all_(e: Expansion, over: Expr, name: str, _: Expr, condition: Expr) -> Expr:
    """`e.all(x, p)`: until one is false."""
    return e.fold(
        over,
        (name,),
        e.literal(True),
        e.call("@not_strictly_false", e.accumulator()),
        e.call("_&&_", e.accumulator(), condition),
        e.accumulator(),
        hint=e.name,
    )


def exists(e: Expansion, over: Expr, name: str, _: Expr, condition: Expr) -> Expr:
    """`e.exists(x, p)`: until one is true."""
    return e.fold(
        over,
        (name,),
        e.literal(False),
        e.call("@not_strictly_false", e.call("!_", e.accumulator())),
        e.call("_||_", e.accumulator(), condition),
        e.accumulator(),
        hint=e.name,
    )


def exists_one(e: Expansion, over: Expr, name: str, _: Expr, condition: Expr) -> Expr:
    """`e.exists_one(x, p)`: count all."""
    return e.fold(
        over,
        (name,),
        e.literal(0),
        e.literal(True),
        e.call(
            "_?_:_",
            condition,
            e.call("_+_", e.accumulator(), e.literal(1)),
            e.accumulator(),
        ),
        e.call("_==_", e.accumulator(), e.literal(1)),
        hint=e.name,
    )


def map_(e: Expansion, over: Expr, name: str, _: Expr, *rest: Expr) -> Expr:
    """`e.map(x, t)` and `e.map(x, p, t)`: a list of the t (of those where p)."""
    start = e.list_of()
    always = e.literal(True)
    step = e.call("_+_", e.accumulator(), e.list_of(rest[-1]))
    if len(rest) == 2:
        step = e.call("_?_:_", rest[0], step, e.accumulator())
    return e.fold(over, (name,), start, always, step, e.accumulator(), hint="map")


def filter_(e: Expansion, over: Expr, name: str, element: Expr, condition: Expr) -> Expr:
    """`e.filter(x, p)`: a list of the x where p."""
    start = e.list_of()
    always = e.literal(True)
    step = e.call("_+_", e.accumulator(), e.list_of(element))
    step = e.call("_?_:_", condition, step, e.accumulator())
    return e.fold(over, (name,), start, always, step, e.accumulator(), hint=e.name)


STANDARD_MACROS = MacroTable(
    {
        ("has", 1, False): has,
        ("all", 2, True): quantifier(all_),
        ("exists", 2, True): quantifier(exists),
        ("exists_one", 2, True): quantifier(exists_one),
        ("existsOne", 2, True): quantifier(exists_one),
        ("map", 2, True): quantifier(map_),
        ("map", 3, True): quantifier(map_),
        ("filter", 2, True): quantifier(filter_),
    }
)
