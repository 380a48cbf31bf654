"""The command line: `taskman-authz` and `policy-test`. One file a command; begin with `check`.

Laws: standard output carries the answer and nothing else, standard error carries what is wrong and
where; a command's exit status is written in its `--help`; no user ever sees a traceback; colour is
for terminals; what a command needs is imported when that command runs, because a decision asked
for on a command line waits for every import.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main", "policy_test"]

# Command → what it does, in a line. The command's module has its name (`_` for `-`) and a `main`.
COMMANDS = {
    "check": "decide one request: may this subject do this on that?",
    "explain": "explain one decision: which clause decided, and what would flip it",
    "diff": "tell what other policies would decide otherwise",
    "eval": "evaluate a CEL expression",
    "compile": "check policies and print everything that is wrong with them",
    "lint": "tell what compiles but cannot be meant: rules that never decide, unused names",
    "fmt": "lay out CEL expressions, in files of their own and in policies",
    "repl": "evaluate CEL expressions as they are typed",
    "test": "run policy tests (the same as policy-test)",
    "serve": "answer over gRPC and HTTP",
    "health": "ask whether a sidecar serves",
    "authzen-check": "ask a decision point whether it conforms to AuthZEN 1.0",
    "schema": "print the JSON Schema of policy documents, for editors",
    "log": "verify decision logs",
    "db": "policies in PostgreSQL: make the tables, import and export",
    "dlq": "messages that could not be handled: look, handle again, drop",
    "relay": "tell the events of policies in PostgreSQL to RabbitMQ",
    "routes": "list the routes of an app that no check guards",
}

USAGE = "usage: taskman-authz [--help] [--version] COMMAND ..."


def main(argv: Sequence[str] | None = None) -> int:
    """Run `taskman-authz` with `argv` (default: the process'). Returns the exit status."""
    from .frame import guarded

    arguments = sys.argv[1:] if argv is None else list(argv)
    return guarded("taskman-authz", lambda: _dispatch(arguments))


def policy_test(argv: Sequence[str] | None = None) -> int:
    """Run `policy-test` with `argv` (default: the process'). Returns the exit status."""
    from .frame import guarded
    from .test import main as run_tests

    arguments = sys.argv[1:] if argv is None else list(argv)
    return guarded("policy-test", lambda: run_tests(arguments, "policy-test"))


def _dispatch(arguments: list[str]) -> int:
    command = arguments[0] if arguments else ""
    if command in COMMANDS:
        status = import_module(f"{__name__}.{command.replace('-', '_')}").main(arguments[1:])
        return int(status)
    if command in ("-h", "--help", "help"):
        print(_help())
        return 0
    if command in ("-V", "--version"):
        from .version import version_line

        print(version_line())
        return 0
    print(f"{USAGE}\n{_complaint(command)}", file=sys.stderr)
    return 2


def _help() -> str:
    commands = "\n".join(f"  {name:<13} {summary}" for name, summary in COMMANDS.items())
    return f"""{USAGE}

Decides who may do what, and shows why.

commands:
{commands}

options:
  -h, --help     this text; `taskman-authz COMMAND --help` tells of one command
  -V, --version  the version, whether the core is compiled, and the Python that runs it

exit status: 0 yes, 1 no (denied, or tests failed), 2 an error, which standard error tells"""


def _complaint(command: str) -> str:
    if not command:
        return "taskman-authz: error: a command is needed; `taskman-authz --help` lists them"
    from difflib import get_close_matches

    close = get_close_matches(command, COMMANDS, 1)
    hint = f"did you mean `{close[0]}`?" if close else "`taskman-authz --help` lists them"
    return f"taskman-authz: error: there is no command `{command}`; {hint}"
