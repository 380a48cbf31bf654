"""The official suite as tests, one a file of the suite: what gaps.txt says is what happens."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from taskman_authz.cel import Env

from . import comprehension, fetch, report
from .cases import Case, conformance, read
from .debug import debug
from .runner import read_gaps, run_all, unexpected, unknown_gaps

FILES = (
    "basic bindings_ext block_ext comparisons conversions dynamic encoders_ext enums fields "
    "fp_math integer_math lists logic macros macros2 math_ext namespace optionals parse plumbing "
    "proto2 proto2_ext proto3 string string_ext timestamps type_deductions wrappers"
).split()


@pytest.fixture(scope="session")
def suite() -> Mapping[str, list[Case]]:
    try:
        cases = conformance()
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    files: dict[str, list[Case]] = {}
    for case in cases:
        files.setdefault(case.file, []).append(case)
    return files


@pytest.mark.parametrize("file", FILES)
def test_file_passes_but_for_the_known_gaps(file: str, suite: Mapping[str, list[Case]]) -> None:
    outcomes = run_all(suite[file], lambda case: None)
    surprises = unexpected(outcomes, read_gaps())
    assert not surprises, "\n".join([*surprises, *report.failures(outcomes)])


def test_every_file_of_the_suite_is_run(suite: Mapping[str, list[Case]]) -> None:
    assert sorted(suite) == sorted(FILES)


def test_gaps_name_tests_of_the_suite(suite: Mapping[str, list[Case]]) -> None:
    assert unknown_gaps((case for cases in suite.values() for case in cases), read_gaps()) == []


def test_loops_with_two_variables_pass(suite: Mapping[str, list[Case]]) -> None:
    outcomes = run_all(comprehension.cases(), lambda case: None, comprehension.run)
    assert len(outcomes) == 92
    surprises = unexpected(outcomes, read_gaps())
    assert not surprises, "\n".join([*surprises, *report.failures(outcomes)])


@pytest.mark.parametrize("name", fetch.SUITES)
def test_trees_are_those_of_the_reference(name: str, suite: Mapping[str, list[Case]]) -> None:
    cases = [case for case in read(fetch.suite(name)) if case.ast]
    plain, bare = Env(), Env(macros=False)
    for case in cases:
        env = plain if case.macros else bare
        assert debug(env.parse(case.expression).expr) == case.ast, case.name
