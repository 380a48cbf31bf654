"""A set is compiled whole or not at all, and its revision is its content's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.errors import CompileError
from taskman_authz.limits import Limits
from taskman_authz.policy import compile_documents
from tests.policy.helpers import compiled, document, issues_of, pointed_at, policy, told

CONDITION = "subject.department == 'engineering'"
OTHER = "resource.owner == subject.id"


def test_rules_are_the_policies_of_the_documents() -> None:
    text = document(
        policy("a", roles=["dev", "dev"], actions=["t:edit"], resources=["t/*"]),
        policy("b", effect="deny", roles=None, condition=CONDITION),
        company="acme",
    )
    deny, allow = compiled(text).rules
    assert (allow.id, allow.company, allow.deny, allow.condition) == ("a", "acme", False, None)
    assert (allow.actions, allow.resources, allow.roles) == (("t:edit",), ("t/*",), ("dev",))
    assert (deny.id, deny.deny, deny.roles) == ("b", True, ())
    assert deny.condition is not None


def test_documents_without_a_policy_are_an_empty_set() -> None:
    assert (len(compiled()), len(compiled("")), len(compiled("company: a"))) == (0, 0, 0)


def test_equal_conditions_are_one_condition() -> None:
    rules = compiled(
        document(policy("a", condition=CONDITION), policy("b", condition=CONDITION + "\n")),
        document(policy("c", condition=CONDITION + " || " + OTHER)),
    ).rules
    first, second, third = rules
    assert first.condition is second.condition
    assert (first.number, second.number, third.number) == (0, 0, -1)


def test_condition_that_does_not_compile_is_told_wherever_it_stands() -> None:
    found = issues_of(document(policy("a", condition="1 +"), policy("b", condition="1 +")))
    assert [told(issue)[0::3] for issue in found] == [("f0.yaml", "syntax_error")] * 2
    assert found[0].place.line != found[1].place.line


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("1", "not_bool"),
        ("'true'", "not_bool"),
        ("size(subject)", "not_bool"),
        ("subjct.id == 'x'", "undeclared_reference"),
        ("subject.id ==", "syntax_error"),
        (" ", "syntax_error"),
        ("(" * 10_000 + "true" + ")" * 10_000, None),
        ("true" + " || true" * 125_000, None),
    ],
)
def test_condition_that_is_none_does_not_compile(condition: str, code: str | None) -> None:
    (issue,) = issues_of(document(policy(condition=condition)))
    assert code is None or issue.code == code


def test_condition_of_a_policy_that_is_wrong_elsewhere_is_told_too() -> None:
    condition = "now > 'x'"
    wrong = [
        policy("a", effect="maybe", condition=condition),
        policy("b", actions=None, condition=condition),
        policy("c", condition=condition, conditon="true"),
        policy("d", condition=7),
    ]
    issues = issues_of(document(*wrong))
    assert sorted(issue.code for issue in issues) == [
        "bad_value",
        "bad_value",
        "missing_key",
        *["no_matching_overload"] * 3,
        "unknown_key",
    ]
    overloads = [issue for issue in issues if issue.code == "no_matching_overload"]
    assert all(pointed_at(issue, 5) == "> 'x'" for issue in overloads)


def test_no_more_issues_are_told_than_the_limit() -> None:
    texts = [("f.yaml", document(*(policy(f"p{n}", condition="1") for n in range(20))))]
    with pytest.raises(CompileError) as caught:
        compile_documents(texts, Limits(issues=5))
    codes = [issue.code for issue in caught.value.issues]
    assert codes == ["not_bool"] * 5
    texts = [("f.yaml", document(*(policy(f"p{n}", actions=["a::"]) for n in range(20))))]
    with pytest.raises(CompileError) as caught:
        compile_documents(texts, Limits(issues=5))
    issues = list(caught.value.issues)
    assert [issue.code for issue in issues] == ["bad_pattern"] * 5 + ["too_many_issues"]
    assert issues[-1].message == "15 more issues are not shown"


def test_reasons_name_the_policy_and_hold_no_values() -> None:
    deny, allow = compiled(
        document(policy("a", condition=CONDITION), policy("b", effect="deny", condition=CONDITION))
    ).rules
    reasons = [allow.decided[0], allow.failed, allow.unmet, deny.decided[0], deny.failed[0]]
    assert [reason.code for reason in reasons] == [
        "allowed_by_policy",
        "condition_failed",
        "condition_not_met",
        "denied_by_policy",
        "denied_by_error",
    ]
    for reason in reasons:
        assert f"`{reason.policy}`" in reason.message
        assert "engineering" not in reason.message


# -- revision ---------------------------------------------------------------------------------


def test_revision_is_a_hash_of_fixed_length() -> None:
    assert len(compiled("").revision) == 32
    assert int(compiled(document(policy())).revision, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"id": "b"},
        {"effect": "deny"},
        {"roles": ["dev"]},
        {"actions": ["a:b"]},
        {"resources": ["a/*"]},
        {"condition": CONDITION},
    ],
)
def test_revision_changes_with_what_a_decision_depends_on(change: dict[str, Any]) -> None:
    assert compiled(document(policy(**change))).revision != compiled(document(policy())).revision


def test_revision_changes_with_the_company() -> None:
    revisions = {compiled(document(policy(), **c)).revision for c in ({}, {"company": "a"})}
    assert len(revisions) == 2


@pytest.mark.parametrize("change", [{"name": "A"}, {"description": "what it is for"}])
def test_revision_does_not_change_with_words_for_people(change: dict[str, Any]) -> None:
    assert compiled(document(policy(**change))).revision == compiled(document(policy())).revision


VOCABULARY = {
    "roles": ["dev", "admin", "*"],
    "actions": ["t:edit", "t:*", "*"],
    "resources": ["t/*", "t/1", "*"],
}


@given(st.data(), st.randoms(use_true_random=False))
def test_order_of_files_policies_and_lists_changes_nothing(
    data: st.DataObject, chance: random.Random
) -> None:
    def some(key: str) -> list[str]:
        return data.draw(st.lists(st.sampled_from(VOCABULARY[key]), min_size=1, max_size=3))

    policies = [
        policy(
            f"p{number}",
            effect=data.draw(st.sampled_from(["allow", "deny"])),
            condition=data.draw(st.sampled_from([None, CONDITION, "resource.owner == subject.id"])),
            **{key: some(key) for key in VOCABULARY},
        )
        for number in range(data.draw(st.integers(0, 5)))
    ]

    def shuffled(values: list[Any]) -> list[Any]:
        return chance.sample(values, len(values))

    other = [{k: shuffled(v) if k in VOCABULARY else v for k, v in p.items()} for p in policies]
    other = shuffled(other)
    cut = chance.randint(0, len(other))
    one, two = (
        compiled(document(*policies)),
        compiled(document(*other[:cut]), document(*other[cut:])),
    )
    assert one.revision == two.revision
    assert [row.key for row in one.rules] == [row.key for row in two.rules]
