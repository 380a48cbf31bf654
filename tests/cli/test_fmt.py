"""`fmt`: files are laid out in their place, or it is only told what would change."""

from __future__ import annotations

import io
import os
import stat
import sys

import pytest

from taskman_authz.cli import main

MESSY = "a  &&b // why\n"
TIDY = "a && b  // why\n"


@pytest.fixture
def rules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rules.cel"
    path.write_text(MESSY)
    return path


def given(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_file_is_rewritten_and_named(rules, capsys):
    assert main(["fmt", "rules.cel"]) == 0
    assert capsys.readouterr() == ("rules.cel\n", "")
    assert rules.read_text() == TIDY


def test_what_is_laid_out_already_is_neither_written_nor_named(rules, capsys):
    rules.write_text(TIDY)
    os.utime(rules, ns=(1, 1))
    assert main(["fmt", "rules.cel"]) == 0
    assert capsys.readouterr() == ("", "")
    assert rules.stat().st_mtime_ns == 1


def test_check_names_what_would_change_and_writes_nothing(rules, tmp_path, capsys):
    (tmp_path / "tidy.cel").write_text(TIDY)
    assert main(["fmt", "--check", "."]) == 1
    assert capsys.readouterr() == ("rules.cel\n", "")
    assert rules.read_text() == MESSY
    assert main(["fmt", "--check", "tidy.cel"]) == 0


def test_diff_shows_what_would_change_and_writes_nothing(rules, capsys):
    assert main(["fmt", "--diff", "rules.cel"]) == 1
    diff = "--- rules.cel\n+++ rules.cel\n@@ -1 +1 @@\n-a  &&b // why\n+a && b  // why\n"
    assert capsys.readouterr() == (diff, "")
    assert rules.read_text() == MESSY


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_laid_out_to_standard_output(rules, monkeypatch, capsys, arguments):
    given(monkeypatch, MESSY.encode())
    assert main(["fmt", *arguments]) == 0
    assert capsys.readouterr() == (TIDY, "")


def test_standard_input_that_does_not_parse_is_not_printed(monkeypatch, capsys):
    given(monkeypatch, b"a &&")
    assert main(["fmt"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "<stdin>:1:5: error: " in printed.err


def test_a_folder_has_expressions_and_policies(policies, tmp_path, capsys):
    (policies / "rules.cel").write_text(MESSY)
    (policies / "notes_test.yaml").write_text("no: policies")
    assert main(["fmt", "--width", "60", "."]) == 0
    assert capsys.readouterr().out == "policies/notes.yaml\npolicies/rules.cel\n"
    written = (policies / "notes.yaml").read_text()
    assert written.endswith("""\
    condition: |
      now < timestamp('2026-01-01T18:00:00Z')
      && context.ip.startsWith('10.')
""")


def test_a_policy_test_that_is_named_stays_as_it_is(policies, capsys):
    (policies / "notes_test.yaml").write_text("cases:   []")
    assert main(["fmt", "--check", "--width=200", *map(str, policies.iterdir())]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_diff_tells_a_last_line_that_does_not_end(rules, capsys):
    rules.write_text("a&&b")
    assert main(["fmt", "--diff", "rules.cel"]) == 1
    assert capsys.readouterr().out.endswith("-a&&b\n\\ No newline at end of file\n+a && b\n")


def test_what_does_not_parse_stays_and_all_that_is_wrong_is_told(rules, tmp_path, capsys):
    (tmp_path / "one.cel").write_text("a &&")
    (tmp_path / "two.yaml").write_text("polices: []")
    (tmp_path / "three.cel").write_bytes(b"\xff")
    assert main(["fmt", ".", "nowhere"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "rules.cel\n"
    assert "one.cel:1:5: error: the expression ends here" in printed.err
    assert "  |     ^" in printed.err
    assert "two.yaml:1:1: error: unknown key `polices`" in printed.err
    assert "`three.cel` is no UTF-8 text" in printed.err
    assert "no file or folder `nowhere`" in printed.err
    assert (tmp_path / "one.cel").read_text() == "a &&"


def test_a_file_keeps_its_mode_its_line_breaks_and_its_mark(rules):
    rules.write_bytes("\ufeffa\r\n&&b".encode())
    rules.chmod(0o640)
    assert main(["fmt", "rules.cel"]) == 0
    assert rules.read_bytes() == "\ufeffa && b\r\n".encode()
    assert stat.S_IMODE(rules.stat().st_mode) == 0o640
    assert os.listdir(rules.parent) == ["rules.cel"]


def test_what_a_link_leads_to_is_rewritten(rules, tmp_path):
    link = tmp_path / "link.cel"
    link.symlink_to(rules)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert rules.read_text() == TIDY


def test_a_write_that_fails_leaves_the_file_and_nothing_else(rules, monkeypatch, capsys):
    def fail(*paths):
        raise OSError(28, "No space left on device", str(rules))

    monkeypatch.setattr(os, "replace", fail)
    assert main(["fmt", "rules.cel"]) == 2
    assert "no space left on device" in capsys.readouterr().err
    assert os.listdir(rules.parent) == ["rules.cel"]
    assert rules.read_text() == MESSY


def test_a_file_that_may_not_be_written_stays_and_the_others_are_formatted(
    rules, tmp_path, monkeypatch, capsys
):
    (tmp_path / "a.cel").write_text(MESSY)
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "a.cel")
    assert main(["fmt", "a.cel", "rules.cel"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "rules.cel\n"
    assert "a.cel:1:1: error: cannot write: permission denied [unwritable]" in printed.err
    assert (tmp_path / "a.cel").read_text() == MESSY
    assert rules.read_text() == TIDY


@pytest.mark.parametrize("width", ["0", "-1", "x", "19", "9" * 5_000])
def test_a_width_that_is_none_is_refused(rules, capsys, width):
    assert main(["fmt", f"--width={width}", "rules.cel"]) == 2
    assert "is no number of columns from 20 on" in capsys.readouterr().err
