"""What a release must show. A bar compares columns of one run; one that was not measured is not
met, and says what was missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from .cases import EVALUATIONS
from .compare import OURS, Run

Measure = Callable[[str, str], float]
Found = Callable[[str, str], float | None]  # what a column has for a case, if anything


class Missing(Exception):
    """A cell that a bar needs was not measured."""


@dataclass(frozen=True)
class Bar:
    """A ratio, or an amount of some `unit`, and its bound: at most, or with `at_least` at least.
    `cases` are what it reads."""

    text: str
    bound: float
    ratio: Callable[[Measure], float]
    cases: tuple[str, ...]
    at_least: bool = False
    unit: str = "×"


@dataclass(frozen=True)
class Verdict:
    """A bar in one run: what was found, or why nothing was."""

    bar: str
    met: bool
    value: float | None
    why: str = ""
    unit: str = "×"

    def __str__(self) -> str:
        found = self.why if self.value is None else f"{self.value:.2f}{self.unit}"
        return f"{'met' if self.met else 'MISSED'}: {self.bar}: {found}"


EIGHT = tuple(case.name for case in EVALUATIONS)


def _mean(least: Measure, column: str) -> float:
    """How many times faster than a column, as the geometric mean over the eight cases."""
    return geometric_mean([least(each, column) / least(each, OURS) for each in EIGHT])


BARS = (
    Bar(
        "the document's policy takes at most 1.5× a hand-written Cython function",
        1.5,
        lambda least: least("policy", OURS) / least("policy", "handwritten"),
        ("policy",),
    ),
    Bar(
        "the document's policy with its first branch true takes at most 1.5× that function",
        1.5,
        lambda least: least("policy-true", OURS) / least("policy-true", "handwritten"),
        ("policy-true",),
    ),
    Bar(
        "the eight cases are at least 10× faster than common-expression-language (geometric mean)",
        10.0,
        lambda least: _mean(least, "cel_rust/dicts"),
        EIGHT,
        at_least=True,
    ),
    Bar(
        "the eight cases are at least 10× faster than cel-expr-python (geometric mean)",
        10.0,
        lambda least: _mean(least, "cel_cpp/dicts"),
        EIGHT,
        at_least=True,
    ),
    Bar(
        "the eight cases are at least 500× faster than cel-python (geometric mean)",
        500.0,
        lambda least: _mean(least, "cel_python/dicts"),
        EIGHT,
        at_least=True,
    ),
    Bar(
        "at least six of the eight cases are faster than a plain lambda on dicts",
        6.0,
        lambda least: sum(least(each, OURS) < least(each, "python_lambda") for each in EIGHT),
        EIGHT,
        at_least=True,
        unit=" of 8",
    ),
    Bar(
        "the document's policy on dicts is at least 3× faster than common-expression-language",
        3.0,
        lambda least: least("policy", "cel_rust/dicts") / least("policy", OURS),
        ("policy",),
        at_least=True,
    ),
    Bar(
        "the document's policy on dicts is at least 20× faster than cel-expr-python",
        20.0,
        lambda least: least("policy", "cel_cpp/dicts") / least("policy", OURS),
        ("policy",),
        at_least=True,
    ),
    Bar(
        "compiling the document's policy takes at most 1.5× common-expression-language's time",
        1.5,
        lambda least: least("compile", OURS) / least("compile", "cel_rust/dicts"),
        ("compile",),
    ),
    Bar(
        "compiling the document's policy is at least 3× faster than cel-expr-python",
        3.0,
        lambda least: least("compile", "cel_cpp/dicts") / least("compile", OURS),
        ("compile",),
        at_least=True,
    ),
    Bar(
        "a whole check at 10 policies takes at most 2.5× the evaluation of its four conditions",
        2.5,
        lambda least: least("decide-10", OURS) / least("decide-10", "ours/conditions"),
        ("decide-10",),
    ),
    Bar(
        "100,000 unrelated policies take at most 1.5× the time of 10",
        1.5,
        lambda least: least("decide-100000", OURS) / least("decide-10", OURS),
        ("decide-10", "decide-100000"),
    ),
    Bar(
        "10,000 policies that differ by one equality take at most 3× the time of 10",
        3.0,
        lambda least: least("decide-alike-10000", OURS) / least("decide-10", OURS),
        ("decide-10", "decide-alike-10000"),
    ),
    Bar(
        "a decision among 10,000 policies is at least 100× faster than cedarpy's",
        100.0,
        lambda least: least("decide-10000", "cedar") / least("decide-10000", OURS),
        ("decide-10000",),
        at_least=True,
    ),
    Bar(
        "a decision among 10,000 policies is at least 1,000× faster than casbin's",
        1_000.0,
        lambda least: least("decide-10000", "casbin_rules") / least("decide-10000", OURS),
        ("decide-10000",),
        at_least=True,
    ),
    Bar(
        "1,000 distinct conditions that all must be evaluated take at most 25 ns each",
        25.0,
        lambda least: least("conditions-1000", OURS) * 1e9,
        ("conditions-1000",),
        unit=" ns",
    ),
    Bar(
        "10,000 distinct policies load from YAML in under 1.5 s",
        1.5,
        lambda least: least("load-yaml", OURS),
        ("load-yaml",),
        unit=" s",
    ),
    Bar(
        "10,000 distinct policies load from a bundle in under 0.2 s",
        0.2,
        lambda least: least("load-bundle", OURS),
        ("load-bundle",),
        unit=" s",
    ),
    Bar(
        "10,000 distinct policies take under 40 MiB more memory",
        40.0,
        lambda least: max(least("memory-yaml", OURS), least("memory-bundle", OURS)) * 1e6,
        ("memory-yaml", "memory-bundle"),
        unit=" MiB",
    ),
    Bar(
        "one policy is replaced among 100,000 in under 20 ms",
        20.0,
        lambda least: least("replace-one", OURS) * 1e3,
        ("replace-one",),
        unit=" ms",
    ),
)


def verdicts(run: Run) -> list[Verdict]:
    """Every bar whose cases were asked for."""
    return judged(BARS, {case.name for case in run.cases}, run.least)


def judged(bars: Sequence[Bar], asked: Collection[str], found: Found) -> list[Verdict]:
    """Each of the bars whose cases were asked for, by what was found."""
    return [_verdict(bar, found) for bar in bars if set(asked).issuperset(bar.cases)]


def _verdict(bar: Bar, found: Found) -> Verdict:
    def least(case: str, column: str) -> float:
        seconds = found(case, column)
        if seconds is None:
            raise Missing(f"{column} has no time for {case}")
        return seconds

    try:
        value = bar.ratio(least)
    except Missing as error:
        return Verdict(bar.text, False, None, f"not measured: {error}")
    met = value >= bar.bound if bar.at_least else value <= bar.bound
    return Verdict(bar.text, met, value, unit=bar.unit)
