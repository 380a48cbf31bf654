"""What all commands share: their parser, the one handler of errors, colour.

Law: `guarded` is the only place where an exception becomes an exit status and words.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TextIO

from ..errors import AuthzError, CompileError

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
