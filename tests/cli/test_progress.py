"""What takes long on a terminal says how far it has come, and leaves nothing behind."""

from __future__ import annotations

import io
from threading import Event

from taskman_authz.cli.progress import CLEAR, Progress, shown
from taskman_authz.policy import compile_documents
from tests.policy.helpers import document, policy


class Terminal(io.StringIO):
    """A stream that is a terminal, and says when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_on_a_terminal_it_is_shown_and_taken_away() -> None:
    terminal = Terminal()
    progress = Progress(terminal, after=0)
    progress("compiling policies", 3_000, 10_000)
    with progress:
        assert terminal.written.wait(60)
    assert terminal.getvalue().startswith(f"{CLEAR}compiling policies 3,000 of 10,000, 0 s")
    assert terminal.getvalue().endswith(CLEAR)


def test_what_does_not_take_long_says_nothing() -> None:
    terminal = Terminal()
    with Progress(terminal, after=3_600):
        pass
    assert terminal.getvalue() == ""


def test_where_there_is_no_terminal_nothing_is_said() -> None:
    stream = io.StringIO()
    with Progress(stream, after=0) as progress:
        progress("compiling policies", 1, 2)
    assert stream.getvalue() == ""


def test_terminal_that_is_gone_is_no_error() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            self.written.set()
            raise OSError

    gone = Gone()
    with Progress(gone, after=0):
        assert gone.written.wait(60)


def test_stage_of_which_nobody_knows_how_much_there_is_has_no_numbers() -> None:
    assert shown("reading policies", 0, 0, 2.4) == "reading policies, 2 s"


def test_compiling_tells_how_far_it_has_come() -> None:
    told: list[tuple[str, int, int]] = []
    text = document(*(policy(f"p{number}") for number in range(250)))
    compile_documents([("p.yaml", text)], progress=lambda *stage: told.append(stage))
    assert told == [
        ("reading policies", 0, 0),
        *(("compiling policies", number, 250) for number in (0, 100, 200)),
        ("indexing policies", 0, 0),
    ]
