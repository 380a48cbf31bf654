"""`log verify`: 0 is whole, 1 is broken, 2 is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taskman_authz.cli import main
from taskman_authz.decision_log.chain import START, chained


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log of three lines."""
    path, last = tmp_path / "log", START
    for number in range(3):
        line, last = chained(b'{"number":%d}' % number, last)
        path.open("ab").write(line)
    return path


def test_a_whole_log_is_0_and_shows_its_last_hash(file, capsys):
    last = json.loads(file.read_bytes().splitlines()[-1])["hash"]
    assert main(["log", "verify", str(file)]) == 0
    assert capsys.readouterr().out == f"3 lines, whole; last hash {last}\n"


def test_the_first_broken_line_is_named_and_the_status_is_1(file, capsys):
    file.write_bytes(file.read_bytes().replace(b'"number":1', b'"number":7'))
    assert main(["log", "verify", str(file)]) == 1
    why = "the line was changed: its hash is another (1 line before it whole)"
    assert capsys.readouterr().out == f"{file}:2: {why}\n"
    assert main(["log", "verify", "--format", "json", str(file)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["broken"] == {
        "file": str(file),
        "line": 2,
        "why": "was changed: its hash is another",
    }
    assert (found["lines"], found["first"]) == (1, START)
    assert main(["log", "verify", "-q", str(file)]) == 1
    assert capsys.readouterr().out == ""


def test_lines_that_were_cut_off_are_missed_by_who_kept_the_last_hash(file, capsys):
    lines = file.read_bytes().splitlines(keepends=True)
    kept = json.loads(lines[-1])["hash"]
    assert main(["log", "verify", "--kept", kept, str(file)]) == 0
    capsys.readouterr()
    file.write_bytes(b"".join(lines[:-1]))
    assert main(["log", "verify", str(file)]) == 0
    assert main(["log", "verify", "--kept", kept, "-q", str(file)]) == 1
    capsys.readouterr()
    assert main(["log", "verify", "--kept", kept, str(file)]) == 1
    why = "the line is missing: no line has the hash that was kept (2 lines before it whole)"
    assert capsys.readouterr().out == f"{file}:3: {why}\n"
    assert main(["log", "verify", "--kept", "", str(file)]) == 2
    assert "kept: expected a hash of 64 hexadecimal digits" in capsys.readouterr().err


def test_it_says_where_lines_come_before_the_first(file, capsys):
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    assert main(["log", "verify", str(file)]) == 0
    first = json.loads(lines[0])["hash"]
    told = capsys.readouterr().out.splitlines()[1]
    assert told == f"the first line follows others, which are not here: hash {first}"


def test_a_file_that_cannot_be_read_is_2(tmp_path, capsys):
    assert main(["log", "verify", str(tmp_path / "nothing")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["log", "verify", "--format", "json", str(tmp_path / "nothing")]) == 2
    assert json.loads(capsys.readouterr().err)["errors"][0]["code"] == "unreadable"
    assert main(["log", "rewrite", str(tmp_path)]) == 2


def test_an_empty_log_is_whole(tmp_path, capsys):
    (tmp_path / "log").touch()
    assert main(["log", "verify", str(tmp_path / "log")]) == 0
    assert capsys.readouterr().out == "0 lines, whole; last hash none\n"
