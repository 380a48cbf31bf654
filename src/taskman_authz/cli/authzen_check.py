"""`taskman-authz authzen-check`: does a decision point conform to AuthZEN 1.0?"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from ..testing.authzen import LevelResult, Outcome, Point, run_checks
from .frame import GREEN, RED, command_parser, counted, errors_in, painted

TOKEN = "TASKMAN_AUTHZ_TOKEN"
DESCRIPTION = """\
Ask a decision point what the certification scenario of AuthZEN 1.0 asks, and more of what the
specification says, and tell level by level what it got wrong. It must be loaded with the scenario's
fixture; `examples/authzen` has it for this one."""

NOTES = f"""\
examples:
  taskman-authz serve --policies examples/authzen/policies \\
      --entities examples/authzen/entities --http-listen 127.0.0.1:8080
  taskman-authz authzen-check http://127.0.0.1:8080
  taskman-authz authzen-check https://pdp.example.com/tenant --ca ca.pem --token "$TOKEN"

Without --token, ${TOKEN} is sent as the bearer token, where it is set. Over http:// nothing that
needs TLS is judged.

exit status: 0 every level passed, 1 one failed, 2 it cannot be asked"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or 1 where a level failed."""
    parser = command_parser("taskman-authz authzen-check", DESCRIPTION, NOTES)
    parser.add_argument("url", metavar="URL", help="the decision point, with its tenant's path")
    parser.add_argument("--ca", metavar="FILE", help="PEM file of who signed its certificate")
    parser.add_argument("--cert", metavar="FILE", help="PEM file of a certificate to show")
    parser.add_argument("--key", metavar="FILE", help="PEM file of its key, if in another file")
    parser.add_argument("--token", default=os.environ.get(TOKEN, ""), help="bearer token")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args(arguments)
    with errors_in(options.format):
        levels = []
        for level in run_checks(_point(options)):
            levels.append(level)
            if options.format == "text":
                print(_told(level), flush=True)
    if options.format == "json":
        found = {"url": options.url, "levels": [_object(level) for level in levels]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    return 1 if any(level.failed for level in levels) else 0


def _point(options: argparse.Namespace) -> Point:
    return Point(options.url, options.ca, options.token, options.cert, options.key)


def _told(level: LevelResult) -> str:
    count = counted(len(level.outcomes), "check", "checks")
    word = painted("failed", RED, sys.stdout) if level.failed else ""
    word = word or painted("passed", GREEN, sys.stdout)
    lines = [f"{level.name}: {word} ({count})"]
    for name, outcomes in (("", level.failed), ("advice: ", level.advice)):
        for each in outcomes:
            lines.append(f"  {name}{each.check.reference} {each.check.title}")
            if each.wrong is not None:
                lines += [f"    expected {each.wrong.expected}", f"    found {each.wrong.found}"]
    return "\n".join(lines)


def _object(level: LevelResult) -> dict[str, Any]:
    checks = [_check(each) for each in level.outcomes]
    return {"name": level.name, "passed": not level.failed, "checks": checks}


def _check(outcome: Outcome) -> dict[str, Any]:
    check, wrong = outcome
    return {
        "reference": check.reference,
        "title": check.title,
        "advice": check.advice,
        "passed": wrong is None,
        "expected": wrong and wrong.expected,
        "found": wrong and wrong.found,
    }
