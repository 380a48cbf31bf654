"""`taskman-authz log`: decision logs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from .frame import GREEN, RED, command_parser, counted, errors_in, painted

if TYPE_CHECKING:
    from ..decision_log import Verification

DESCRIPTION = """\
Verify decision logs: whether every line is as it was written, and none was taken out, put in or
moved. Several files are one log that was rotated, the oldest first."""

NOTES = """\
examples:
  taskman-authz log verify decisions.jsonl
  taskman-authz log verify decisions.jsonl.2 decisions.jsonl.1 decisions.jsonl
  taskman-authz log verify --format json decisions.jsonl | jq -r .last > elsewhere
  taskman-authz log verify --kept "$(cat elsewhere)" decisions.jsonl

output: how many lines hang together, and the last hash, or the first line that does not. With
--format json one object with lines, first (what the first line follows: 64 zeros where a log
begins), last, torn (how many of the lines are) and broken (null, or file, line and why)

Lines that are cut off the end leave a log that is whole, and whoever can write the whole file can
write another one: keep the last hash where they cannot, and give it back with --kept. The last line
of a process that was killed may be torn, and is named until another line follows it.

exit status: 0 the log is whole, 1 it is broken, 2 an error"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where the log is whole, else 1."""
    parser = command_parser("taskman-authz log", DESCRIPTION, NOTES)
    parser.add_argument("command", choices=["verify"], metavar="verify")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a decision log")
    parser.add_argument(
        "--kept", metavar="HASH", help="a last hash of before: it must be there still"
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output, the status only")
    options = parser.parse_args(arguments)
    from ..decision_log import verify

    with errors_in(options.format):
        found = verify(options.files, kept=options.kept)
    if not options.quiet:
        print(_json(found) if options.format == "json" else _text(found))
    return 0 if found.broken is None else 1


def _text(found: Verification) -> str:
    from ..decision_log.chain import START

    count = counted(found.lines, "line", "lines")
    if found.broken is None:
        torn = f" ({found.torn} torn by a crash)" if found.torn else ""
        told = painted(f"{count}, whole{torn}; last hash {found.last or 'none'}", GREEN, sys.stdout)
        if found.first in ("", START):
            return told
        return f"{told}\nthe first line follows others, which are not here: hash {found.first}"
    file, line, why = found.broken
    broken = painted(f"the line {why}", RED, sys.stdout)
    return f"{file}:{line}: {broken} ({count} before it whole)"


def _json(found: Verification) -> str:
    answer = {
        "lines": found.lines,
        "first": found.first or None,
        "last": found.last or None,
        "torn": found.torn,
        "broken": found.broken and found.broken._asdict(),
    }
    return json.dumps(answer, ensure_ascii=False)
