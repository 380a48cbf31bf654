"""A compiled expression: `program.evaluate({...})`, plain Python values in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, Protocol

from .._fast.activation import Activation
from .._fast.evaluator import Evaluator
from .._fast.nodes import Node, placed
from .._fast.partial import is_unknown
from .._fast.values import Fault
from ..errors import ArgumentError, require
from ..limits import Limits
from .checker import Checked
from .costs import Cost, Counter, Spent
from .estimate import Estimator, Sizes
from .explanation import Explanation, explain
from .expression import Expression
from .layout import Layout
from .observation import Observable
from .outcome import evaluation_error, plain
from .parser import Parsed
from .partial import Partial, Pattern, Unknown, patterns_of
from .residual import residual_text
from .source import Source
from .types import Type


class Origin(Protocol):
    """Where a program is from, and can be compiled again."""

    @property
    def limits(self) -> Limits:
        """The limits of its evaluations."""

    def parse(self, source: Source) -> Parsed:
        """Its tree."""

    def check_tree(self, parsed: Parsed) -> Checked:
        """That tree, checked. Raises CompileError where it was not and does not."""

    def observable(self, source: Source) -> Observable:
        """The expression as one whose parts can be watched."""

    def expression(self, source: Source) -> Expression:
        """The expression's trees."""

    def residual(self, text: str) -> Program:
        """The program of what remains of the expression."""


class Program(Evaluator):
    """An expression that can be evaluated any number of times, by any number of threads.

    `evaluate(variables)` gives the value as plain Python: None, bool, int, `UInt`, float, str,
    bytes, list, dict (`MixedMap` where both bools and numbers are keys), `cel.Timestamp` (a
    datetime), `cel.Duration` (a timedelta), `cel.CelType`, `cel.Optional`, or an object of the
    caller's own. Raises EvaluationError where the value is an error. `value(variables)` gives the
    core's value, which may be a Fault. `evaluate(variables, budget=1_000)` raises EvaluationError
    `limit_exceeded` as soon as more than that is spent. `type` is what the checker found.
    """

    __slots__ = ("origin", "planned_partially", "source", "type")

    def __init__(
        self, node: Node, layout: Layout, source: Source, type: Type, origin: Origin
    ) -> None:
        steps = origin.limits.evaluation_steps
        super().__init__(node, layout.slots, layout.registers, len(layout.roots), steps)
        self.source = source
        self.type = type
        self.origin = origin
        self.planned_partially: Partial | None = None  # made when it is first asked for

    def observable(self) -> Observable:
        """The same expression as one whose parts can be watched. It is compiled anew: a program
        keeps no tree."""
        return self.origin.observable(self.source)

    def partial(self, variables: Any = None, unknown: Iterable[Pattern] = ()) -> Any:
        """The value where some attributes are not known, as `evaluate` gives it, or `Unknown` if it
        depends on what they are.

        `unknown` are patterns of attributes: `resource.owner`, `task.tags[0]`, `items[*].price`,
        as texts or as `AttributePattern`. They need not be among `variables`, and where they are
        they count as not known. `false && unknown` is false, `true || unknown` is true, in macros
        too. Raises EvaluationError where the value is an error, and CompileError for a pattern
        that is none.
        """
        planned = self.planned_partially
        if planned is None:
            planned = self.planned_partially = Partial(self.origin.expression(self.source))
        value = planned.value(self.core_variables(variables), patterns_of(unknown))
        return Unknown(value.details) if is_unknown(value) else self.finish(value)

    def residual(self, variables: Any = None, unknown: Iterable[Pattern] = ()) -> Program:
        """What remains where some attributes are not known: a program over these, whose `text` has
        everything else folded to literals. `variables` and `unknown` are those of `partial`.

        Over the unknown attributes it gives what this program gives over all of them, and fails
        where this one fails. A known value that cannot be written, an object of the caller's, is
        left as the attribute that it is read from. Raises CompileError for a pattern that is none,
        where known values nest too deep for an expression, and where a loop remains of which a tree
        (`cel.protobuf`) told no macro.
        """
        expression = self.origin.expression(self.source)
        known = self.core_variables(variables)
        made = self.origin.residual(residual_text(expression, known, patterns_of(unknown)))
        made.type = self.type
        return made

    def explain(self, variables: Any = None) -> Explanation:
        """Every part of the expression with its value, or its error, or that it was not evaluated;
        of loops the first turns and the last. It contains values of `variables`: it is for those
        who may see them. Raises CompileError for a tree from outside that has a loop which no macro
        writes, and so no text."""
        expression = self.origin.expression(self.source)
        return explain(expression, self.source, self.core_variables(variables))

    @property
    def cost(self) -> Cost:
        """What an evaluation costs at least and at most, where nothing is known of sizes."""
        return self.estimate()

    def estimate(self, sizes: Sizes | None = None) -> Cost:
        """What an evaluation costs at least and at most (`cel.costs` says in which units).

        `sizes` says how large values are: names as they are read (`"name"`, `"task.tags"`), with
        `.@items`, `.@keys` and `.@values` for what a list or map holds (`"task.tags.@items"`), to
        the most characters, bytes, elements or entries, or to a pair of the least and the most.
        What it does not name may have any size, and then there may be no most: it is
        `cel.costs.UNBOUNDED`. The most holds for variables that have the declared types and these
        sizes, the least where moreover no part of the expression fails.
        """
        require("sizes", sizes, (Mapping, NoneType), "a mapping of names to sizes")
        return Estimator(self.observable(), sizes or {}).cost()

    def within(self, variables: Any, budget: int) -> Any:
        return self.measure(variables, budget)[0]

    def measure(self, variables: Any = None, budget: int | None = None) -> tuple[Any, int]:
        """The value as `evaluate` gives it, and what it cost. Raises EvaluationError as that does.
        The expression is compiled anew to be watched, and takes some times longer."""
        require("budget", budget, (int, NoneType), "a whole number from 0")
        if budget is not None and budget < 0:
            raise ArgumentError("budget", "a whole number from 0", f"{budget}")
        watched = self.observable()
        counter = Counter(watched, budget)
        try:
            value = watched.value(self.core_variables(variables), counter)
        except Spent as spent:
            fault = Fault("limit_exceeded", ("budget", budget), spent.position)
            raise evaluation_error(fault, self.source) from None
        return self.finish(value), counter.cost

    def core_variables(self, variables: Any) -> Any:
        """What the core is given for the variables that `evaluate` is given."""
        return variables or {}

    def finish(self, value: Any) -> Any:
        if type(value) is Fault:
            raise evaluation_error(value, self.source)
        meter = Activation(0, 0, 0, self.steps)
        found = placed(plain(value, meter=meter), self.node.position)
        if type(found) is Fault:
            raise evaluation_error(found, self.source)
        return found

    @property
    def text(self) -> str:
        """The expression."""
        return self.source.text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Program {self.source.text!r}: {self.type}>"
