"""The command line as a whole: its help, its version, and what it says when something is wrong."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from taskman_authz.cli import COMMANDS, frame, main, policy_test
from taskman_authz.errors import StoreError


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^  {name} ", printed, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "serve"])
def test_every_command_has_help_with_examples_and_exit_statuses(command, capsys):
    assert main([command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"usage: taskman-authz {command}" in printed
    assert f"taskman-authz {command}" in printed.partition("examples:")[2]
    assert "exit status:" in printed


def test_policy_test_speaks_of_itself_by_its_own_name(capsys):
    assert policy_test(["--help"]) == 0
    assert "usage: policy-test" in capsys.readouterr().out


def test_version_tells_the_twin_and_the_python(capsys):
    assert main(["--version"]) == 0
    line = capsys.readouterr().out
    pattern = r"taskman-authz \S+.* \((compiled|pure) core, Python 3\.\d+\.\d+\S*\)\n"
    assert re.fullmatch(pattern, line)


def test_no_command_is_an_error(capsys):
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "a command is needed" in printed.err


def test_a_misspelt_command_gets_a_suggestion(capsys):
    assert main(["chekc"]) == 2
    assert "did you mean `check`?" in capsys.readouterr().err


def test_an_unknown_option_is_an_error_of_usage(capsys):
    assert main(["check", "--colour"]) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("eval 1 <&- >&-", 0),
        ("check -q --policies . user:1 a:b c/d >&- 2>&-", 2),
        ("fmt <&-", 2),
        ("eval x --input - <&-", 2),
        ("repl <&-", 0),
        ("eval '1 +' 2>&-", 2),
    ],
)
def test_a_stream_that_is_closed_is_one_with_nothing_behind_it(command, status, tmp_path):
    script = f'"{sys.executable}" -m taskman_authz.cli {command}'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (status, b"")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (StoreError("no policies in `x`"), 2, "prog: error: no policies in `x`\n"),
        (FileNotFoundError(2, "No such file", "x.json"), 2, "prog: error: x.json: no such file\n"),
        (ImportError("the core is half built"), 2, "prog: error: the core is half built\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (SystemExit(2), 2, ""),
    ],
)
def test_what_is_raised_becomes_a_status_and_words(raised, status, words, capsys, monkeypatch):
    monkeypatch.setattr(frame, "_drop_output", lambda: None)

    def fail() -> int:
        raise raised

    assert frame.guarded("prog", fail) == status
    assert capsys.readouterr().err == words


def test_no_colour_where_there_is_no_terminal(capsys):
    assert frame.painted("x", frame.RED, sys.stdout) == "x"


def test_no_colour_where_nobody_wants_it(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert frame.painted("x", frame.RED, sys.stdout) == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert frame.painted("x", frame.RED, sys.stdout) == "x"


def test_a_closed_pipe_is_no_traceback():
    program = "from taskman_authz.cli import main; import sys; sys.exit(main(['schema']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == frame.PIPE_CLOSED


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_closed_pipe_is_no_error_for_programs_either(format, capsys):
    with pytest.raises(BrokenPipeError), frame.errors_in(format):
        raise BrokenPipeError
    assert capsys.readouterr().err == ""
