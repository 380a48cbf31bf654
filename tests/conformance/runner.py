"""Run a case, and say what became of it.

A case passes when the value is the expected one, or an error came where one was expected (any
error: texts are not compared), and the deduced type is the expected one where the suite gives it.
An exception that is not of `taskman_authz.errors` is a failure wherever it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from . import engine
from .cases import Case
from .needs import needs, reason
from .values import expected_form, show

GAPS = Path(__file__).with_name("gaps.txt")
REASONS = Path(__file__).with_name("reasons.yaml")
Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What became of a case. `why` is a skip's reason; `expected` and `actual` a failure's."""

    case: Case
    status: Status
    needs: tuple[str, ...] = ()
    why: str = ""
    expected: str = ""
    actual: str = ""


def run(case: Case) -> Outcome:
    """Evaluate a case, or skip it with the first of its needs that the engine does not meet."""
    needed = needs(case)
    missing = [need for need in needed if need not in engine.SUPPORTED]
    if missing:
        return Outcome(case, "skipped", needed, reason(missing[0]))
    answer = engine.evaluate(case)
    expected = _expected(case)
    actual = _actual(case, answer)
    status: Status = "passed" if expected == actual else "failed"
    if case.error and answer.error is not None:
        status = "passed"
    return Outcome(case, status, needed, "", expected, actual)


def run_all(
    cases: Iterable[Case],
    progress: Callable[[Case], None],
    judge: Callable[[Case], Outcome] = run,
) -> list[Outcome]:
    """Every case's outcome, in order."""
    outcomes = []
    for case in cases:
        progress(case)
        outcomes.append(judge(case))
    return outcomes


def read_gaps(path: Path = GAPS) -> frozenset[str]:
    """The names of the cases that are known to fail; `#` begins a comment."""
    lines = (line.partition(" #")[0].strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def read_reasons() -> dict[str, dict[str, str]]:
    """What cannot be as the suites say, and why: `cases` by their names, and checked `trees`."""
    found: dict[str, dict[str, str]] = yaml.safe_load(REASONS.read_text("utf-8"))
    return found


def known_failures() -> frozenset[str]:
    """The names of the cases that fail: those that should not, and those that cannot pass."""
    return read_gaps() | read_reasons()["cases"].keys()


def unexpected(outcomes: Iterable[Outcome], gaps: frozenset[str]) -> list[str]:
    """What the gaps file does not say: failures that are not in it, passes that still are."""
    found = []
    for outcome in outcomes:
        name = outcome.case.name
        if outcome.status == "failed" and name not in gaps:
            found.append(f"{name}: fails and is not in {GAPS.name} or {REASONS.name}")
        if outcome.status == "passed" and name in gaps:
            found.append(f"{name}: passes now, take it out of {GAPS.name} or {REASONS.name}")
    return found


def unknown_gaps(cases: Iterable[Case], gaps: frozenset[str]) -> list[str]:
    """Names in the gaps file that no case of the whole suite has."""
    return sorted(gaps - {case.name for case in cases})


def _expected(case: Case) -> str:
    parts = []
    if case.error:
        parts.append("an error")
    elif not case.check_only:
        parts.append(show(expected_form(case.value)))
    if case.type is not None:
        parts.append(f"of type {engine.type_name(case.type)}")
    return " ".join(parts)


def _actual(case: Case, answer: engine.Answer) -> str:
    if answer.error is not None or answer.crash is not None:
        return answer.crash or f"error: {answer.error}"
    parts = []
    if not case.check_only:
        parts.append("nothing" if answer.form is None else show(answer.form))
    if case.type is not None:
        parts.append(f"of type {answer.type}")
    return " ".join(parts)
