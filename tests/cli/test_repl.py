"""`repl`: what is typed, at a terminal or from a pipe, and what is answered."""

from __future__ import annotations

import io
import os
import pty
import select
import stat
import subprocess
import sys

import pytest

from taskman_authz.cli import main
from taskman_authz.cli.session import COMMANDS, Quit, Session
from taskman_authz.errors import AuthzError

SECONDS = 60  # to wait for a program that has stopped answering


@pytest.fixture
def session():
    return Session({"subject": {"id": "ann", "roles": ["admin"]}})


# -- a session -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 + 2", "3 : int"),
        ("'a'", '"a" : string'),
        ("subject.id", '"ann" : string'),
        ("subject.roles.contains('admin')", "true : bool"),
        ("subject.?name.orValue('nobody')", '"nobody" : string'),
        ("[1u]", "[1u] : list(uint)"),
        ("  ", ""),
        ("// a comment", ""),
        (":type subject.id + 'x'", "string"),
        (":type [1]", "list(int)"),
        (":fmt a&&b // c", "a && b  // c"),
        (":explain 1 < size('a')", "1 < size('a')  -> false\n  size('a')  -> 1"),
        (":let x = 2", "x = 2 : int"),
        (":declare when: timestamp", "when : google.protobuf.Timestamp"),
        (":v", 'subject = {"id": "ann", "roles": ["admin"]} : map'),
        (":unset subject", ""),
    ],
)
def test_an_answer(session, text, answer):
    assert session.answer(text) == answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "division by zero"),
        ("nobody", "undeclared reference to `nobody`"),
        (":let x = subject.nam", "no such key"),
        (":let x", ":let: expected `:let NAME = EXPR`"),
        (":declare x", ":declare: expected `:declare NAME: TYPE`"),
        (":libraries zzz", "there is no library `zzz`; `:libraries` lists them"),
        (":let in = 1", "in: cannot be the name of a variable"),
        (":let 1x = 1", "1x: cannot be the name of a variable"),
        (":let", "expected `:let NAME = EXPR`"),
        (":declare x: list(", "expected"),
        (":vars x", "expected `:vars`"),
        (":unset subjekt", "did you mean `subject`?"),
        (":load", "expected `:load FILE`"),
        (":libraries string", "did you mean `strings`?"),
        (":l x", "could be `:let`, `:load`, `:libraries`"),
        (":tpye x", "did you mean `type`?"),
        (":", "there is no such command"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(session, text, words):
    before = session.answer(":vars"), session.answer(":libraries")
    with pytest.raises(AuthzError) as raised:
        session.answer(text)
    assert words in str(raised.value)
    assert (session.answer(":vars"), session.answer(":libraries")) == before


def test_a_name_stands_for_its_value_with_its_type(session):
    session.answer(":let x = [1, 2]")
    session.answer(":let y = x.map(n, n * 2)")
    assert session.answer("y") == "[2, 4] : list(int)"
    with pytest.raises(AuthzError, match="no matching overload"):
        session.answer("x + 'a'")
    session.answer(":declare x: string")
    assert session.answer(":type x + 'a'") == "string"
    with pytest.raises(AuthzError):
        session.answer("x")


def test_libraries_are_added(session):
    with pytest.raises(AuthzError):
        session.answer("'a'.charAt(0)")
    assert "* strings" in session.answer(":libraries strings")
    assert session.answer("'a'.charAt(0)") == '"a" : string'
    assert "\n  " not in session.answer(":libraries all")


def test_policies_vocabulary_is_declared_and_values_stay(session):
    assert "company_id  the tenant" in session.answer(":policy")
    assert session.answer(":type now - now < duration('1h') && company_id == ''") == "bool"
    assert session.answer("subject.id") == '"ann" : string'


def test_variables_are_loaded_from_a_file(session, tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"x": 1, "y": [true]}')
    assert session.answer(f":load {path}") == "x = 1 : int\ny = [true] : list"
    path.write_text("[1]")
    with pytest.raises(AuthzError, match="expected a JSON object"):
        session.answer(f":load {path}")
    path.write_text('{"x-y": 1}')
    with pytest.raises(AuthzError, match="cannot be the name of a variable"):
        session.answer(f":load {path}")


def test_a_tree_is_shown_with_macros_as_they_were_called(session):
    assert session.answer(":ast x.all(a, a.b > 1) || has(c.d) || {'k': [?e]}.f(E{g: h})") == (
        """\
call _||_
  call _||_
    macro all
      on x
      a
      call _>_
        .b
          a
        1
    macro has
      .d
        c
  call f
    on map
      key 'k'
      value list
        ?e
    E
      g: h"""
    )


def test_help_tells_every_command(session):
    assert all(f":{name}" in session.answer(":help") for name in COMMANDS)
    with pytest.raises(Quit):
        session.answer(":q")


@pytest.mark.parametrize(
    ("text", "start", "words"),
    [
        ("subject.i", 8, ["id"]),
        (":uns", 0, [":unset"]),
        (":l", 0, [":let", ":load", ":libraries"]),
        (":unset su", 7, ["subject"]),
        (":type subject.i", 14, ["id"]),
        (":let x = subject.i", 17, ["id"]),
        (":let x", 5, []),
        (":libraries str", 11, ["strings"]),
        (":libraries lists str", 17, ["strings"]),
        (":declare x: tim", 12, ["timestamp"]),
        (":vars ", 6, []),
    ],
)
def test_what_tab_offers(session, text, start, words):
    assert session.completions(text) == (start, words)


def test_tab_offers_files(session, tmp_path):
    (tmp_path / "request.json").touch()
    assert session.completions(f":load {tmp_path}/re").words == [f"{tmp_path}/request.json"]


# -- from a pipe ---------------------------------------------------------------------------------


def run(monkeypatch, text, *arguments):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return main(["repl", *arguments])


def test_lines_from_a_pipe_are_answered_one_by_one(monkeypatch, capsys):
    assert run(monkeypatch, "x + 1\n:let y = [x,\n  2]\ny[0]\n", "--var", "x=2") == 0
    assert capsys.readouterr() == ("3 : int\ny = [2, 2] : list(dyn)\n2 : int\n", "")


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["-e"], 1)])
def test_a_failure_is_told_and_the_lines_after_it_are_answered(
    monkeypatch, capsys, arguments, status
):
    assert run(monkeypatch, "1 / 0\n1\n:nope\n:load nowhere\n(1 +", *arguments) == status
    printed = capsys.readouterr()
    assert printed.out == "1 : int\n"
    assert "division by zero" in printed.err
    assert ":nope: there is no such command" in printed.err
    assert "nowhere: no such file or directory" in printed.err
    assert "the expression ends here" in printed.err


