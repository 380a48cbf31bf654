"""Policy tests: what people write down about what their policies should decide, and running it.

Begin with `document` (what a test file holds), then `cases` (what it means), `loader` (files in,
suites out), `runner` and `reports`.

    suites = load_suites(["policies/"])
    results = list(run(suites))
    print(summary(results))

Laws: a run depends on the files alone: the time of every case is frozen, nothing is fetched.
Wrong files raise CompileError with all that is wrong in all of them, before a case runs.
"""

from __future__ import annotations

from .cases import Case, Suite
from .discovery import find_test_files
from .loader import load_suites
from .reports import by_file, failure_text, json_report, junit_report, summary
from .runner import Result, run, run_case

__all__ = [
    "Case",
    "Result",
    "Suite",
    "by_file",
    "failure_text",
    "find_test_files",
    "json_report",
    "junit_report",
    "load_suites",
    "run",
    "run_case",
    "summary",
]
