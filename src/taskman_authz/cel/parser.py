"""The door of parsing: a source to its tree, or to all the issues that it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .._fast import syntax
from .._fast.expansion import Expander, MacroTable
from .._fast.lexis import Problem
from .._fast.tree import Call, Expr
from ..errors import CompileError
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from . import messages
from .check_messages import Said
from .macros import STANDARD_MACROS
from .nesting import too_deep
from .source import Source


class Parsed(NamedTuple):
    """The tree of `source`. `macro_calls` maps the id of every node that a macro became to the
    call that was written: what an unparser shows in its place."""

    expr: Expr
    source: Source
    macro_calls: Mapping[int, Call]


def parse(
    source: Source,
    macros: Mapping[tuple[str, int, bool], Expander] | MacroTable = STANDARD_MACROS,
    limits: Limits = DEFAULT,
    optionals: bool = True,
) -> Parsed:
    """The tree of a source. Raises CompileError with all issues; the syntax of optional values is
    one where there are no `optionals`."""
    result = syntax.parse(
        source.text,
        macros if isinstance(macros, MacroTable) else MacroTable(macros),
        limits.expression_length,
        limits.expression_depth,
        limits.expression_nodes,
        limits.issues,
        optionals,
    )
    if result.expr is None:
        raise CompileError(Issues.of(issues_of(source, result.problems, limits)))
    most = limits.comprehension_depth
    if len(result.macro_calls) > most and (place := too_deep(result.expr, most)) >= 0:
        problem = Problem("limit_exceeded", place, place, ("comprehension_depth", str(most)))
        raise CompileError(Issues.of(issues_of(source, [problem], limits)))
    return Parsed(result.expr, source, result.macro_calls)


def issues_of(source: Source, problems: list[Problem], limits: Limits) -> list[Issue]:
    """The parser's problems in words, each at its place."""
    issues = []
    read = 0
    for index, problem in enumerate(problems):
        read += problem.position
        asks = read <= limits.diagnosis_length
        said = worded(source.text, problems[: index + 1], asks)
        issues.append(Issue(source.place(problem.position), *said))
    return issues


def worded(text: str, problems: list[Problem], asks: bool = True) -> Said:
    """The last of `problems` in words; those before it tell how to read the text up to there. If
    it `asks`, they tell what was expected."""
    problem = problems[-1]
    if problem.code in ("unexpected", "unexpected_end"):
        before = "".join(text[: problem.position].split()[-1:])
        found = expected(text, problems) if asks else ""
        return messages.syntax_error(problem.details[0], found, before)
    say: Callable[..., Said] | None = messages.PROBLEMS.get(problem.code)
    if say is None:  # a macro has worded it
        return problem.code, problem.details[0], problem.details[1]
    return say(*problem.details)


def expected(text: str, problems: list[Problem]) -> str:
    """What could stand where the last of `problems` is."""
    from .expected import expected  # it imports lark, and only a mistake needs that

    return expected(text, problems)
