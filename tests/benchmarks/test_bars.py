"""A bar that was not measured is not met, and a table hides nothing."""

from __future__ import annotations

from benchmarks.bars import BARS, verdicts
from benchmarks.cases import BY_NAME, CASES, DECISIONS
from benchmarks.compare import OURS, Cell, Column, Run
from benchmarks.table import as_json, markdown
from benchmarks.worker import verify


def run_with(**seconds: float) -> Run:
    columns = [
        Column(OURS, "", "taskman-authz", ("Evaluation",), "1"),
        Column("cel_rust", "dicts", "cel (Rust), dicts", ("Evaluation",), "2"),
    ]
    cells = {("policy", name.replace("__", "/")): Cell(value, 1) for name, value in seconds.items()}
    return Run([BY_NAME["policy"]], columns, cells)


def verdict(run: Run, words: str) -> str:
    return next(str(found) for found in verdicts(run) if words in found.bar)


def test_bar_is_met_by_the_ratio_of_one_run() -> None:
    assert verdict(run_with(ours=1e-6, cel_rust__dicts=4e-6), "common").startswith("met")
    assert verdict(run_with(ours=1e-6, cel_rust__dicts=2e-6), "common").startswith("MISSED")


def test_bar_without_a_measurement_is_missed_and_says_what_is_missing() -> None:
    assert "cel_rust/dicts has no time for policy" in verdict(run_with(ours=1e-6), "common")


def test_bars_name_cases_that_exist() -> None:
    assert {case for bar in BARS for case in bar.cases} <= set(BY_NAME)


def test_only_bars_whose_cases_were_asked_are_judged() -> None:
    assert all("policy" in found.bar for found in verdicts(run_with(ours=1e-6)))


def test_table_says_why_a_cell_is_empty() -> None:
    run = run_with(ours=1e-6)
    run.cells["policy", "cel_rust/dicts"] = Cell(cannot="answers False instead of True")
    run.absent["cerbos"] = "comes from an npm package, and `npm` is not installed"
    text = markdown(run, verdicts(run))
    assert "cel (Rust), dicts: answers False instead of True" in text
    assert "cerbos comes from an npm package" in text
    assert as_json(run, [])["cases"]["policy"]["cel_rust/dicts"]["cannot"]


def test_every_decision_has_as_many_policies_as_it_says() -> None:
    for case in DECISIONS:
        if case.count > 10_000:
            continue  # takes a second
        assert len({rule.id for rule in case.rules}) == case.count


def test_names_of_cases_are_unique() -> None:
    assert len(BY_NAME) == len(CASES)


def test_python_reference_of_every_evaluation_gives_the_expected_answer() -> None:
    for case in CASES:
        if hasattr(case, "python"):
            verify(case, case.python(case.data))
