"""Run the tests on both twins of the core and say how many passed on each.

    python tools/run_tests.py [ARGUMENTS OF PYTEST]

First everything on the compiled twin, and what is an example of its own (`examples/taskman`) in a
process of its own; then the sidecar's processes once more on the transport that is not the
default; then, with TASKMAN_AUTHZ_PURE=1, the tests of the core and of all that runs above it in
process: not those that start processes, talk to servers or build wheels, which ask nothing of the
core that the others do not. Where the core is not compiled, everything runs on the plain twin. Exit
status 1 if a test failed on either.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".cache" / "tests"
IN_PROCESS = "not process and not servers and not packaging"
TITLES = {
    "compiled": "compiled twin",
    "pure": "pure twin",
    "taskman": "examples/taskman",
    "grpcio": "the sidecar on grpcio",
}
# What a pass has in its environment, beside what is there.
SETTINGS = {
    "pure": {"TASKMAN_AUTHZ_PURE": "1"},
    "grpcio": {"TASKMAN_AUTHZ_TRANSPORT": "grpcio"},
}
# Of the sidecar's tests those that speak gRPC to a process.
ON_GRPCIO = ["tests/sidecar", "--ignore=tests/sidecar/http", "--ignore=tests/sidecar/http2"]
NO_TESTS = 5  # pytest's exit status where the arguments select none


@dataclass(frozen=True)
class Counts:
    """How a run of pytest ended."""

    passed: int
    failed: int
    skipped: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def built_twin() -> str:
    """Which twin this checkout has: `compiled` or `pure`. Ends the program where the core
    refuses to be imported, with the core's own words."""
    environment = dict(os.environ)
    environment.pop("TASKMAN_AUTHZ_PURE", None)
    probe = "from taskman_authz._fast import twin; print(twin())"
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    if answer.returncode:
        sys.exit(answer.stderr)
    return answer.stdout.strip()


def run(twin: str, arguments: list[str]) -> tuple[int, Counts, float]:
    """Run one pass (a key of TITLES): its exit status, its counts, the seconds it took."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    report = REPORTS / f"{twin}.xml"
    report.unlink(missing_ok=True)
    environment = dict(os.environ)
    environment.pop("TASKMAN_AUTHZ_PURE", None)
    environment.update(SETTINGS.get(twin, {}))
    command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *arguments]
    start = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, env=environment).returncode
    return status, read(report), time.monotonic() - start


def read(report: Path) -> Counts:
    """The counts of a JUnit report; one failure where there is none, for then pytest broke."""
    if not report.exists():
        return Counts(0, 1, 0)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None, report
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Counts(max(0, total - failed - skipped), failed, skipped)


def main(arguments: list[str]) -> int:
    """Run the passes, print a line for each and their sum."""
    compiled = built_twin() == "compiled" and os.environ.get("TASKMAN_AUTHZ_PURE") != "1"
    passes = [("compiled", arguments)] if compiled else []
    if not arguments:
        passes.append(("taskman", ["examples/taskman/tests"]))
        passes.append(("grpcio", [*ON_GRPCIO, "-m", "process"]))
    passes.append(("pure", [*arguments, "-m", IN_PROCESS] if compiled else arguments))
    total, bad, lines = Counts(0, 0, 0), False, []
    for twin, selection in passes:
        print(f"\n== {TITLES[twin]}", flush=True)
        status, counts, seconds = run(twin, selection)
        bad = bad or status not in (0, NO_TESTS) or counts.failed > 0
        total += counts
        lines.append(f"{TITLES[twin]}: {counts.passed} passed in {seconds:.0f} s")
    if not compiled:
        lines.insert(0, "compiled twin: NOT BUILT, everything ran on the plain one")
    print("", *lines, total, sep="\n", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
