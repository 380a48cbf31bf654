"""`taskman-authz compile`: check policies."""

from __future__ import annotations

import json
import os
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from ..errors import CompileError
from ..issues import Issue, Issues
from .frame import ERROR, command_parser, counted, error_objects
from .progress import Progress

if TYPE_CHECKING:
    from ..policy import PolicySet

DESCRIPTION = """\
Compile policies as the decision point would, and print everything that is wrong with them, each
with its place. Several paths are one set of policies. With -o they are written to a bundle: one
file that is loaded without compiling anything, by `check`, `serve` and `PDP.from_path`; signed
(Ed25519) with --sign-key, which may also be $TASKMAN_AUTHZ_SIGN_KEY."""

ELSEWHERE = ("unknown_role", "unknown_import", "undeclared_reference")

NOTES = """\
examples:
  taskman-authz compile policies/taskman
  taskman-authz compile roles.yaml tasks.yaml
  taskman-authz compile policies/ -o policies.bundle --sign-key bundle.key
  taskman-authz compile --format json policies/ | jq '.issues[].message'

output: how many policies there are, and their revision (the hash of what they say). With
--format json one object with `policies`, `revision` and `issues`: objects with file, line, column,
code, message and hint; where there are issues, there is nothing but them

keys: openssl genpkey -algorithm ed25519 -out bundle.key
      openssl pkey -in bundle.key -pubout -out bundle.pub

exit status: 0 they compile, 2 they do not"""

SIGN_KEY = "TASKMAN_AUTHZ_SIGN_KEY"
SUFFIX = ".bundle"


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where the policies compile."""
    parser = command_parser("taskman-authz compile", DESCRIPTION, NOTES)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a policy file or a folder")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output where all is well")
    parser.add_argument("-o", "--output", metavar="FILE", help="write a bundle (FILE.bundle)")
    parser.add_argument("--sign-key", metavar="FILE", help="an Ed25519 private key (PEM)")
    options = parser.parse_args(arguments)
    if options.output and not options.output.endswith(SUFFIX):
        parser.error(f"a bundle's name ends in `{SUFFIX}`, which `{options.output}` does not")
    if options.sign_key and not options.output:
        parser.error("--sign-key signs a bundle: say which with -o")
    try:
        with Progress() as progress:
            policies = _compiled(options.paths, progress)
    except CompileError as error:
        if options.format != "json":
            raise
        print(json.dumps({"issues": error_objects(error)}, ensure_ascii=False))
        return ERROR
    if options.output:
        _write(policies, options.output, options.sign_key or os.environ.get(SIGN_KEY) or None)
    if not options.quiet:
        print(_json(policies) if options.format == "json" else _text(policies))
    return 0


def _write(policies: PolicySet, file: str, sign_key: str | None) -> None:
    """Write a bundle."""
    from ..policy import bundle

    data = bundle.write(policies, sign_key)
    try:
        _replace(file, data)
    except OSError as error:  # told of the file that was asked for, not of the one beside it
        raise OSError(error.errno, error.strerror, file) from None


def _replace(file: str, data: bytes) -> None:
    """Whoever reads the file meanwhile reads the old one or the new one."""
    folder, name = os.path.split(os.path.abspath(file))
    with NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as written:
        try:
            written.write(data)
            written.close()
            os.chmod(written.name, 0o644)
            os.replace(written.name, file)
        except BaseException:
            os.unlink(written.name)
            raise


def _compiled(paths: list[str], progress: Progress) -> PolicySet:
    """The policies in `paths`. Raises CompileError, also for what cannot be read."""
    from ..policy import compile_documents

    documents, unread = _read(paths)
    if not unread:
        return compile_documents(documents.items(), progress=progress)
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
