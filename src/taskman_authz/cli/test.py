"""`taskman-authz test`, which is `policy-test`: run policy tests."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .frame import GREEN, RED, command_parser, errors_in, painted

if TYPE_CHECKING:
    from ..testing import Result, Suite

DESCRIPTION = """\
Run policy tests: ask the questions that *_test.yaml files list of the policies beside them, at a
frozen time, and compare the answers. PATH is a test file, or a folder in which all are found."""

NOTES = """\
examples:
  {program} policies/
  {program} policies/taskman/tasks_test.yaml -v
  {program} policies/ -k "archived project" -x
  {program} policies/ --junit report.xml --format json

a test file:
  cases:
    - name: a developer edits their own task
      subject: {{type: user, id: "123", roles: [developer], department: engineering}}
      action: tasks:edit
      resource: {{type: tasks, id: "456", owner: "123"}}
      expect: allow

errors: text on standard error; with --format json one object there, as of `taskman-authz check`

exit status: 0 all passed, 1 some failed, 2 an error (a file that does not load, no test found)"""


def main(arguments: list[str], program: str = "taskman-authz test") -> int:
    """Run the command. Returns 0 where all cases passed, 1 where one failed."""
    options = _parser(program).parse_args(arguments)
    from ..testing import load_suites, run

    with errors_in(options.format):
        suites = _chosen(load_suites(options.paths), options.filter)
    if not any(suite.cases for suite in suites):
        print(f"{program}: error: {_nothing(options)}", file=sys.stderr)
        return 2
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    begun = time.perf_counter()
    results = list(run(suites, options.exitfirst))
    seconds = time.perf_counter() - begun
    _report(results, seconds, timestamp, options)
    return 0 if all(result.passed for result in results) else 1


def _parser(program: str) -> argparse.ArgumentParser:
    parser = command_parser(program, DESCRIPTION, NOTES.format(program=program))
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a test file or a folder")
    parser.add_argument(
        "-k", dest="filter", default="", metavar="TEXT", help="only cases whose name has TEXT in it"
    )
    parser.add_argument("-x", "--exitfirst", action="store_true", help="stop at the first failure")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML to FILE as well")
    words = parser.add_mutually_exclusive_group()
    words.add_argument("-v", "--verbose", action="store_true", help="name every case")
    words.add_argument("-q", "--quiet", action="store_true", help="failures and the summary only")
    return parser


def _chosen(suites: Sequence[Suite], text: str) -> list[Suite]:
    """The suites with only those cases whose name holds `text`, in whatever letters."""
    from msgspec.structs import replace

    sought = text.casefold()
    return [
        replace(suite, cases=tuple(c for c in suite.cases if sought in c.name.casefold()))
        for suite in suites
    ]


def _nothing(options: argparse.Namespace) -> str:
    if options.filter:
        return f"no case has `{options.filter}` in its name"
    return f"no *_test.yaml in {', '.join(options.paths)}"


def _report(
    results: Sequence[Result], seconds: float, timestamp: str, options: argparse.Namespace
) -> None:
    from ..testing import json_report, junit_report

    if options.junit:
        with open(options.junit, "w", encoding="utf-8") as file:
            file.write(junit_report(results, timestamp))
    if options.format == "json":
        print(json_report(results))
    else:
        _print_text(results, seconds, options)


def _print_text(results: Sequence[Result], seconds: float, options: argparse.Namespace) -> None:
    from ..testing import by_file, failure_text, summary

    for source, group in by_file(results):
        if options.verbose:
            for result in group:
                print(f"{_word(result)} {source}:{result.case.place.line}: {result.case.name}")
        elif not options.quiet:
            print(f"{source}: {summary(group)}")
    for result in results:
        if not result.passed:
            print(f"\n{failure_text(result)}")
    passed = all(result.passed for result in results)
    line = painted(summary(results, seconds), GREEN if passed else RED, sys.stdout)
    print(line if options.quiet and passed else f"\n{line}")


def _word(result: Result) -> str:
    word, colour = ("passed", GREEN) if result.passed else ("FAILED", RED)
    return painted(word, colour, sys.stdout)
