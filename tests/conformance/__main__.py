"""`python -m tests.conformance`: run the suites, print the report, exit 1 where gaps.txt and
reasons.yaml err.

Exit status: 0 as these say, 1 not so, 2 the suite cannot be had (npm or node missing).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from . import checker, comprehension, parser, report
from .cases import Case, conformance
from .fetch import PACKAGE, UPSTREAM, VERSION, Unavailable
from .runner import Outcome, known_failures, read_reasons, run, run_all, unexpected, unknown_gaps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    options = _options(arguments)
    try:
        suites = {name: cases() for name, (cases, _) in SUITES.items()}
    except Unavailable as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    shares: list[str] = []
    reasons = read_reasons()["cases"]
    for name, every in suites.items():
        cases = [
            case
            for case in every
            if options.file in (None, case.file) and (options.k or "") in case.name
        ]
        if cases:
            found = run_all(cases, _progress(len(cases)), SUITES[name][1])
            _print(name, found, options.verbose)
            outcomes += found
            shares.append(report.share(name, found, reasons))
    if not outcomes:
        print("error: no test of the suites has such a name", file=sys.stderr)
        return 2
    print(report.core(outcomes))
    print(*shares, sep="\n")
    gaps = known_failures()
    surprises = unexpected(outcomes, gaps)
    every = [case for cases in suites.values() for case in cases]
    surprises += [f"{name}: no such test" for name in unknown_gaps(every, gaps)]
    for line in surprises if options.verbose else surprises[:20]:
        print(line)
    if not options.verbose and len(surprises) > 20:
        print(f"... and {len(surprises) - 20} more (-v shows them)")
    return 1 if surprises else 0


# Name → how its cases are got, and what becomes of one.
SUITES: dict[str, tuple[Callable[[], list[Case]], Callable[[Case], Outcome]]] = {
    "conformance": (conformance, run),
    parser.NAME: (parser.cases, parser.run),
    checker.NAME: (checker.cases, checker.run),
    comprehension.NAME: (comprehension.cases, comprehension.run),
}


def _print(name: str, outcomes: list[Outcome], verbose: bool) -> None:
    if verbose:
        for line in report.failures(outcomes):
            print(line)
    for line in report.table(outcomes):
        print(line)
    print(f"\nCEL {UPSTREAM} ({PACKAGE}@{VERSION}), {name}: {report.total(outcomes)}\n")


def _progress(count: int) -> Callable[[Case], None]:
    done = 0

    def tick(case: Case) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            end = "\n" if done == count else ""
            print(f"\r{done}/{count} {case.file:<20}", end=end, file=sys.stderr, flush=True)

    return tick


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run the official CEL conformance suites.",
    )
    options.add_argument("-v", "--verbose", action="store_true", help="show every failure")
    options.add_argument("-k", metavar="NAME", help="only tests whose name contains this")
    options.add_argument("--file", metavar="FILE", help="only this file, e.g. basic or parser")
    return options.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
