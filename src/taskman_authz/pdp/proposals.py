"""What attributes could be instead: the values that a condition compares them with.

Laws: a proposal comes from the condition and the request alone: constants, what other sides of
comparisons came to, the next value beyond a bound, absence where a condition asks for it. It is a
guess; whoever makes one tries it. The same condition and request give the same proposals in the
same order: those of its first clauses first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any, NamedTuple

from .._fast.evaluator import Evaluator
from .._fast.times import (
    SECOND,
    Duration,
    Timestamp,
    duration_of,
    duration_text,
    timestamp_of,
    timestamp_text,
)
from .._fast.tree import Call, Comprehension, Expr, Ident, Literal, Select
from .._fast.values import Fault, UInt
from ..cel.explanation import children, names_only
from ..cel.expression import Expression
from ..cel.layout import Layout
from ..cel.outcome import plain
from ..cel.planner import plan_unchecked

Path = tuple[str, ...]  # ("resource", "owner")
Proposals = dict[Path, list[Any]]

MOST = 10  # values of one list that are proposed
MOST_ELEMENTS = 30  # that are made of proposals for their members
ENTITIES = ("subject", "resource", "action", "context")
# What is part of the question, and not of what is known about it.
FIXED = {
    *(("subject", "id"), ("subject", "type"), ("resource", "id"), ("resource", "type")),
    ("action", "name"),
}
EQUAL, UNEQUAL = "_==_", "_!=_"
ORDERED = ("_<_", "_<=_", "_>_", "_>=_")
BOOLEAN = ("_&&_", "_||_", "!_", "@not_strictly_false")
UNWRAPPED = ("value", "orValue", "or", "lowerAscii", "upperAscii", "trim")
CONVERTED = ("timestamp", "duration", "string", "int", "uint", "double", "dyn")


class Absent:
    """Stands for an attribute that is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


class Bound(NamedTuple):
    """A part that an expression gives a name to, and the names that it may read itself."""

    tree: Expr
    names: Mapping[str, Bound | Path]


Names = Mapping[str, Bound | Path]  # what names of the expression stand for


class Settable(NamedTuple):
    """An attribute, and what it must be for the part that reads it to come to a value."""

    path: Path
    of: Callable[[Any], list[Any]]


def proposals(expression: Expression, variables: Mapping[str, Any]) -> Proposals:
    """What the attributes that a condition reads could be, over what they are now; also those that
    are part of the question (FIXED)."""
    proposer = _Proposer(expression, variables)
    proposer.walk(expression.parsed.expr, {}, True)
    return proposer.found


