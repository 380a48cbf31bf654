"""The official suite as tests, one a file of the suite: what gaps.txt says is what happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from taskman_authz.cel import Env, ext, protobuf

from . import checker, comprehension, engine, fetch, parser, report, wire
from .cases import Case, conformance, read
from .debug import debug
from .runner import Outcome, known_failures, read_reasons, run_all, unexpected, unknown_gaps

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
    surprises = unexpected(outcomes, known_failures())
    assert not surprises, "\n".join([*surprises, *report.failures(outcomes)])


def test_every_file_of_the_suite_is_run(suite: Mapping[str, list[Case]]) -> None:
    assert sorted(suite) == sorted(FILES)


OTHERS: dict[str, tuple[int, Callable[[], list[Case]], Callable[[Case], Outcome]]] = {
    parser.NAME: (194, parser.cases, parser.run),
    checker.NAME: (135, checker.cases, checker.run),
    comprehension.NAME: (92, comprehension.cases, comprehension.run),
}


@pytest.mark.parametrize("name", OTHERS)
def test_suites_of_the_reference_pass(name: str, suite: Mapping[str, list[Case]]) -> None:
    count, cases, run = OTHERS[name]
    outcomes = run_all(cases(), lambda case: None, run)
    assert len(outcomes) == count
    surprises = unexpected(outcomes, known_failures())
    assert not surprises, "\n".join([*surprises, *report.failures(outcomes)])


def test_gaps_and_reasons_name_tests_of_the_suites(suite: Mapping[str, list[Case]]) -> None:
    every = [case for cases in suite.values() for case in cases]
    assert unknown_gaps(every, frozenset(read_reasons()["trees"])) == []
    every += [case for _, cases, _ in OTHERS.values() for case in cases()]
    assert unknown_gaps(every, known_failures()) == []


def test_reasons_only_shrink() -> None:
    assert {kind: len(names) for kind, names in read_reasons().items()} == {"cases": 5, "trees": 8}


@pytest.mark.parametrize("name", fetch.SUITES)
def test_trees_are_those_of_the_reference(name: str, suite: Mapping[str, list[Case]]) -> None:
    cases = [case for case in read(fetch.suite(name)) if case.ast]
    plain, bare = Env(), Env(macros=False)
    for case in cases:
        env = plain if case.macros else bare
        assert debug(env.parse(case.expression).expr) == case.ast, case.name


@pytest.mark.parametrize("name", fetch.SUITES)
def test_serialised_trees_are_those_of_the_reference(
    name: str, suite: Mapping[str, list[Case]]
) -> None:
    plain, bare = Env(), Env(macros=False)
    for case in read(fetch.suite(name)):
        if case.ast:
            program = (plain if case.macros else bare).compile(case.expression, check=False)
            assert wire.parsed(protobuf.to_parsed(program)) == case.ast, case.name
            again = protobuf.from_parsed(
                protobuf.to_parsed(program), plain if case.macros else bare, check=False
            )
            assert protobuf.to_parsed(again) == protobuf.to_parsed(program), case.name


def test_serialised_checked_trees_are_those_of_the_reference(
    suite: Mapping[str, list[Case]],
) -> None:
    others = read_reasons()["trees"]
    for case in (case for cases in suite.values() for case in cases if case.checked_ast):
        # As the reference implementation's were made: enums as ints, always with optional values,
        # without the order of numbers of different types.
        as_made = dataclasses.replace(case, name=case.name.replace("/strong_", "/"))
        env = engine.environment(as_made, checker.PLAIN, [ext.OPTIONALS])
        data = protobuf.to_checked(env.compile(case.expression, check=case.check))
        assert (wire.checked(data) == case.checked_ast) is (case.name not in others), case.name
        again = protobuf.from_checked(data, env)
        assert wire.checked(protobuf.to_checked(again)) == wire.checked(data), case.name
