"""Shadow mode: whatever a candidate does, the answer is that of the policies in force."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import PDP, Decision, Shadow
from taskman_authz.pdp import ShadowCounts
from tests.policy.helpers import compiled, document, policy

CONDITIONS = st.sampled_from(
    ["context.a == 1", "context.a > 1", "subject.level > 1", "resource.owner == subject.id"]
    + ["1 / context.zero == 1"]
)
POLICIES = st.lists(
    st.builds(
        lambda condition, effect, action: {
            "condition": condition,
            "effect": effect,
            "actions": [action],
        },
        CONDITIONS,
        st.sampled_from(["allow", "deny"]),
        st.sampled_from(["tasks:*", "tasks:view"]),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda rows: compiled(document(*(policy(f"p{place}", **row) for place, row in enumerate(rows))))
)
QUESTIONS = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {"type": st.just("user"), "id": st.sampled_from(["1", "2"])},
            optional={"level": st.integers(0, 3)},
        ),
        st.sampled_from(["tasks:view", "tasks:edit"]),
        st.just({"type": "tasks", "id": "1", "owner": "1"}),
        st.just({"a": 1, "zero": 0}),
    ),
    min_size=1,
    max_size=5,
)


@given(POLICIES, POLICIES, QUESTIONS)
def test_answers_are_those_without_a_shadow_and_differences_are_counted(live, next_, questions):
    differences: list[tuple[bool, bool]] = []

    def differ(request: Any, answer: Decision, found: Decision) -> None:
        differences.append((answer.allowed, found.allowed))

    shadow = Shadow(PDP(next_), differ)
    shadowed, plain, other = PDP(live, shadow=shadow), PDP(live), PDP(next_)
    expected = [plain.check(*question) for question in questions]
    assert [shadowed.check(*question) for question in questions] == expected
    assert shadowed.batch_check(questions) == expected
    found = [other.check(*question) for question in questions]
    pairs = [(a.allowed, b.allowed) for a, b in zip(expected, found, strict=True)] * 2
    assert shadow.counts == ShadowCounts(
        len(pairs), pairs.count((False, True)), pairs.count((True, False)), 0
    )
    assert differences == [pair for pair in pairs if pair[0] != pair[1]]
    assert shadow.counts.differences == len(differences)


def broken(error: BaseException) -> Any:
    class Broken:
        @property
        def policies(self) -> Any:
            raise error

    return Broken()


class Undecided:
    """Has policies that cannot decide."""

    policies = SimpleNamespace(decider=None, revision="r")


@given(
    POLICIES,
    QUESTIONS,
    st.sampled_from([broken(ValueError("x")), broken(RecursionError()), Undecided()]),
)
def test_a_candidate_that_raises_changes_no_answer_and_is_counted(live, questions, candidate):
    shadow = Shadow(candidate)
    expected = [PDP(live).check(*question) for question in questions]
    assert [PDP(live, shadow=shadow).check(*question) for question in questions] == expected
    assert shadow.counts == ShadowCounts(len(questions), 0, 0, len(questions))


ALLOWING = compiled(document(policy("yes")))
DENYING = compiled(document(policy("no", effect="deny")))
QUESTION = ("user:1", "tasks:view", "tasks/1")


def test_a_callback_that_raises_changes_no_answer():
    def raising(*_: Any) -> None:
        raise ValueError("x")

    shadow = Shadow(PDP(DENYING), raising)
    assert PDP(ALLOWING, shadow=shadow).check(*QUESTION)
    assert (shadow.counts.revoked, shadow.counts.failed) == (1, 1)


def test_a_shadow_is_put_up_exchanged_and_taken_away_while_questions_are_answered():
    candidate = PDP(DENYING)
    pdp = PDP(ALLOWING)
    assert pdp.shadow is None
    pdp.shadow = shadow = Shadow(candidate)
    assert pdp.check(*QUESTION) and shadow.counts.revoked == 1
    candidate.install(ALLOWING)
    assert pdp.check(*QUESTION) and shadow.counts.revoked == 1
    pdp.shadow = None
    assert pdp.check(*QUESTION) and shadow.counts.checks == 2


def test_taking_the_shadow_away_leaves_the_log():
    logged: list[Any] = []
    pdp = PDP(ALLOWING, log=lambda *line: logged.append(line) or True, shadow=Shadow(PDP(DENYING)))
    pdp.shadow = None
    assert pdp.check(*QUESTION)
    assert len(logged) == 1 and logged[0][1].allowed


def test_threads_lose_no_count():
    shadow = Shadow(PDP(DENYING))
    pdp = PDP(ALLOWING, shadow=shadow)

    def ask() -> None:
        for _ in range(200):
            pdp.check(*QUESTION)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shadow.counts == ShadowCounts(1_000, 0, 1_000, 0)


@pytest.mark.parametrize("question", [("no colon", "a:b", "c/d"), (5, "a:b", "c/d")])
def test_what_cannot_be_asked_is_asked_of_nobody(question):
    shadow = Shadow(PDP(DENYING))
    pdp = PDP(ALLOWING, shadow=shadow)
    with pytest.raises(Exception, match="subject") as caught:
        pdp.check(*question)
    with pytest.raises(type(caught.value)):
        PDP(ALLOWING).check(*question)
    assert shadow.counts.checks == 0