class _Proposer:
    def __init__(self, expression: Expression, variables: Mapping[str, Any]) -> None:
        self.expression = expression
        self.variables = variables
        self.found: Proposals = {}

    def propose(self, path: Path, *values: Any) -> None:
        known = self.found.setdefault(path, [])
        for value in values:
            if not any(same(value, other) for other in known):
                known.append(value)

    # -- parts ------------------------------------------------------------------------------------

    def walk(self, tree: Expr, names: Names, asked: bool) -> None:
        """Propose for a part, and what is below it; `asked`: it is asked for a yes or no."""
        if asked:
            for path, of in self.settable(tree, names):
                self.propose(path, *of(True), *of(False))
        if isinstance(tree, Comprehension):
            self.fold(tree, names, asked)
            return
        if isinstance(tree, Select) and tree.test_only:
            self.presence(tree.operand, tree.field, names)
        if isinstance(tree, Call):
            self.call(tree, names)
            if tree.function == "_?_:_":
                self.walk(tree.args[0], names, True)
                for branch in tree.args[1:]:
                    self.walk(branch, names, asked)
                return
        inner = isinstance(tree, Call) and tree.function in BOOLEAN
        for part in children(tree):
            self.walk(part, names, inner)

    def call(self, tree: Call, names: Names) -> None:
        parts = list(children(tree))
        if tree.function in (EQUAL, UNEQUAL, *ORDERED):
            left, right = parts
            self.compare(tree.function, left, right, names)
            self.compare(tree.function, right, left, names)
        elif tree.function == "@in":
            self.member(parts[0], parts[1], names)
        elif tree.function == "contains" and len(parts) == 2:
            self.member(parts[1], parts[0], names)
        elif tree.function in ("startsWith", "endsWith") and len(parts) == 2:
            for path, of in self.settable(parts[0], names):
                self.propose(path, *self.wanted(of, parts[1], names), *of("x"))
        elif tree.function in ("orValue", "hasValue"):
            for path, _ in self.settable(parts[0], names):
                self.propose(path, ABSENT)

    def presence(self, operand: Expr, field: str, names: Names) -> None:
        """What `has(operand.field)` asks for. It is there with what else is proposed of it."""
        path = self.path(operand, names)
        if path is not None:
            self.propose((*path, field), ABSENT)

    # -- comparisons ------------------------------------------------------------------------------

    def compare(self, function: str, side: Expr, other: Expr, names: Names) -> None:
        for path, of in self.settable(side, names):
            value = self.value(other, names)
            if value is None and not isinstance(other, Literal):
                self.propose(path, "x")  # both sides are unknown: any value, if it is the same
            elif function in (EQUAL, UNEQUAL):
                self.propose(path, *of(value), *of(another(value)))
            else:
                self.propose(path, *(made for each in around(value) for made in of(each)))

    def wanted(self, of: Callable[[Any], list[Any]], tree: Expr, names: Names) -> list[Any]:
        value = self.value(tree, names)
        return [] if value is None else of(value)

    def member(self, element: Expr, container: Expr, names: Names) -> None:
        """`element in container`, and what is the same"""
        members = self.value(container, names)
        for path, of in self.settable(element, names):
            listed = list(members)[:MOST] if isinstance(members, (list, tuple, dict)) else []
            self.propose(path, *(made for each in listed for made in of(each)), *of("x"))
        wanted = self.value(element, names)
        for path, of in self.settable(container, names):
            now = self.current(path)
            if isinstance(now, str) and isinstance(wanted, str):
                self.propose(path, *of(wanted), *of(""))
                continue
            held = list(now) if isinstance(now, (list, tuple)) else []
            others = [each for each in held if not same(each, wanted)]
            self.propose(path, *([] if wanted is None else of([*others, wanted])), *of(others))

    # -- loops and names --------------------------------------------------------------------------

    def fold(self, tree: Comprehension, names: Names, asked: bool) -> None:
        if names_only(tree):  # `cel.bind`, `optMap`
            self.walk(tree.accu_init, names, False)
            bound = Bound(tree.accu_init, names)
            self.walk(tree.result, {**names, tree.accu_var: bound}, asked)
            return
        self.walk(tree.iter_range, names, False)
        element = _Proposer(self.expression, self.variables)
        variable = f"@{tree.iter_var}"  # a path that begins with what a turn goes over
        element.walk(tree.loop_step, {**names, tree.iter_var: (variable,)}, True)
        for path, values in element.found.items():
            if path[0] != variable:
                self.propose(path, *values)
        made = list(elements(variable, element.found))
        for path, of in self.settable(tree.iter_range, names):
            now = self.current(path)
            held = list(now) if isinstance(now, (list, tuple)) else []
            self.propose(path, *(proposal for each in made for proposal in of([*held, each])))
            self.propose(path, *(proposal for each in made for proposal in of([each])))
            self.propose(
                path, *(of(held[:n] + held[n + 1 :])[0] for n in range(min(len(held), MOST)))
            )
            self.propose(path, *of([]))

    # -- attributes -------------------------------------------------------------------------------

    def path(self, tree: Expr, names: Names) -> Path | None:
        """The attribute that a part is, below a variable of policies or of a loop."""
        if isinstance(tree, Ident):
            stands = names.get(tree.name)
            if isinstance(stands, Bound):
                return self.path(*stands)
            if stands is not None:
                return stands
            name = tree.name.removeprefix(".")  # `.context`, which no loop or bind hides
            return (name,) if name in ENTITIES else None
        operand, field = _member(tree)
        path = None if operand is None else self.path(operand, names)
        return None if path is None else (*path, field)

    def settable(self, tree: Expr, names: Names) -> Iterator[Settable]:
        """The attribute that a part is made of, if it is made of one, and how."""
        stands = names.get(tree.name) if isinstance(tree, Ident) else None
        if isinstance(stands, Bound):
            yield from self.settable(*stands)
            return
        path = self.path(tree, names)
        if path is not None:
            if len(path) > 1 or path[0].startswith("@"):
                yield Settable(path, _listed)
        elif isinstance(tree, Call):
            yield from self.inverted(tree, names)

    def inverted(self, tree: Call, names: Names) -> Iterator[Settable]:
        """The attribute that a call is made of, and what it must be for a value of the call."""
        parts = list(children(tree))
        undo: Callable[[Any], list[Any]] | None = None
        if tree.function in UNWRAPPED and tree.target is not None:
            undo = _listed
        elif tree.function in CONVERTED and len(parts) == 1:
            undo = written
        elif tree.function == "size" and len(parts) == 1:
            undo = sized
        elif tree.function == "_?_:_":  # also an attribute with a fallback
            for branch in parts[1:]:
                yield from self.settable(branch, names)
        elif tree.function in ("_+_", "_-_"):
            yield from self.of_sum(tree.function == "_-_", parts[0], parts[1], names)
        if undo is not None:
            yield from _through(undo, self.settable(parts[0], names))

    def of_sum(self, minus: bool, left: Expr, right: Expr, names: Names) -> Iterator[Settable]:
        """The same of `left + right` and, if `minus`, `left - right`."""
        one, other = self.value(left, names), self.value(right, names)
        yield from _through(
            lambda value: added(value, other, 1 if minus else -1), self.settable(left, names)
        )
        yield from _through(
            lambda value: added(one, value, -1) if minus else added(value, one, -1),
            self.settable(right, names),
        )

    def current(self, path: Path) -> Any:
        """What is at a path now; None where there is nothing."""
        tree: Expr = Ident(1, 0, path[0])
        for number, field in enumerate(path[1:], 2):
            tree = Select(number, 0, tree, field)
        return None if path[0].startswith("@") else self.value(tree, {})

    def value(self, tree: Expr, names: Names) -> Any:
        """What a part comes to, as plain Python (times as the core's); None where it fails."""
        stands = names.get(tree.name) if isinstance(tree, Ident) else None
        if isinstance(stands, Bound):
            return self.value(*stands)
        _, _, declarations, implementations, limits = self.expression
        layout = Layout()
        node = plan_unchecked(tree, declarations, implementations, layout, limits)
        sizes = layout.slots, layout.registers, len(layout.roots)
        value = Evaluator(node, *sizes, limits.evaluation_steps).value(dict(self.variables))
        if type(value) in (Timestamp, Duration):
            return value
        value = plain(value)
        return None if type(value) is Fault else value


