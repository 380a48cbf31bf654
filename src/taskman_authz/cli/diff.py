"""`taskman-authz diff`: what would be decided otherwise by other policies."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from .check import decision_json
from .frame import GREEN, RED, command_parser, counted, errors_in, painted
from .printing import cel_text, json_value
from .reading import STANDARD_INPUT, read_time

if TYPE_CHECKING:
    from ..request import CheckRequest
    from ..testing.differences import Differences, Flip, RuleFlips

DESCRIPTION = """\
Tell what would be decided otherwise if the policies OLD were replaced by NEW: by the policy that is
behind it, and by subject. The questions are those of a log (`--log`), or made up of what both sets
compare: patterns, roles, constants and attributes."""

NOTES = """\
examples:
  taskman-authz diff policies/ proposed/
  taskman-authz diff policies/ proposed/ --log decisions.jsonl
  zcat decisions.jsonl.gz | taskman-authz diff policies/ proposed/ --log - --format json

a line of a log is a JSON object with `subject`, `action`, `resource` and, if there are such,
`context`, `company_id` and `now`, as `taskman-authz check` takes them; other fields are left alone

exit status: 0 nothing would, 1 something would, 2 an error"""

SUBJECTS = 10  # that are told
REQUESTS = 20_000


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where no decision flips, 1 where one does."""
    options = _parser().parse_args(arguments)
    with errors_in(options.format):
        found = _compared(options)
    if options.format == "json":
        print(json.dumps(_json(found), ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(found, sys.stdout)))
    return 1 if found.flipped else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz diff", DESCRIPTION, NOTES)
    parser.add_argument("old", metavar="OLD", help="a policy file or a folder of them")
    parser.add_argument("new", metavar="NEW", help="those that would be in its place")
    parser.add_argument("--log", metavar="FILE", help="logged decisions, JSON lines; - for stdin")
    parser.add_argument(
        "--requests",
        type=_count,
        default=REQUESTS,
        metavar="N",
        help=f"how many to make up where there is no log (default: {REQUESTS})",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="makes up others (default: 0)"
    )
    parser.add_argument(
        "--now", metavar="TIME", help="the time of requests that are made up (RFC 3339)"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"`{text}` is no number of requests")
    return int(text)


def _compared(options: argparse.Namespace) -> Differences:
    now = time.time_ns() if options.now is None else read_time("now", options.now)
    from ..pdp import PDP
    from ..testing.differences import differ
    from ..testing.replay import replay

    old, new = PDP.from_path(options.old).policies, PDP.from_path(options.new).policies
    if options.log is None:
        return differ(old, new, options.requests, options.seed, now)
    if options.log == STANDARD_INPUT:
        return replay(old, new, sys.stdin.buffer, "<stdin>")
    with open(options.log, "rb") as file:
        return replay(old, new, file, options.log)


# -- text -----------------------------------------------------------------------------------------


def _lines(found: Differences, stream: TextIO) -> Iterator[str]:
    asked = counted(found.asked, "request", "requests")
    yield f"{found.flipped} of {asked} would be decided otherwise"
    if found.incomplete:
        lines = counted(found.incomplete, "line", "lines")
        yield f"  {lines} of the log left out: not all of the request is there"
    if found.unlike:
        lines = counted(found.unlike, "line", "lines")
        yield f"  {lines} of the log were decided otherwise than the old policies decide them"
    for rule in found.by_rule:
        yield ""
        yield from _rule_lines(rule, stream)
    subjects = found.by_subject
    if subjects:
        yield ""
        yield f"of {counted(len(subjects), 'subject', 'subjects')}:"
        yield from (f"  {count:>6}  {name}" for name, count in subjects[:SUBJECTS])
        if len(subjects) > SUBJECTS:
            yield f"  and {len(subjects) - SUBJECTS} more"


def _rule_lines(rule: RuleFlips, stream: TextIO) -> Iterator[str]:
    word = painted("would be allowed", GREEN, stream)
    if rule.effect == "deny":
        word = painted("would be denied", RED, stream)
    subjects = counted(len(rule.subjects), "subject", "subjects")
    yield f"{rule.rule}: {rule.count} {word}, of {subjects}"
    for flip in rule.examples:
        yield f"  {_example(flip)}"
        if not flip.line:  # nobody can look it up
            yield from (f"      {line}" for line in _attributes(flip.request))


def _attributes(asked: CheckRequest) -> Iterator[str]:
    for name in ("subject", "resource", "context"):
        held = getattr(asked, name) or {}
        shown = {key: value for key, value in held.items() if (name, key) != ("subject", "roles")}
        if shown:
            yield f"{name} {cel_text(shown)}"


def _example(flip: Flip) -> str:
    asked = flip.request
    company = "" if asked.company_id is None else f" company {asked.company_id}"
    line = f"line {flip.line}: " if flip.line else ""
    roles = f" ({', '.join(asked.roles)})" if asked.roles else ""
    thing = f"{asked.resource_type}/{asked.resource_id}"
    return f"{line}{flip.subject}{roles} {asked.action} {thing}{company}"


# -- JSON -----------------------------------------------------------------------------------------


def _json(found: Differences) -> dict[str, Any]:
    return {
        "asked": found.asked,
        "flipped": found.flipped,
        "incomplete": found.incomplete,
        "unlike": found.unlike,
        "rules": [_rule_json(rule) for rule in found.by_rule],
        "subjects": [{"subject": name, "count": count} for name, count in found.by_subject],
    }


def _rule_json(rule: RuleFlips) -> dict[str, Any]:
    return {
        "policy": rule.rule,
        "effect": rule.effect,
        "count": rule.count,
        "subjects": len(rule.subjects),
        "examples": [_flip_json(flip) for flip in rule.examples],
    }


def _flip_json(flip: Flip) -> dict[str, Any]:
    asked = flip.request
    subject = {"type": asked.subject_type, "id": asked.subject_id, **(asked.subject or {})}
    resource = {"type": asked.resource_type, "id": asked.resource_id, **(asked.resource or {})}
    action = {"name": asked.action, **(asked.action_attributes or {})}
    request = {"subject": subject, "action": action, "resource": resource}
    return {
        "line": flip.line or None,
        "request": json_value(
            {**request, "context": asked.context, "company_id": asked.company_id}
        ),
        "before": decision_json(flip.before),
        "after": decision_json(flip.after),
    }
