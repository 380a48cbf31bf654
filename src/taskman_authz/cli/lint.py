"""`taskman-authz lint`: what is right but cannot be meant."""

from __future__ import annotations

import json

from ..issues import Issues
from .compile import read_all
from .frame import command_parser, counted, errors_in, issue_objects

DESCRIPTION = """\
Tell what compiles but cannot be meant: policies that never decide anything, names that nobody uses,
patterns that are wider than what they are for. Several paths are one set of policies. A finding
that is meant to be so is silenced where it stands, by its code: `lint_ignore: [redundant]` in the
policy, the role or the document."""

NOTES = """\
examples:
  taskman-authz lint policies/taskman
  taskman-authz lint --format json policies/taskman | jq '.findings[].code'
  taskman-authz lint --codes

output: each finding with its place and its code; with --format json one object with `findings`:
objects with file, line, column, code, message and hint

exit status: 0 no findings, 1 some, 2 the policies do not compile, or cannot be read"""

FINDINGS = 1


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where there is nothing to tell."""
    parser = command_parser("taskman-authz lint", DESCRIPTION, NOTES)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a policy file or a folder")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--codes", action="store_true", help="list all codes and what they mean")
    options = parser.parse_args(arguments)
    from ..policy.lint import CODES, lint

    if options.codes:
        if options.format == "json":
            print(json.dumps(dict(CODES), ensure_ascii=False))
        else:
            print("\n".join(f"{code:<20} {meaning}" for code, meaning in CODES.items()))
        return 0
    if not options.paths:
        parser.error("the following arguments are required: PATH")
    with errors_in(options.format):
        found = lint(read_all(options.paths))
    print(_json(found) if options.format == "json" else _text(found))
    return FINDINGS if found else 0


def _text(found: Issues) -> str:
    told = [issue.render("finding") for issue in found]
    return "\n\n".join(
        [*told, counted(len(found), "finding", "findings") if found else "no findings"]
    )


def _json(found: Issues) -> str:
    return json.dumps({"findings": issue_objects(found)}, ensure_ascii=False)