def test_an_empty_line_ends_what_goes_on(monkeypatch, capsys):
    run(monkeypatch, "(1 +\n\n2\n")
    printed = capsys.readouterr()
    assert printed.out == "2 : int\n"
    assert "the expression ends here" in printed.err


def test_quit_leaves_the_rest_unread(monkeypatch, capsys):
    assert run(monkeypatch, "1\n:quit\n2\n") == 0
    assert capsys.readouterr().out == "1 : int\n"


def test_options_prepare_the_session(monkeypatch, capsys):
    run(monkeypatch, "'a'.charAt(0)\n:type now", "--policy", "--library", "strings")
    assert capsys.readouterr().out == '"a" : string\ngoogle.protobuf.Timestamp\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "-"], "--input cannot be `-`"),
        (["--library", "strngs"], "did you mean `strings`?"),
        (["--var", "x"], "is not of the form NAME=JSON"),
    ],
)
def test_an_error_of_usage_is_2(monkeypatch, capsys, arguments, words):
    assert run(monkeypatch, "1\n", *arguments) == 2
    assert words in capsys.readouterr().err


# -- at a terminal -------------------------------------------------------------------------------


@pytest.fixture
def terminal(tmp_path):
    """Starts the command at a terminal of its own; its state is in a folder of its own too."""
    started = []

    def start(*arguments):
        started.append(Terminal(tmp_path, *arguments))
        return started[0]

    yield start
    for each in started:
        each.close()


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, state, *arguments):
        self.mine, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "taskman_authz.cli", "repl", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "XDG_STATE_HOME": str(state), "TERM": "dumb"},
            start_new_session=True,
            preexec_fn=lambda: _control(theirs),
        )
        os.close(theirs)
        self.seen = ""

    def read_until(self, words):
        """What is written up to `words`, which are waited for."""
        while words not in self.seen:
            self.seen += self.read()
        before, _, self.seen = self.seen.partition(words)
        return before

    def type(self, keys):
        os.write(self.mine, keys.encode())

    def left(self):
        """The status with which it leaves."""
        try:
            while self.read():
                pass
        except OSError:  # its end is closed
            pass
        return self.process.wait(SECONDS)

    def read(self):
        assert select.select([self.mine], [], [], SECONDS)[0], f"no answer after {self.seen!r}"
        return os.read(self.mine, 10_000).decode()

    def close(self):
        os.close(self.mine)
        self.process.kill()
        self.process.wait()


def _control(terminal):
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.mark.process
def test_at_a_terminal_lines_are_edited_completed_abandoned_and_remembered(tmp_path, terminal):
    terminal = terminal("--var", 'subject={"name": "ann"}')
    terminal.read_until("cel> ")
    terminal.type("subject.na\t + '!'\n")
    terminal.read_until('"ann!" : string')
    terminal.read_until("cel> ")
    terminal.type("[1,\n")
    terminal.read_until("...> ")
    terminal.type("2].size()\n")
    terminal.read_until("2 : int")
    terminal.read_until("cel> ")
    terminal.type("(1 +\n")
    terminal.read_until("...> ")
    terminal.type("\x03\n")  # one that comes before readline waits is noticed with the next key
    terminal.read_until("cel> ")
    terminal.type("\x1b[A\n")  # the line before
    terminal.read_until("...> ")
    terminal.type("0 * 1 / 0)\n")
    terminal.read_until("division by zero")
    terminal.read_until("cel> ")
    terminal.type("\x04")
    assert terminal.left() == 0
    history = tmp_path / "taskman-authz" / "repl_history"
    assert "subject.name + '!'" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700


@pytest.mark.process
def test_no_history_is_none(tmp_path, terminal):
    terminal = terminal("--no-history", "-e")
    terminal.read_until("cel> ")
    terminal.type("nobody\n")
    terminal.read_until("undeclared")
    terminal.read_until("cel> ")
    terminal.type("\x04")
    assert terminal.left() == 1
    assert list(tmp_path.iterdir()) == []
