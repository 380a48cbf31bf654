"""What evaluating an expression costs, in the units of the reference implementation (cel-go): to
read a name or a member is 1, a call is 1 if nothing is said of it here, and what goes over a text
or a list costs by its size.

Laws: a cost never falls where an argument grows, so that the sizes that arguments may have bound
the cost that a call may have (`estimate`); what is counted when an expression is evaluated is what
was evaluated, so operands that nothing asks for are free; a call one of whose arguments fails is
not made, and free. A budget that is passed ends the evaluation: no part of it can absorb that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .._fast import optionals
from .._fast.access import is_map
from .._fast.calls import size_of
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
from .._fast.values import Fault
from . import stdlib
from .functions import CONSTANT_TIME, Described, price
from .loops import MACROS, OPTIONAL_MAPS, PAIRS, body_of
from .macros import BLOCK
from .nesting import is_binding
from .observation import Observable

UNBOUNDED = 2**64 - 1  # the most that a cost or a size can be; here too, no more is told apart


class Cost(NamedTuple):
    """The least and the most that something costs, or the least and the most of a size."""

    least: int
    most: int

    @property
    def bounded(self) -> bool:
        """Whether there is a most."""
        return self.most < UNBOUNDED

    def __str__(self) -> str:
        if not self.bounded:
            return f"{self.least} or more"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


# -- constants ------------------------------------------------------------------------------------

READ = 1  # a name, a member, a presence test
LIST = 10
MAP = 30
MESSAGE = 40
CALL = 1


def tenth(size: int) -> int:
    """Going over a text or a list: a tenth of a unit for each character or member."""
    return -(-size // 10) if size < UNBOUNDED else UNBOUNDED


def quarter(size: int) -> int:
    """A pattern: each four characters of it may be looked for at each character of a text."""
    return -(-size // 4) if size < UNBOUNDED else UNBOUNDED


# -- functions ------------------------------------------------------------------------------------

# The sizes of the arguments, behind them that of the result → the cost of a call.
Rule = Callable[..., int]
TEXTS = ("string", "bytes")
SIZED = (*TEXTS, "list", "map")


class Rules(NamedTuple):
    """What a call costs, by the kind of one of its arguments; `CALL` for all other kinds."""

    rules: dict[str, Rule]
    argument: int = 0

    def cost(self, kind: str | None, *sizes: int) -> int:
        rule = self.rules.get(kind or "")
        return CALL if rule is None else min(rule(*sizes), UNBOUNDED)


def of(kinds: tuple[str, ...], rule: Rule, argument: int = 0) -> Rules:
    return Rules(dict.fromkeys(kinds, rule), argument)


def _compared(a: int, b: int, result: int) -> int:
    return tenth(min(a, b))


COMPARISONS = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")
FUNCTIONS: dict[tuple[str, int], Rules] = {
    **{(name, 2): of(SIZED, _compared) for name in COMPARISONS},
    ("@in", 2): of(("list",), lambda a, b, _: b, 1),
    ("_+_", 2): of(TEXTS, lambda a, b, _: tenth(a + b)),
    ("startsWith", 2): of(TEXTS, lambda a, b, _: tenth(b)),
    ("endsWith", 2): of(TEXTS, lambda a, b, _: tenth(b)),
    ("contains", 2): Rules(
        {"string": lambda a, b, _: tenth(a) * tenth(b), "list": lambda a, b, _: a}
    ),
    # One more character: a pattern is looked for in an empty text too.
    ("matches", 2): of(TEXTS, lambda a, b, _: tenth(a + 1) * quarter(b)),
    ("_?._", 1): Rules({}),
    ("_[?_]", 2): Rules({}),
    ("string", 1): of(("bytes",), lambda a, _: tenth(a)),
    ("bytes", 1): of(("string",), lambda a, _: tenth(a)),
}
CONSTANT = Rules({})
# A function of an extension library goes over its arguments and what it makes.
LINEAR = Rules(dict.fromkeys((*SIZED, ""), lambda *sizes: CALL + tenth(sum(sizes))))
LAZY = (optionals.either, optionals.value_or)
FREE = ("_&&_", "_||_", "_?_:_", BLOCK)  # what they come to is paid for by their operands
STANDARD = frozenset(each.name for each in stdlib.STANDARD_FUNCTIONS)


def kind_of(value: Any) -> str | None:
    """What sort of sized value it is, "" if it has no parts; None of a Fault."""
    kind = type(value)
    if kind is str:
        return "string"
    if kind is bytes:
        return "bytes"
    if kind is list or kind is tuple:
        return "list"
    if kind is Fault:
        return None
    return "map" if is_map(value) else ""


# -- loops ----------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """What a macro's loop costs besides what is written: once, and each turn, where its predicate
    is true or it has none, and where it is false. It is what the macro's expansion reads and makes,
    but evaluates in one step here."""

    once: int
    chosen: int
    passed: int
    stops: bool = False  # before the last turn, when it is decided


LOOPS: dict[str, Turn] = {
    "all": Turn(READ, 3, 3, True),
    "exists": Turn(READ, 4, 4, True),
    "exists_one": Turn(READ + CALL, 2, 1),
    "existsOne": Turn(READ + CALL, 2, 1),
    "map": Turn(LIST + READ, READ + LIST + CALL, READ),
    "filter": Turn(LIST + READ, READ + LIST + READ + CALL, READ),
    "transformList": Turn(LIST + READ, READ + LIST + CALL, READ),
    "transformMap": Turn(MAP + READ, READ + READ + CALL, READ),
    "transformMapEntry": Turn(MAP + READ, READ + CALL, READ),
}


# -- the parts of an expression -------------------------------------------------------------------


class Model:
    """What each part of an expression costs by itself, for those parts that an evaluation shows."""

    def __init__(self, observable: Observable) -> None:
        self.shown = observable.parts
        checked = observable.checked
        self.references = {} if checked is None else checked.references
        self.types = {} if checked is None else checked.types
        self.implementations = observable.implementations

    def reads(self, tree: Select) -> int:
        """How many names and members a select reads, with those that are read together with it."""
        count = READ
        step: Expr = tree
        while isinstance(step, Select) and step.id not in self.references:
            step = step.operand
            if step.id in self.shown:
                break
            count += READ
        return count

    def operands(self, tree: Call) -> list[Expr]:
        """The arguments of a call that are evaluated, the target first."""
        parts = tree.args if tree.target is None else (tree.target, *tree.args)
        if tree.function == BLOCK and len(tree.args) == 2 and isinstance(tree.args[0], ListExpr):
            parts = (*tree.args[0].elements, tree.args[1])
        if tree.function == "_?._":
            parts = parts[:1]  # the name is no part of its own
        return [part for part in parts if part.id in self.shown]

    def name(self, tree: Call) -> str:
        """The full name of the function that is called."""
        found = self.references.get(tree.id)
        if found is not None:
            return found.name
        target = tree.target
        if target is None or target.id in self.shown:
            return tree.function
        return f"{written(target)}.{tree.function}"

    def is_lazy(self, tree: Call) -> bool:
        """Whether a call has a second argument that is evaluated only where it is needed."""
        return self.implementations.get((self.name(tree), 2)) in LAZY

    def rules(self, tree: Call) -> Rules:
        """What a call costs by its arguments' sizes."""
        key = self.name(tree), len(self.operands(tree))
        implementation = self.implementations.get(key)
        if type(implementation) is Described and implementation.cost is not None:
            described = implementation
            rule: Rule = lambda *sizes: price(described, sizes[:-1])  # noqa: E731
            return Rules(dict.fromkeys((*SIZED, ""), rule))
        if key in FUNCTIONS:
            return FUNCTIONS[key]
        if implementation is None or implementation in CONSTANT_TIME or key[0] in STANDARD:
            return CONSTANT
        return LINEAR

    def fixed(self, tree: Expr) -> int:
        """What a part costs by itself that is no call, or no call that costs by size."""
        if isinstance(tree, Literal) or (isinstance(tree, Call) and tree.function in FREE):
            return 0
        if isinstance(tree, Ident):
            return READ
        if isinstance(tree, Select):
            return self.reads(tree)
        if isinstance(tree, ListExpr):
            return LIST
        if isinstance(tree, MapExpr):
            return MAP
        if isinstance(tree, StructExpr):
            return MESSAGE
        if isinstance(tree, Comprehension):
            return self.once(tree)
        return CALL

    def once(self, tree: Comprehension) -> int:
        """What a comprehension costs besides its turns."""
        if is_binding(tree):
            return CALL if tree.macro in OPTIONAL_MAPS else 0
        turn = turn_of(tree)
        return 0 if turn is None else turn.once


