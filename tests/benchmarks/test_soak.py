"""A soak that could not fail would be none: what is wrong is seen to be."""

from __future__ import annotations

import pytest

from benchmarks.soak.__main__ import GROWTH, SLACK, grown
from benchmarks.soak.questions import QUESTIONS, Expected, document
from taskman_authz import PDP
from taskman_authz.policy import compile_documents
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import read_check, write_decision


@pytest.fixture(scope="module")
def expected() -> Expected:
    return Expected()


def answer(expected: Expected, number: int, edition: int) -> pb.CheckResponse:
    pdp = PDP(compile_documents([("policies.yaml", document(edition))]))
    decision = pdp.decide(read_check(expected.messages[number]))
    return pb.CheckResponse.FromString(write_decision(decision))


def test_the_answer_of_either_edition_is_right_and_no_other_is(expected):
    right = answer(expected, 7, 0)
    assert expected.is_right(7, right) and expected.is_right(7, answer(expected, 7, 1))
    for wrong in (
        pb.CheckResponse(allowed=not right.allowed, revision=right.revision, details=right.details),
        pb.CheckResponse(allowed=right.allowed, revision="another", details=right.details),
        pb.CheckResponse(allowed=right.allowed, revision=right.revision),
    ):
        assert not expected.is_right(7, wrong)


def test_the_editions_answer_many_questions_differently(expected):
    one, other = expected.answers.values()
    differing = [number for number in range(QUESTIONS) if one[number][0] != other[number][0]]
    assert len(differing) > QUESTIONS / 10
    assert 0 < sum(allowed for allowed, _ in one) < QUESTIONS


def test_a_process_that_grew_is_told_and_one_that_did_not_or_is_young_is_not(capsys):
    before = {1: 100_000_000, 2: 100_000_000}
    after = {1: int(100_000_000 * GROWTH) + SLACK + 1, 2: 101_000_000, 3: 900_000_000}
    (fault,) = grown(before, after)
    assert fault.startswith("process 1: ")
    assert "process 3" not in capsys.readouterr().out
