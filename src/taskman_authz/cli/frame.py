"""What all commands share: their parser, the one handler of errors, colour.

Law: `guarded` is the only place where an exception becomes an exit status and words.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from ..errors import AuthzError, CompileError, EvaluationError, RequestError
from ..issues import Issues, Place

ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED = 141  # 128 + SIGPIPE

GREEN, RED, DIM = "32", "31", "2"


def command_parser(
    program: str, description: str, notes: str, usage: str | None = None
) -> argparse.ArgumentParser:
    """A parser whose help ends with `notes` (examples, exit status) as they are written."""
    return argparse.ArgumentParser(
        prog=program,
        usage=usage,
        description=description,
        epilog=notes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def guarded(program: str, run: Callable[[], int]) -> int:
    """The status of `run`; whatever it raises as words on standard error and a status."""
    _open_streams()
    try:
        status = run()
        sys.stdout.flush()
        return status
    except SystemExit as stopped:  # argparse: its help is 0, its errors are 2
        return stopped.code if isinstance(stopped.code, int) else ERROR
    except BrokenPipeError:
        _drop_output()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except CompileError as error:
        count = len(error.issues)
        return _fail(f"{error.issues.render()}\n\n{program}: {counted(count, 'error', 'errors')}")
    except EvaluationError as error:
        return _fail(str(error) if error.place else f"{program}: error: {error}")
    except (AuthzError, ImportError) as error:  # ImportError: the core says what is wrong with it
        return _fail(f"{program}: error: {error}")
    except OSError as error:
        return _fail(f"{program}: error: {told(error)}")
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        return _fail(f"{program}: error: U+{ord(character):04X} cannot be written to this output")


def told(error: AuthzError | OSError) -> str:
    """An error in words."""
    if isinstance(error, AuthzError):
        return str(error)
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{(error.strerror or str(error)).lower()}"


@contextmanager
def errors_in(format: str) -> Iterator[None]:
    """Where `format` is json, what goes wrong inside is one JSON object on standard error."""
    try:
        yield
    except (AuthzError, OSError) as error:
        if format != "json" or isinstance(error, BrokenPipeError):  # nobody reads on: no error
            raise
        print(json.dumps({"errors": error_objects(error)}, ensure_ascii=False), file=sys.stderr)
        raise SystemExit(ERROR) from error


def error_objects(error: AuthzError | OSError) -> list[dict[str, Any]]:
    """What is wrong for programs: an object with file, line and column (null where there is no
    such place), a stable code, a message and a hint."""
    if isinstance(error, CompileError):
        return issue_objects(error.issues)
    if isinstance(error, EvaluationError):
        return [_object(error.place, error.code, error.message)]
    code = "invalid_request" if isinstance(error, RequestError) else "unreadable"
    return [_object(None, code, told(error))]


def issue_objects(issues: Issues) -> list[dict[str, Any]]:
    """Issues for programs."""
    return [_object(each.place, each.code, each.message, each.hint) for each in issues]


def _object(place: Place | None, code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {
        "file": place and place.source,
        "line": place and place.line,
        "column": place and place.column,
        "code": code,
        "message": message,
        "hint": hint,
    }


def _open_streams() -> None:
    """A stream that was closed before the program began is one with nothing behind it."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return ERROR


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # standard output is no file: nothing is flushed at the end either


def counted(count: int, one: str, many: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {one if count == 1 else many}"


def painted(text: str, colour: str, stream: TextIO) -> str:
    """`text` in a colour where `stream` is a terminal and nobody said NO_COLOR."""
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
