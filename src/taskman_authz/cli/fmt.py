"""`taskman-authz fmt`: lay out CEL, in files of its own and in policies."""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import CompileError, StoreError
from ..issues import Issue, Issues, Place
from .frame import command_parser, told
from .reading import STANDARD_INPUT, standard_input

SUFFIX = ".cel"
STDIN = "<stdin>"  # what messages call it
NARROWEST = 20

DESCRIPTION = """\
Lay out CEL expressions as a person would: *.cel files, and the conditions of policy documents, of
which all else stays as it is, byte for byte. Only white space changes; comments, literals and
parentheses stay. Without a PATH, or for `-`, standard input is an expression, and standard output
has it laid out. In a folder, all *.cel files and policy documents are formatted. Policy tests
(*_test.yaml) have no conditions, and stay as they are."""

NOTES = """\
examples:
  taskman-authz fmt policies/
  taskman-authz fmt --check policies/ rules.cel
  taskman-authz fmt --diff --width 100 policies/taskman/tasks.yaml
  echo 'a&&b' | taskman-authz fmt

output: the names of the files that were rewritten, with --check of those that would be

exit status: 0 done, 1 with --check or --diff where a file would change, 2 an error (a file that
does not parse, or may not be written, is left as it is; the others are formatted)"""


class Change(NamedTuple):
    """A file, what it holds, and what it is to hold."""

    name: str
    before: str
    after: str

    def diff(self) -> str:
        """The lines that change, as `diff -u` tells them."""
        lines = difflib.unified_diff(
            self.before.splitlines(True), self.after.splitlines(True), self.name, self.name
        )
        ended = (
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )
        return "".join(ended)


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or 1 where something would change that was only asked about."""
    options = _parser().parse_args(arguments)
    issues: list[Issue] = []
    changed = False
    for change in _changes(options.paths or [STANDARD_INPUT], options.width, issues):
        changed = changed or change.before != change.after
        if options.diff:
            print(change.diff(), end="")
        elif options.check:
            print(end=f"{change.name}\n" if change.before != change.after else "")
        elif change.name == STDIN:
            print(change.after, end="")
        elif change.before != change.after:
            try:
                replace(Path(change.name), change.after)
            except OSError as error:
                message = f"cannot write: {told(error)}"
                issues.append(Issue(Place(change.name), "unwritable", message))
            else:
                print(change.name)
    if issues:
        sys.stdout.flush()
        raise CompileError(Issues.of(issues))
    return 1 if changed and (options.check or options.diff) else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz fmt", DESCRIPTION, NOTES)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a *.cel file, a policy file, a folder, or -"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--check", action="store_true", help="write nothing, name the files that would change"
    )
    only.add_argument("--diff", action="store_true", help="write nothing, print what would change")
    parser.add_argument(
        "--width",
        type=_width,
        default=80,
        metavar="N",
        help=f"how long a line may be, {NARROWEST} or more (default: %(default)s)",
    )
    return parser


def _width(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < NARROWEST:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of columns from {NARROWEST} on")
    return int(text)


def _changes(paths: Iterable[str], width: int, issues: list[Issue]) -> Iterator[Change]:
    """What is to become of every file, those left out with which something is wrong."""
    from ..cel.formatter import formatted_file
    from ..policy.files import read_text, unreadable
    from ..policy.formatter import formatted_document

    for name in _names(paths, issues):
        try:
            if name == STANDARD_INPUT:
                text = standard_input()
                yield Change(STDIN, text, formatted_file(STDIN, text, width))
                continue
            text = read_text(Path(name))
            format_text = formatted_file if name.endswith(SUFFIX) else formatted_document
            yield Change(name, text, format_text(name, text, width))
        except CompileError as error:
            issues += error.issues
        except StoreError as error:
            issues.append(unreadable(name, error))


def _names(paths: Iterable[str], issues: list[Issue]) -> list[str]:
    """The files that paths lead to, each once. Policy tests are left out, which have no conditions:
    a shell that writes out `*.yaml` names them too."""
    from ..policy.files import TEST_ENDINGS, find_files, unreadable

    found: dict[str, None] = {}
    for path in paths:
        try:
            files = [path] if path == STANDARD_INPUT else map(str, find_files(path, (SUFFIX,)))
            found |= dict.fromkeys(file for file in files if not file.endswith(TEST_ENDINGS))
        except StoreError as error:
            issues.append(unreadable(path, error))
    return list(found)


def replace(file: Path, text: str) -> None:
    """Give a file another text at once: who reads it meanwhile reads the one or the other. What a
    link leads to is replaced, not the link; what may not be written stays. Raises OSError."""
    target = file.resolve()
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
            os.fchmod(stream.fileno(), target.stat().st_mode)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
