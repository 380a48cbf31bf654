"""`taskman-authz repl`: expressions and their values, as they are typed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import AuthzError
from .frame import command_parser, told
from .reading import given_variables, next_line, variable_options

if TYPE_CHECKING:
    from .session import Session

PROMPT, MORE = "cel> ", "...> "  # of one width, so that lines stand below each other
HISTORY_LINES = 1_000

DESCRIPTION = """\
Evaluate CEL expressions as they are typed, with the functions that policy conditions have. An
expression that is not finished goes on in the next line; an empty line ends it. Tab completes
names, fields, functions and commands; Ctrl-C abandons a line, Ctrl-D leaves. What does not come
from a terminal is read line by line, and only values are printed.

At the prompt, `:help` lists the commands: variables, types, trees, libraries, layout."""

NOTES = """\
examples:
  taskman-authz repl
  taskman-authz repl --policy --input request.json
  taskman-authz repl --library strings --library math --var limit=10
  printf 'x + 1\\n:type x\\n' | taskman-authz repl --var x=2

history: $XDG_STATE_HOME/taskman-authz/repl_history (~/.local/state where that is not set)

exit status: 0, or with -e 1 where an expression or a command failed; 2 an error of usage"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or with `-e` 1 where something failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.input == "-":
        parser.error("--input cannot be `-`: what is typed comes from standard input")
    variables = given_variables(parser, options)
    from .session import Session

    session = Session(variables)
    if options.policy:
        session.answer(":policy")
    if options.libraries:
        session.answer(f":libraries {' '.join(options.libraries)}")
    failed = _interactive(session, options) if sys.stdin.isatty() else _loop(session, _piped)
    return 1 if failed and options.exit_status else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz repl", DESCRIPTION, NOTES)
    variable_options(parser)
    parser.add_argument(
        "--library",
        dest="libraries",
        metavar="NAME",
        action="append",
        default=[],
        help="add a library, or `all`; as often as there are libraries",
    )
    parser.add_argument(
        "--policy", action="store_true", help="declare what the conditions of policies read"
    )
    parser.add_argument("--no-history", action="store_true", help="read and write no history")
    parser.add_argument(
        "-e", "--exit-status", action="store_true", help="exit with 1 where something failed"
    )
    return parser


# -- at a terminal -------------------------------------------------------------------------------


def _interactive(session: Session, options: argparse.Namespace) -> bool:
    from .version import version_line

    readline = _readline()
    history = None if options.no_history or readline is None else history_file()
    if readline is not None:
        Completer(session, readline).install()
    if history is not None:
        _begin_history(readline, history)
    print(f"{version_line()}\n:help lists the commands, Ctrl-D leaves")
    try:
        return _loop(session, input)
    finally:
        if history is not None:
            _save_history(readline, history)


def _readline() -> Any:
    """The line editor, where this Python has one."""
    try:
        import readline
    except ImportError:
        return None
    return readline


def history_file() -> Path:
    """Where what was typed is remembered."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return folder / "taskman-authz" / "repl_history"


def _begin_history(readline: Any, path: Path) -> None:
    """Read the history, from a file that only its owner may read: there may be secrets in it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        readline.read_history_file(path)
    except OSError:
        return  # a history is a convenience
    readline.set_history_length(HISTORY_LINES)


def _save_history(readline: Any, path: Path) -> None:
    try:
        readline.write_history_file(path)
        path.chmod(0o600)
    except OSError:
        return


# Between words, for readline: a field is offered without what it is selected of.
DELIMITERS = " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",.<>/?"


class Completer:
    """What Tab offers."""

    def __init__(self, session: Session, readline: Any) -> None:
        self.session = session
        self.readline = readline
        self.offered: list[str] = []

    def install(self) -> None:
        libedit = "libedit" in (self.readline.__doc__ or "")
        self.readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        self.readline.set_completer_delims(DELIMITERS)
        self.readline.set_completer(self.complete)

    def complete(self, text: str, state: int) -> str | None:
        """The offer number `state` to go on with; readline asks until there is none."""
        if state == 0:
            self.offered = self.find()
        return self.offered[state] if state < len(self.offered) else None

    def find(self) -> list[str]:
        """What could stand in the place of the word that readline would replace."""
        line = self.readline.get_line_buffer()[: self.readline.get_endidx()]
        before = "".join(f"{each}\n" for each in self.session.pending)
        found, words = self.session.completions(before + line)
        start, begin = found - len(before), self.readline.get_begidx()
        return [(line[:start] + word)[begin:] for word in words]


# -- at a terminal or not ----------------------------------------------------------------------


def _piped(prompt: str) -> str:
    """The next line of what is no terminal."""
    line = next_line()
    if line is None:
        raise EOFError
    return line


def _loop(session: Session, read: Callable[[str], str]) -> bool:
    """Answer what is typed until there is no more. Whether anything failed."""
    from .session import Quit

    failed = False
    while True:
        try:
            session.pending.append(read(MORE if session.pending else PROMPT))
            if not session.goes_on():
                failed = not _answer(session) or failed
        except KeyboardInterrupt:
            if read is _piped:
                raise
            session.pending.clear()
            print()
        except EOFError:
            print(end="\n" if read is not _piped else "")
            return (bool(session.pending) and not _answer(session)) or failed
        except Quit:
            return failed


def _answer(session: Session) -> bool:
    """Print the answer, or what is wrong. Whether there was an answer."""
    try:
        answer = session.answer()
    except (AuthzError, OSError) as error:
        print(told(error), file=sys.stderr, flush=True)
        return False
    if answer:
        print(answer, flush=True)
    return True
