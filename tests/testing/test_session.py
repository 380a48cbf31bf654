"""A whole run: the same in one process and in several, and what was measured beside it."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser

import msgspec
import pytest

from taskman_authz.errors import CompileError
from taskman_authz.testing import (
    Asked,
    coverage_lines,
    execute,
    html_report,
    load_suites,
    measure,
    mutant_lines,
    run,
    tap_report,
    time_lines,
    watched_files,
)
from tests.house.source import ROOT

from .helpers import write

FAILING = """\
cases:
  - {name: passes, subject: 'user:1', action: 'notes:read', resource: notes/1, expect: deny}
  - name: "<b>fails & # \\\\ breaks</b>"
    subject: {type: user, id: "1"}
    action: notes:write
    resource: {type: notes, id: "1", owner: "1"}
    expect: deny
"""


def told(report):
    """All of a report but how long things took, and who noticed a mutant first."""
    results = [msgspec.structs.replace(result, seconds=0.0) for result in report.results]
    mutants = [(m.place, m.kind, m.what, bool(m.killer)) for m in report.mutants.mutants]
    return results, report.coverage, mutants, report.files


def test_several_processes_come_to_the_same():
    paths = [str(ROOT / "policies" / "taskman" / f"{name}_test.yaml") for name in ("iam", "audit")]
    asked = Asked(tuple(paths), coverage=True, mutate=True)
    assert told(execute(asked, 2)) == told(execute(asked))


def test_a_run_tells_how_far_it_has_come():
    paths = [str(ROOT / "policies" / "taskman" / f"{name}_test.yaml") for name in ("iam", "audit")]
    said: list[tuple[str, int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        said.append((stage, done, total))

    report = execute(Asked(tuple(paths), mutate=True), progress=progress)
    assert report.mutants is not None
    asked = [(done, total) for stage, done, total in said if stage == "asking about mutants"]
    assert len(asked) >= len(report.mutants.mutants)
    assert all(done < total for done, total in asked)
    assert "compiling policies" in {stage for stage, _, _ in said}
    said.clear()
    execute(Asked(tuple(paths)), 2, progress)
    assert said == [("running parts of the tests", done, 2) for done in (1, 2)]


def test_what_is_wrong_in_several_processes_is_told_together(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}_test.yaml").write_text("cases: [1]\n")
    (tmp_path / "p.yaml").write_text("policies: []\n")
    with pytest.raises(CompileError) as caught:
        execute(Asked((str(tmp_path),)), 2)
    files = {os.path.basename(issue.place.source) for issue in caught.value.issues}
    assert files == {"a_test.yaml", "b_test.yaml"}


def test_mutants_of_a_run_that_fails_are_not_asked(tmp_path):
    report = execute(Asked((write(tmp_path, FAILING),), mutate=True))
    assert not report.passed
    assert report.mutants is None


def test_files_that_were_read_are_told(tmp_path):
    report = execute(Asked((write(tmp_path, FAILING),)))
    assert report.files == (str(tmp_path / "notes.yaml"), str(tmp_path / "notes_test.yaml"))


def test_a_changed_file_is_seen(tmp_path):
    path = write(tmp_path, FAILING)
    before = watched_files([path])
    assert watched_files([str(tmp_path)]) == before
    (tmp_path / "more.yaml").write_text("policies: []\n")
    assert watched_files([path]) != before


# -- reports ---------------------------------------------------------------------------------------


def test_tap(tmp_path):
    path = write(tmp_path, FAILING)
    lines = tap_report(list(run(load_suites([path])))).splitlines()
    assert lines == [
        "TAP version 14",
        "1..2",
        f"ok 1 - {path}: passes",
        f"not ok 2 - {path}: <b>fails & \\# \\\\ breaks</b>",
        "  ---",
        '  message: "expected deny, got allow"',
        f'  at: {{"file": "{path}", "line": 3}}',
        '  data: {"reasons": ["allowed by policy `owners-write` [allowed_by_policy]"]}',
        "  ...",
    ]


class _Page(HTMLParser):
    """Checks that elements nest, and collects text and what is loaded from elsewhere."""

    VOID = ("meta",)

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_is_whole_and_escaped_and_loads_nothing(tmp_path):
    report = execute(Asked((write(tmp_path, FAILING),), coverage=True))
    text = html_report(report, "2026-01-15 10:30 UTC")
    page = _Page()
    page.feed(text)
    page.close()
    assert (page.open, page.loaded) == ([], [])
    assert "url(" not in text and "@import" not in text
    assert any("<b>fails & # \\ breaks</b>" in each for each in page.texts)
    assert "owners-write" in page.texts
    assert "no decision came to it" in page.texts


def test_the_page_tells_survivors_and_what_was_never_seen():
    path = str(ROOT / "policies" / "patterns" / "tenancy_test.yaml")
    text = html_report(execute(Asked((path,), coverage=True, mutate=True)), "now")
    assert "drop condition" in text
    assert re.search(r'<td class="count bad">never</td>', text)


def test_what_was_measured_as_lines():
    path = str(ROOT / "policies" / "patterns" / "tenancy_test.yaml")
    report = execute(Asked((path,), coverage=True, mutate=True))
    lines = list(coverage_lines(report.coverage))
    assert lines[:2] == ["coverage", "  rules     100.0 % (3 of 3)"]
    assert any(
        line.endswith("`resource.company_id == company_id` was never false") for line in lines
    )
    assert any("no case notices: drop condition" in line for line in mutant_lines(report.mutants))


def test_times_are_of_every_case(tmp_path, monkeypatch):
    monkeypatch.setattr("taskman_authz.testing.timing.SECONDS", 0.0)
    times = measure(load_suites([write(tmp_path, FAILING)]))
    assert len(times.cases) == 2
    assert 0 < times.quantile(0.0) <= times.quantile(1.0) == times.cases[0].nanoseconds
    assert "2 cases" in next(iter(time_lines(times)))