def _listed(value: Any) -> list[Any]:
    return [value]


def _through(undo: Callable[[Any], list[Any]], found: Iterator[Settable]) -> Iterator[Settable]:
    """Attributes as they must be for a value of what is done with them, which `undo` undoes."""

    def before(of: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
        return lambda value: [made for each in undo(value) for made in of(each)]

    for path, of in found:
        yield Settable(path, before(of))


def _member(tree: Expr) -> tuple[Expr | None, str]:
    """What a part is a member of, and its name, if it is written out: `a.b`, `a.?b`, `a['b']`."""
    if isinstance(tree, Select) and not tree.test_only:
        return tree.operand, tree.field
    if isinstance(tree, Call) and tree.function in ("_?._", "_[_]", "_[?_]"):
        operand, name = tree.args
        if isinstance(name, Literal) and type(name.value) is str:
            return operand, name.value
    return None, ""


# -- values ---------------------------------------------------------------------------------------


def same(one: Any, other: Any) -> bool:
    """Whether two proposals are the same, kind included."""
    return type(one) is type(other) and bool(one == other)


def another(value: Any) -> Any:
    """A value of the kind of another one, and not equal to it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return "x" if value != "x" else "y"
    if isinstance(value, (int, float)):
        return type(value)(value + 1)
    beyond = around(value)
    return beyond[-1] if len(beyond) > 1 else "x" if value is None else None


def around(value: Any) -> list[Any]:
    """A bound and what lies on both sides of it."""
    if isinstance(value, bool):
        return [value, not value]
    if isinstance(value, UInt):
        return [value, UInt(value + 1), *([UInt(value - 1)] if value else [])]
    if isinstance(value, (int, float)):
        return [value, value + 1, value - 1]
    if isinstance(value, Timestamp):
        return [value, *added(value, Duration(SECOND), 1), *added(value, Duration(SECOND), -1)]
    if isinstance(value, Duration):
        return [value, *added(value, Duration(SECOND), 1), *added(value, Duration(SECOND), -1)]
    return [value, value + "x", ""] if isinstance(value, str) else [value]


def written(value: Any) -> list[Any]:
    """A value as an attribute holds it that is converted to one: times are texts in JSON."""
    if isinstance(value, Timestamp):
        return [timestamp_text(value)]
    return [duration_text(value) if isinstance(value, Duration) else value]


def added(one: Any, other: Any, sign: int) -> list[Any]:
    """`one + sign * other`, of numbers and of times; nothing where that is no value."""
    if isinstance(one, (Timestamp, Duration)) and isinstance(other, (Timestamp, Duration)):
        ns = one.ns + sign * other.ns
        times = isinstance(one, Timestamp) + sign * isinstance(other, Timestamp)
        found = timestamp_of(ns, "+") if times == 1 else duration_of(ns, "+")
        return [] if type(found) is Fault else [found]
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return [one + sign * other]
    return []


def sized(value: Any) -> list[Any]:
    """Things of a size."""
    if type(value) is not int or not 0 <= value <= MOST:
        return []
    return [["x"] * value, "x" * value]


def elements(variable: str, found: Proposals) -> Iterator[Any]:
    """What an element of a list could be, by proposals for it and for its members."""
    own = {path[1:]: values for path, values in found.items() if path[0] == variable}
    yield from own.pop((), [])[:MOST]
    for values in islice(product(*own.values()), MOST_ELEMENTS if own else 0):
        element: dict[str, Any] = {}
        for path, value in zip(own, values, strict=True):
            inner: Any = element
            for field in path[:-1]:
                inner = inner.setdefault(field, {}) if isinstance(inner, dict) else {}
            if value is not ABSENT and isinstance(inner, dict):
                inner[path[-1]] = value
        yield element
