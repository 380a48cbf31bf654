"""Policy tests: what people write down about what their policies should decide, and running it.

Begin with `document` (what a test file holds), then `cases` (what it means), `loader` (files in,
suites out), `runner`, `coverage`, `mutation` and `reports`; `session` does all of it.

    suites = load_suites(["policies/"])
    results = list(run(suites))
    print(summary(results))

Laws: a run depends on the files alone: the time of every case is frozen, nothing is fetched.
Wrong files raise CompileError with all that is wrong in all of them, before a case runs.
"""

from __future__ import annotations

from .cases import Case, Suite
from .coverage import Coverage, coverage
from .discovery import find_test_files
from .html_report import html_report
from .loader import load_suites
from .mutation import Mutant, Mutants, mutate
from .reports import (
    by_file,
    coverage_lines,
    failure_text,
    json_report,
    junit_report,
    mutant_lines,
    summary,
    tap_report,
)
from .runner import Result, run, run_case
from .session import Asked, Report, chosen, execute
from .timing import measure, time_lines
from .watching import watched_files

__all__ = [
    "Asked",
    "Case",
    "Coverage",
    "Mutant",
    "Mutants",
    "Report",
    "Result",
    "Suite",
    "by_file",
    "chosen",
    "coverage",
    "coverage_lines",
    "execute",
    "failure_text",
    "find_test_files",
    "html_report",
    "json_report",
    "junit_report",
    "load_suites",
    "measure",
    "mutant_lines",
    "mutate",
    "run",
    "run_case",
    "summary",
    "tap_report",
    "time_lines",
    "watched_files",
]
