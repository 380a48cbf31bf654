"""What a decision means: the promises of combination, closing errors, tenancy and order."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import CompileError, Decision, authorize, make_request
from tests.policy.helpers import compiled, document, policy

WHOLE = {"subject": "user:1", "action": "t:edit", "resource": "t/1"}


def decide(*texts: str, **question: Any) -> Decision:
    return authorize(compiled(*texts), make_request(**{**WHOLE, **question}))


def told(decision: Decision) -> list[tuple[str, str]]:
    return [(reason.code, reason.policy) for reason in decision.reasons]


def test_nothing_applicable_is_a_no() -> None:
    assert told(decide()) == [("no_policy_applies", "")]


def test_deny_overrides_allow() -> None:
    decision = decide(document(policy("yes"), policy("no", effect="deny")))
    assert (bool(decision), told(decision)) == (False, [("denied_by_policy", "no")])


def test_error_in_deny_condition_denies() -> None:
    decision = decide(document(policy("yes"), policy("no", effect="deny", condition="resource.x")))
    assert (bool(decision), told(decision)) == (False, [("denied_by_error", "no")])


def test_error_in_allow_condition_does_not_grant() -> None:
    decision = decide(document(policy("yes", condition="resource.x")))
    assert (bool(decision), told(decision)) == (False, [("condition_failed", "yes")])


def test_error_in_one_allow_condition_leaves_the_others() -> None:
    assert decide(document(policy("a", condition="resource.x"), policy("b")))


def test_no_more_reasons_are_told_than_the_limit() -> None:
    many = [policy(f"p{number:02}", condition="false || resource.id == ''") for number in range(20)]
    assert [name for _, name in told(decide(document(*many)))] == [f"p{n:02}" for n in range(8)]


def test_rule_reached_through_two_roles_is_told_once() -> None:
    twice = policy("a", roles=["x", "y"], condition="resource.id == ''")
    subject = {"type": "user", "id": "1", "roles": ["y", "x"]}
    assert told(decide(document(twice), subject=subject)) == [("condition_not_met", "a")]


def test_policy_attached_to_no_role_is_nobodys() -> None:
    subject = {"type": "user", "id": "1", "roles": ["*", ""]}
    assert not decide(document(policy(roles=[])), subject=subject)
    assert not decide(document(policy(roles=None)), subject=subject)


@pytest.mark.parametrize("company", [None, "acme", "globex"])
def test_policy_without_a_company_is_every_companys(company: str | None) -> None:
    assert decide(document(policy()), company_id=company)


@pytest.mark.parametrize("company", [None, "acm", "ACME", "globex"])
@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_policy_of_a_company_never_applies_to_another(effect: str, company: str | None) -> None:
    texts = [document(policy("theirs", effect=effect), company="acme")]
    assert told(decide(*texts, company_id=company)) == [("no_policy_applies", "")]
    assert decide(*texts, document(policy("all")), company_id=company)


def test_absent_attribute_is_an_error_that_has_and_optional_select_allow_for() -> None:
    assert not decide(document(policy(condition="resource.owner != 'x'")))
    assert decide(document(policy(condition="!has(resource.owner)")))
    assert decide(document(policy(condition="!has(context.ip)")))


def test_list_has_contains_in_conditions() -> None:
    subject = {"type": "user", "id": "1", "roles": ["admin"]}
    own = (
        "subject.department == 'engineering' && resource.owner == subject.id"
        " || subject.roles.contains('admin')"
    )
    assert decide(document(policy(condition=own)), subject=subject)
    assert not decide(document(policy(condition=own)), subject={**subject, "roles": ["dev"]})


def test_same_request_gives_the_same_decision() -> None:
    text = document(policy(condition="now < timestamp('2026-01-01T00:00:00Z')"))
    policies, request = compiled(text), make_request(**WHOLE, now=1)
    assert authorize(policies, request) == authorize(compiled(text), request)


# -- properties --------------------------------------------------------------------------------

# A condition as a tree of (template, operands): a fault can be put at any node of it.
Tree = tuple[str, tuple[Any, ...]]
FAULT = "[true][size('fault')]"
LEAVES = ["true", "false", "context.yes", "context.no", "context.gone", "context.one"]
LEAVES += ["(size(context.list) > 1)", "(resource.id == '1')", "has(context.yes)"]
leaves: st.SearchStrategy[Tree] = st.sampled_from(LEAVES).map(lambda text: (text, ()))
TEMPLATES = [
    "!({})",
    "({} && {})",
    "({} || {})",
    "({} ? {} : {})",
    "({} == {})",
    "({} != {})",
    "[{}, {}].exists(x, x)",
    "[{}, {}].all(x, x)",
    "[{}, {}].exists_one(x, x)",
    "context.list.exists(x, x == 1 && {})",
    "context.list.all(x, x == 1 || {})",
    "({} in [{}])",
    "[{}][0]",
    "{{'k': {}}}.k",
]


def trees(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.sampled_from(TEMPLATES).flatmap(
        lambda text: st.tuples(*[inner] * (text.count("{}"))).map(lambda found: (text, found))
    )


conditions = st.recursive(leaves, trees, max_leaves=6)


def render(tree: Tree, at: int = -1) -> str:
    """The text of a tree with a fault in the place of node number `at`."""
    numbers = iter(range(1_000))

    def text(node: Tree) -> str:
        template, operands = node
        here = next(numbers)
        inner = [text(operand) for operand in operands]
        return FAULT if here == at else template.format(*inner) if inner else template

    return text(tree)


def size(tree: Tree) -> int:
    return 1 + sum(size(operand) for operand in tree[1])


@given(st.lists(st.tuples(st.sampled_from(["allow", "deny"]), conditions), min_size=1, max_size=3))
def test_fault_at_any_node_never_turns_deny_into_allow(rules: list[tuple[str, Tree]]) -> None:
    context = {"yes": True, "no": False, "one": 1, "list": [1, 2]}

    def answer(number: int = -1, at: int = -1) -> bool | None:
        """Whether it is allowed; None where the policies are refused for saying always the same."""
        policies = [
            policy(
                f"p{place}",
                effect=effect,
                condition=render(tree, at if place == number else -1),
            )
            for place, (effect, tree) in enumerate(rules)
        ]
        try:
            return bool(decide(document(*policies), context=context))
        except CompileError as error:
            assert {issue.code for issue in error.issues} <= {"always_true", "always_false"}
            return None

    if answer() is not False:
        return
    for number, (_, tree) in enumerate(rules):
        for at in range(size(tree)):
            assert not answer(number, at), render(tree, at)


COMPANIES = [None, "acme", "globex"]
POLICIES = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(["allow", "deny"]),
        "roles": st.lists(st.sampled_from(["a", "b", "*"]), max_size=2),
        "actions": st.lists(
            st.sampled_from(["t:edit", "t:*", "*", "*:edit"]), min_size=1, max_size=2
        ),
        "resources": st.lists(st.sampled_from(["t/1", "t/*", "*", "u/*"]), min_size=1, max_size=2),
        "condition": st.sampled_from([None, "context.yes", "context.no", "context.gone"]),
    }
)
SETS = st.lists(st.tuples(st.sampled_from(COMPANIES), POLICIES), max_size=6)


def documents(rules: list[tuple[str | None, dict[str, Any]]]) -> list[str]:
    """One document a policy; ids are the places in the list before it is shuffled."""
    return [
        document(made, **({} if company is None else {"company": company}))
        for company, made in rules
    ]


@given(
    SETS,
    st.sampled_from([None, "acme", "globex"]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True),
    st.randoms(use_true_random=False),
)
def test_order_of_anything_changes_no_decision(
    rules: list[tuple[str | None, dict[str, Any]]],
    company: str | None,
    roles: list[str],
    chance: random.Random,
) -> None:
    named = [(owner, policy(f"p{n}", **fields)) for n, (owner, fields) in enumerate(rules)]
    question = {"company_id": company, "context": {"yes": True, "no": False}, "now": 0}
    mixed = [
        (owner, {k: chance.sample(v, len(v)) if isinstance(v, list) else v for k, v in p.items()})
        for owner, p in chance.sample(named, len(named))
    ]
    subject = {"type": "user", "id": "1", "roles": roles}
    other = {**subject, "roles": chance.sample(roles, len(roles))}
    assert decide(*documents(named), subject=subject, **question) == decide(
        *documents(mixed), subject=other, **question
    )


@given(SETS, st.sampled_from(["acme", "globex"]))
def test_other_companies_policies_change_no_decision(
    rules: list[tuple[str | None, dict[str, Any]]], company: str
) -> None:
    named = [(owner, policy(f"p{n}", **fields)) for n, (owner, fields) in enumerate(rules)]
    ours = [rule for rule in named if rule[0] in (None, company)]
    question = {"company_id": company, "context": {"yes": True, "no": False}}
    one, other = (decide(*documents(some), **question) for some in (named, ours))
    assert (one.allowed, one.reasons) == (other.allowed, other.reasons)


@given(SETS)
def test_decision_is_true_only_where_it_allows(
    rules: list[tuple[str | None, dict[str, Any]]],
) -> None:
    named = [(owner, policy(f"p{n}", **fields)) for n, (owner, fields) in enumerate(rules)]
    decision = decide(*documents(named), context={"yes": True})
    assert bool(decision) is decision.allowed is (decision.effect == "allow")
    assert decision.reasons
