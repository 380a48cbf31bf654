"""`taskman-authz test`, which is `policy-test`: run policy tests."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .frame import DIM, GREEN, RED, command_parser, errors_in, painted
from .progress import Progress

if TYPE_CHECKING:
    from ..testing import Report, Result

DESCRIPTION = """\
Run policy tests: ask the questions that *_test.yaml files list of the policies beside them, at a
frozen time, and compare the answers. PATH is a test file, or a folder in which all are found."""

NOTES = """\
examples:
  {program} policies/
  {program} policies/taskman/tasks_test.yaml -v
  {program} policies/ -k "archived project" -x
  {program} policies/ --coverage --fail-under 95
  {program} policies/ --mutate --min-score 90 -j 2
  {program} policies/ --coverage --mutate --html report.html
  {program} policies/ --junit report.xml --format json
  {program} policies/ --watch

a test file:
  cases:
    - name: a developer edits their own task
      subject: {{type: user, id: "123", roles: [developer], department: engineering}}
      action: tasks:edit
      resource: {{type: tasks, id: "456", owner: "123"}}
      expect: allow

errors: text on standard error; with --format json one object there, as of `taskman-authz check`

exit status: 0 all passed, 1 some failed or a threshold was not met, 2 an error (a file that does
not load, no test found)"""

WATCHED_EVERY = 0.3  # seconds


def main(arguments: list[str], program: str = "taskman-authz test") -> int:
    """Run the command. Returns 0 where all cases passed and thresholds were met, else 1."""
    parser = _parser(program)
    options = parser.parse_args(arguments)
    if options.watch and options.format != "text":
        parser.error("--watch is for people: it has no other --format than text")
    if options.watch:
        return _watch(options, program)
    with errors_in(options.format):
        return _run(options, program)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = command_parser(program, DESCRIPTION, NOTES.format(program=program))
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a test file or a folder")
    parser.add_argument(
        "-k", dest="filter", default="", metavar="TEXT", help="only cases whose name has TEXT in it"
    )
    parser.add_argument("-x", "--exitfirst", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "-j", "--parallel", type=_positive, default=1, metavar="N", help="in N processes"
    )
    parser.add_argument("--watch", action="store_true", help="run again whenever a file changes")
    parser.add_argument("--format", choices=["text", "json", "tap"], default="text")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML to FILE as well")
    parser.add_argument("--html", metavar="FILE", help="write a page to read to FILE as well")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("-v", "--verbose", action="store_true", help="name every case")
    words.add_argument("-q", "--quiet", action="store_true", help="failures and the summary only")
    _measures(parser)
    return parser


def _measures(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("measures")
    group.add_argument(
        "--coverage",
        action="store_true",
        help="which rules, outcomes and clauses of conditions the cases have seen",
    )
    group.add_argument(
        "--fail-under",
        type=_percent,
        metavar="PERCENT",
        help="fail where less than that of rules, outcomes or clauses was seen",
    )
    group.add_argument(
        "--mutate",
        action="store_true",
        help="change policies, one small thing at a time: which changes does no case notice?",
    )
    group.add_argument(
        "--min-score",
        type=_percent,
        metavar="PERCENT",
        help="fail where less than that of the mutants was noticed",
    )
    group.add_argument("--bench", action="store_true", help="how long the decisions take")


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 0 to 100")
    return value


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"`{text}` is no number of processes")
    return int(text)


# -- running --------------------------------------------------------------------------------------


def _run(options: argparse.Namespace, program: str) -> int:
    from ..testing import Asked, execute

    asked = Asked(
        tuple(options.paths),
        options.filter,
        options.exitfirst,
        options.coverage or options.fail_under is not None,
        options.mutate or options.min_score is not None,
    )
    when, begun = time.gmtime(), time.perf_counter()
    with Progress() as progress:
        report = execute(asked, options.parallel, progress)
    if not report.results:
        print(f"{program}: error: {_nothing(options)}", file=sys.stderr)
        return 2
    _write(report, when, options)
    _print(report, time.perf_counter() - begun, options)
    complaints = list(_complaints(report, options))
    for complaint in complaints:
        print(f"{program}: {complaint}", file=sys.stderr)
    return 0 if report.passed and not complaints else 1


def _watch(options: argparse.Namespace, program: str) -> int:
    """Run, and again whenever a file changes, until somebody interrupts it."""
    from .frame import guarded

    while True:
        guarded(program, lambda: _run(options, program))
        sys.stdout.flush()
        print(painted("watching for changes; Ctrl-C ends it", DIM, sys.stderr), file=sys.stderr)
        before = _state(options.paths)
        while _state(options.paths) == before:
            time.sleep(WATCHED_EVERY)
        print()


def _state(paths: Iterable[str]) -> frozenset[tuple[str, int, int]]:
    """Another value once a file that a run may read was added, removed or written."""
    from ..testing import watched_files

    return watched_files(paths)


def _nothing(options: argparse.Namespace) -> str:
    if options.filter:
        return f"no case has `{options.filter}` in its name"
    return f"no *_test.yaml in {', '.join(options.paths)}"


def _complaints(report: Report, options: argparse.Namespace) -> Iterable[str]:
    """The thresholds that were not met."""
    if report.coverage is not None and options.fail_under is not None:
        for name, share in report.coverage.shares.items():
            if share.percent < options.fail_under:
                yield f"{share} of {name} were seen, less than {options.fail_under:g} %"
    if report.mutants is not None and options.min_score is not None:
        score = report.mutants.score
        if score.percent < options.min_score:
            yield f"{score} of mutants were noticed, less than {options.min_score:g} %"


# -- reporting ------------------------------------------------------------------------------------


def _write(report: Report, when: time.struct_time, options: argparse.Namespace) -> None:
    from ..testing import html_report, junit_report

    if options.junit:
        with open(options.junit, "w", encoding="utf-8") as file:
            file.write(junit_report(report.results, time.strftime("%Y-%m-%dT%H:%M:%S", when)))
    if options.html:
        with open(options.html, "w", encoding="utf-8") as file:
            file.write(html_report(report, time.strftime("%Y-%m-%d %H:%M UTC", when)))


def _print(report: Report, seconds: float, options: argparse.Namespace) -> None:
    from ..testing import json_report, tap_report

    if options.format == "json":
        print(json_report(report.results, report.coverage, report.mutants))
    elif options.format == "tap":
        print(tap_report(report.results), end="")
    else:
        _print_text(report, seconds, options)
    if options.bench:
        _print_times(options)


def _print_times(options: argparse.Namespace) -> None:
    """The times of decisions: to standard error where the output is for programs."""
    from ..testing import chosen, load_suites, measure, time_lines

    times = measure(chosen(load_suites(options.paths), options.filter))
    stream = sys.stdout if options.format == "text" else sys.stderr
    print("\n".join(["", *time_lines(times)]), file=stream)


def _print_text(report: Report, seconds: float, options: argparse.Namespace) -> None:
    from ..testing import by_file, coverage_lines, failure_text, mutant_lines, summary

    results = report.results
    for source, group in by_file(results):
        if options.verbose:
            for result in group:
                print(f"{_word(result)} {source}:{result.case.place.line}: {result.case.name}")
        elif not options.quiet:
            print(f"{source}: {summary(group)}")
    for result in results:
        if not result.passed:
            print(f"\n{failure_text(result)}")
    line = painted(summary(results, seconds), GREEN if report.passed else RED, sys.stdout)
    print(line if options.quiet and report.passed else f"\n{line}")
    if report.coverage is not None:
        print("\n".join(coverage_lines(report.coverage)))
    if report.mutants is not None:
        print("\n".join(mutant_lines(report.mutants)))
    elif options.mutate or options.min_score is not None:
        print("mutants\n  not asked: what fails without a mutant says nothing about one")


def _word(result: Result) -> str:
    word, colour = ("passed", GREEN) if result.passed else ("FAILED", RED)
    return painted(word, colour, sys.stdout)