def written(tree: Expr) -> str:
    """The text of a name with dots."""
    if isinstance(tree, Select):
        return f"{written(tree.operand)}.{tree.field}"
    return tree.name if isinstance(tree, Ident) else ""


def turn_of(tree: Comprehension) -> Turn | None:
    """What a macro's loop costs; None of another comprehension, all of which is shown."""
    known = PAIRS if tree.iter_var2 else MACROS
    return LOOPS[tree.macro] if tree.macro in known and not is_binding(tree) else None


# -- counting -------------------------------------------------------------------------------------


class Spent(Exception):
    """Ends an evaluation whose budget is passed, at `position` of the source."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Counter:
    """Counts what one evaluation costs, part by part: an observer of it."""

    def __init__(self, observable: Observable, budget: int | None = None) -> None:
        self.model = Model(observable)
        self.budget = budget
        self.cost = 0
        self.parts: dict[int, Expr] = observable.parts
        self.values: dict[int, Any] = {}  # what each part came to last
        self.turns: dict[int, Turn] = {}  # by the id of what shows that a turn is made
        for part in self.parts.values():
            if isinstance(part, Comprehension) and (turn := turn_of(part)) is not None:
                predicate, result = body_of(part)
                shows = predicate or result
                assert shows is not None
                self.turns[shows.id] = turn if predicate else turn._replace(passed=turn.chosen)

    def __call__(self, id: int, value: Any) -> Any:
        """Count a part that came to a value; raises Spent where the budget is passed."""
        part = self.parts[id]
        self.values[id] = value
        self.cost += self.called(part, value) if isinstance(part, Call) else self.model.fixed(part)
        turn = self.turns.get(id)
        if turn is not None:
            self.cost += turn.chosen if value is True else turn.passed
        if self.budget is not None and self.cost > self.budget:
            raise Spent(part.position)
        return value

    def called(self, tree: Call, value: Any) -> int:
        """What a call cost that came to a value."""
        if tree.function in FREE:
            return 0
        operands = [self.values.get(part.id, MISSING) for part in self.model.operands(tree)]
        if self.model.is_lazy(tree):
            operands = operands[:1]
        if any(type(operand) is Fault for operand in operands):
            return 0
        rules = self.model.rules(tree)
        kind = kind_of(operands[rules.argument]) if rules.argument < len(operands) else ""
        return rules.cost(kind, *map(size_of, operands), size_of(value))


MISSING = Fault("no_value")  # of an operand that was not asked for
