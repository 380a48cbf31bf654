"""`taskman-authz compile`: check policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import CompileError
from ..issues import Issue, Issues
from .frame import ERROR, command_parser, counted, error_objects

if TYPE_CHECKING:
    from ..policy import PolicySet

DESCRIPTION = """\
Compile policies as the decision point would, and print everything that is wrong with them, each
with its place. Several paths are one set of policies."""

ELSEWHERE = ("unknown_role", "unknown_import", "undeclared_reference")

NOTES = """\
examples:
  taskman-authz compile policies/taskman
  taskman-authz compile roles.yaml tasks.yaml
  taskman-authz compile --format json policies/ | jq '.issues[].message'

output: how many policies there are, and their revision (the hash of what they say). With
--format json one object with `policies`, `revision` and `issues`: objects with file, line, column,
code, message and hint; where there are issues, there is nothing but them

exit status: 0 they compile, 2 they do not"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where the policies compile."""
    parser = command_parser("taskman-authz compile", DESCRIPTION, NOTES)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a policy file or a folder")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output where all is well")
    options = parser.parse_args(arguments)
    try:
        policies = _compiled(options.paths)
    except CompileError as error:
        if options.format != "json":
            raise
        print(json.dumps({"issues": error_objects(error)}, ensure_ascii=False))
        return ERROR
    if not options.quiet:
        print(_json(policies) if options.format == "json" else _text(policies))
    return 0


def _compiled(paths: list[str]) -> PolicySet:
    """The policies in `paths`. Raises CompileError, also for what cannot be read."""
    from ..policy import compile_documents

    documents, unread = _read(paths)
    if not unread:
        return compile_documents(documents.items())
    try:
        compile_documents(documents.items())
    except CompileError as error:
        # A role may be declared, and a name given, in a file that could not be read.
        unread += (issue for issue in error.issues if issue.code not in ELSEWHERE)
    raise CompileError(Issues.of(unread))


def read_all(paths: list[str]) -> list[tuple[str, str]]:
    """Name and text of every document in `paths`. Raises CompileError where one cannot be read."""
    documents, unread = _read(paths)
    if unread:
        raise CompileError(Issues.of(unread))
    return list(documents.items())


def _read(paths: list[str]) -> tuple[dict[str, str], list[Issue]]:
    from ..policy.files import read_what_can_be

    documents: dict[str, str] = {}  # a document that two paths lead to is one document
    unread: list[Issue] = []
    for path in paths:
        texts, issues = read_what_can_be(path)
        documents.update(texts)
        unread += issues
    return documents, unread


def _text(policies: PolicySet) -> str:
    count = counted(len(policies), "policy", "policies")
    return f"{count}, revision {policies.revision}"


def _json(policies: PolicySet) -> str:
    return json.dumps({"policies": len(policies), "revision": policies.revision, "issues": []})
