"""The decision point: every form of a question, batches, and policies exchanged under way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import (
    PDP,
    CheckRequest,
    CompileError,
    Entity,
    Limits,
    RequestError,
    StoreError,
    authorize,
    compile_documents,
    make_request,
)
from tests.policy.helpers import compiled, document, policy

OWN = policy(
    "developers-edit-their-own",
    roles=["developer"],
    actions=["tasks:edit"],
    resources=["tasks/*"],
    condition="subject.department == 'engineering' && resource.owner == subject.id",
)
SUBJECT = {"type": "user", "id": "123", "roles": ["developer"], "department": "engineering"}
RESOURCE = {"type": "tasks", "id": "456", "owner": "123"}


@pytest.fixture(scope="module")
def pdp() -> PDP:
    return PDP(compiled(document(OWN)))


@dataclass
class User:
    id: str = "123"
    type: str = "user"
    department: str = "engineering"
    roles: list[str] = field(default_factory=lambda: ["developer"])


@pytest.mark.parametrize(
    "subject",
    [
        SUBJECT,
        {**SUBJECT, "roles": ("developer",)},
        {**SUBJECT, "roles": {"developer"}},
        MappingProxyType(SUBJECT),
        User(),
        SimpleNamespace(**SUBJECT),
        Entity("user", "123", SUBJECT),
        Entity("user", "123", User()),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "resource",
    [RESOURCE, SimpleNamespace(**RESOURCE), Entity("tasks", "456", RESOURCE)],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "action", ["tasks:edit", {"name": "tasks:edit"}, Entity("", "tasks:edit")], ids=str
)
def test_question_may_be_asked_in_every_form(
    pdp: PDP, subject: Any, action: Any, resource: Any
) -> None:
    decision = pdp.check(subject, action, resource, company_id="acme")
    assert decision
    assert decision.allowed is True
    assert decision.effect == "allow"
    assert [reason.policy for reason in decision.reasons] == ["developers-edit-their-own"]
    assert decision.revision == pdp.policies.revision


def test_names_alone_have_no_attributes_and_no_roles(pdp: PDP) -> None:
    decision = pdp.check("user:123", "tasks:edit", "tasks/456", context={"ip": "10.0.0.7"})
    assert not decision
    assert [reason.code for reason in decision.reasons] == ["no_policy_applies"]


def test_reasons_of_a_no_say_what_was_not_met_without_values(pdp: PDP) -> None:
    decision = pdp.check(SUBJECT, "tasks:edit", {**RESOURCE, "owner": "secret"})
    assert [reason.code for reason in decision.reasons] == ["condition_not_met"]
    assert "secret" not in str(decision.reasons)
    decision = pdp.check(
        {**SUBJECT, "department": None}, "tasks:edit", {"type": "tasks", "id": "1"}
    )
    assert decision.allowed is False


BAD: list[tuple[tuple[Any, ...], str]] = [
    (("user123", "a", "t/1"), "subject"),
    ((":1", "a", "t/1"), "subject.type"),
    (("user:", "a", "t/1"), "subject.id"),
    ((7, "a", "t/1"), "subject"),
    (({"type": "user"}, "a", "t/1"), "subject.id"),
    (({"type": "user", "id": 7}, "a", "t/1"), "subject.id"),
    (({**SUBJECT, "roles": "admin"}, "a", "t/1"), "subject.roles"),
    (({**SUBJECT, "roles": ["a", 1]}, "a", "t/1"), "subject.roles[1]"),
    (({**SUBJECT, "roles": ["r"] * 1_001}, "a", "t/1"), "subject.roles"),
    (("user:1", "", "t/1"), "action"),
    (("user:1", 7, "t/1"), "action.name"),
    (("user:1", "a" * 1_025, "t/1"), "action"),
    (("user:1", "a", "tasks"), "resource"),
    (("user:1", "a", "/1"), "resource.type"),
    (("user:1", "a", "t/" + "1" * 1_025), "resource.id"),
    (("user:1", "a", "t/1", None, 7), "company_id"),
    (("user:1", "a", "t/1", None, None, "today"), "now"),
    (("user:1", "a", "t/1", None, None, datetime(2026, 1, 1)), "now"),
]


@pytest.mark.parametrize(("question", "named"), BAD, ids=lambda value: str(value)[:40])
def test_question_that_cannot_be_asked_names_the_field(
    pdp: PDP, question: tuple[Any, ...], named: str
) -> None:
    positional, rest = question[:4], question[4:]
    with pytest.raises(RequestError) as caught:
        pdp.check(*positional, **dict(zip(("company_id", "now"), rest, strict=False)))
    assert caught.value.field == named


def test_what_is_no_subject_is_told_by_its_type_with_what_one_is(pdp: PDP) -> None:
    with pytest.raises(RequestError, match="expected `type:id`, or .*, found a value of type int"):
        pdp.check(5, "tasks:edit", RESOURCE)
    with pytest.raises(RequestError, match="expected `kind/id`, or .*, found nothing"):
        pdp.check(SUBJECT, "tasks:edit", None)


@pytest.mark.parametrize("items", ["abc", b"abc", {1, 2}, 5])
def test_what_is_no_list_of_questions_is_no_batch(pdp: PDP, items: Any) -> None:
    with pytest.raises(RequestError, match="expected a list, found a value of type"):
        pdp.batch_check(items)


def test_bad_item_of_a_batch_is_denied_and_the_others_are_answered(pdp: PDP) -> None:
    items: list[Any] = [
        (SUBJECT, "tasks:edit", RESOURCE),
        ("nobody", "tasks:edit", RESOURCE),
        {"subject": SUBJECT, "action": "tasks:edit", "resource": RESOURCE, "company_id": "acme"},
        {"subject": SUBJECT, "acton": "tasks:edit", "resource": RESOURCE},
        {"subject": SUBJECT, "resource": RESOURCE},
        (SUBJECT, "tasks:edit"),
        "user:1",
        make_request(SUBJECT, "tasks:edit", RESOURCE),
    ]
    decisions = pdp.batch_check(items)
    codes = [decision.reasons[0].code for decision in decisions]
    good, bad = "allowed_by_policy", "invalid_request"
    assert codes == [good, bad, good, bad, bad, bad, bad, good]
    assert [decision.allowed for decision in decisions] == [code == good for code in codes]
    assert {decision.revision for decision in decisions} == {pdp.policies.revision}


@pytest.mark.parametrize(("question", "named"), BAD, ids=lambda value: str(value)[:40])
def test_bad_item_of_a_batch_names_the_field(
    pdp: PDP, question: tuple[Any, ...], named: str
) -> None:
    (decision,) = pdp.batch_check([question])
    (reason,) = decision.reasons
    assert (reason.code, reason.message.split(":")[0]) == ("invalid_request", named)


def test_batch_above_the_limit_is_refused() -> None:
    small = PDP(compile_documents([("f", document(OWN))], Limits(batch_size=2)))
    question = (SUBJECT, "tasks:edit", RESOURCE)
    assert len(small.batch_check([question] * 2)) == 2
    with pytest.raises(RequestError, match="more than 2"):
        small.batch_check([question] * 3)


def test_now_is_the_clocks_where_none_is_given() -> None:
    made = PDP(compiled(document(policy(condition="now > timestamp('2020-01-01T00:00:00Z')"))))
    assert made.check("user:1", "a", "t/1")
    assert all(made.batch_check([("user:1", "a", "t/1")] * 2))
    old = datetime(2019, 1, 1, tzinfo=UTC)
    assert not made.check("user:1", "a", "t/1", now=old)
    assert not made.check("user:1", "a", "t/1", now=0)
    assert not made.batch_check(
        [{"subject": "user:1", "action": "a", "resource": "t/1", "now": 0}]
    )[0]


def test_batch_is_answered_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = PDP(compiled(document(policy(condition="now == timestamp(7)"))))
    ticks = iter(range(7_000_000_000, 8_000_000_000))
    monkeypatch.setattr(time, "time_ns", lambda: next(ticks))
    assert all(made.batch_check([("user:1", "a", "t/1")] * 3))


def test_installed_policies_answer_what_is_asked_after() -> None:
    first, second = compiled(document(policy())), compiled(document(policy(effect="deny")))
    made = PDP(first)
    assert made.check("user:1", "a", "t/1").revision == first.revision
    made.install(second)
    decision = made.check("user:1", "a", "t/1")
    assert (decision.allowed, decision.revision) == (False, second.revision)
    assert made.policies is second


def test_a_set_without_policies_denies_where_it_is_asked_by() -> None:
    empty = compiled(document())
    question = CheckRequest("user", "1", "a", "t", "1")
    decision = PDP(compiled(document(policy()))).decide(question, empty)
    assert (decision.allowed, decision.revision) == (False, empty.revision)


def test_policies_are_read_from_a_folder_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(document(OWN), encoding="utf-8")
    for path in (tmp_path, tmp_path / "a.yaml", str(tmp_path)):
        assert PDP.from_path(path).check(SUBJECT, "tasks:edit", RESOURCE)


def test_policies_that_do_not_compile_are_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(document(policy(condition="1 +")), encoding="utf-8")
    with pytest.raises(CompileError, match=r"a\.yaml:\d+:\d+: error"):
        PDP.from_path(tmp_path)
    with pytest.raises(StoreError):
        PDP.from_path(tmp_path / "nowhere")


# -- the quick way for questions in their usual form ------------------------------------------

POLICIES = compiled(
    document(
        OWN,
        policy(
            "view", roles=["*"], actions=["*:view"], condition="context.ok || now > timestamp(9)"
        ),
        policy("name", roles=["b"], condition="action.name == 'x' && company_id == 'acme'"),
        policy("no", effect="deny", resources=["t/1"], condition="subject.id == resource.id"),
    )
)
IDS = st.sampled_from(["", "1", "123", "x" * 1_025, 7, None])
ROLES = st.one_of(
    st.none(),
    st.just("a"),
    st.lists(st.sampled_from(["developer", "b", 1]), max_size=2),
    st.lists(st.sampled_from(["developer", "b"]), max_size=2).map(tuple),
)
ENTITIES = st.one_of(
    st.sampled_from(["user:1", "user", "t/1", "t", ":", "/", "", "a:b:c/d/e", None, 7]),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["user", "t", "tasks", "", None])},
        optional={
            "id": IDS,
            "roles": ROLES,
            "department": st.just("engineering"),
            "owner": st.just("123"),
        },
    ),
)
QUESTIONS = st.tuples(
    ENTITIES,
    st.sampled_from(["tasks:edit", "t:view", "x", "", None, "x" * 1_025, {"name": "x"}]),
    ENTITIES,
    st.sampled_from([None, {}, {"ok": True}, {"ok": 1}]),
    st.sampled_from([None, "acme", "", 7]),
    st.sampled_from([0, 10**11, True, "now"]),
)


@given(QUESTIONS)
def test_check_is_the_decision_on_the_request_that_is_made_of_it(question: tuple[Any, ...]) -> None:
    subject, action, resource, context, company_id, now = question

    def asked() -> Any:
        return PDP(POLICIES).check(
            subject, action, resource, context, company_id=company_id, now=now
        )

    try:
        request: CheckRequest = make_request(*question)
    except RequestError as error:
        with pytest.raises(RequestError) as caught:
            asked()
        assert (caught.value.field, caught.value.message) == (error.field, error.message)
        assert PDP(POLICIES).batch_check([question])[0].reasons[0].message == str(error)
    else:
        assert asked() == authorize(POLICIES, request) == PDP(POLICIES).batch_check([question])[0]
