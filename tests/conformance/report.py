"""The outcomes as text: a line a file, the total, and what failed or was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from .runner import Outcome


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """A line a file: passed, failed, skipped and why."""
    files: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        files.setdefault(outcome.case.file, []).append(outcome)
    width = max(map(len, files), default=0)
    return [f"{name:<{width}}  {_counts(inside)}" for name, inside in files.items()]


def total(outcomes: Sequence[Outcome]) -> str:
    """`N passed, N failed, N skipped`."""
    counts = Counter(outcome.status for outcome in outcomes)
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def share(name: str, outcomes: Sequence[Outcome], reasons: Collection[str]) -> str:
    """`parser 189 of 194, 5 cannot`: how much of a suite passes."""
    passed = sum(outcome.status == "passed" for outcome in outcomes)
    cannot = sum(outcome.case.name in reasons for outcome in outcomes)
    said = f", {cannot} cannot by the language definition" if cannot else ""
    return f"{name} {passed:,} of {len(outcomes):,}{said}"


def core(outcomes: Iterable[Outcome]) -> str:
    """How much of the suite passes that needs neither protobuf nor an extension."""
    ours = [outcome for outcome in outcomes if not outcome.needs]
    passed = sum(outcome.status == "passed" for outcome in ours)
    share = 100.0 * passed / len(ours) if ours else 100.0
    # Cut off, not rounded: 99.96 % is not 100.0 %.
    return (
        f"{passed} of {len(ours)} ({int(share * 10) / 10:.1f} %) of the tests that need "
        "neither protobuf nor an extension"
    )


def failures(outcomes: Iterable[Outcome]) -> list[str]:
    """Every failing case: its expression, what was expected, what came."""
    lines = []
    for outcome in outcomes:
        if outcome.status == "failed":
            lines += [
                f"FAILED {outcome.case.name}",
                f"  expression {outcome.case.expression!r}",
                f"  expected   {outcome.expected}",
                f"  actual     {outcome.actual}",
            ]
    return lines


def _counts(outcomes: Sequence[Outcome]) -> str:
    whys = Counter(outcome.why for outcome in outcomes if outcome.status == "skipped")
    said = f"  ({', '.join(f'{why}: {count}' for why, count in whys.items())})" if whys else ""
    return total(outcomes) + said
