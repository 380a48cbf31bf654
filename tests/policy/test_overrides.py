"""What a company may take back of what holds in every company: only what says so itself."""

from __future__ import annotations

from typing import Any

import pytest

from taskman_authz import PDP
from tests.policy.helpers import compiled, document, issues_of, policy, told

EVERYWHERE = document(
    policy("all"),
    policy("no-exports", effect="deny", actions=["t:export"], overridable=True),
    policy("late", effect="deny", condition="context.late // past ten", overridable=True),
    policy("never", effect="deny", actions=["t:delete"]),
)
ACME = document(company="acme", overrides=["no-exports", "late"])


def allowed(*texts: str, action: str, company: str | None, context: Any = None) -> bool:
    pdp = PDP(compiled(*texts))
    context = {"late": False} if context is None else context
    return pdp.check("user:1", action, "t/1", context, company_id=company).allowed


@pytest.mark.parametrize("company", ["acme", "globex", None])
@pytest.mark.parametrize("late", [True, False, None])
@pytest.mark.parametrize("action", ["t:view", "t:export", "t:delete"])
def test_policy_that_is_overridden_does_not_hold_in_that_company_and_holds_in_all_others(
    company: str | None, late: bool | None, action: str
) -> None:
    texts = [EVERYWHERE, ACME]
    overridden = company == "acme"
    expected = action != "t:delete" and (overridden or (action == "t:view" and late is False))
    context = {} if late is None else {"late": late}
    assert allowed(*texts, action=action, company=company, context=context) is expected


def test_company_may_say_less_in_place_of_what_it_overrides() -> None:
    own = policy("acme-late", effect="deny", condition="context.very_late")
    acme = document(own, company="acme", overrides=["late"])
    for very_late in (True, False):
        context = {"late": True, "very_late": very_late}
        answer = allowed(EVERYWHERE, acme, action="t:view", company="acme", context=context)
        assert answer is not very_late


def test_what_several_companies_override_is_one_policy_whatever_their_order() -> None:
    texts = [EVERYWHERE, ACME, document(company="b", overrides=["late"])]
    assert compiled(*texts).revision == compiled(*reversed(texts)).revision
    assert compiled(*texts).revision != compiled(*texts[:2]).revision
    assert [rule.id for rule in compiled(*texts).rules].count("late") == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (document(company="acme", overrides=["never"]), "bad_override"),
        (document(company="acme", overrides=["all"]), "bad_override"),
        (document(company="acme", overrides=["no-export"]), "unknown_policy"),
        (document(overrides=["no-exports"]), "bad_override"),
        (document(policy("x", overridable=True)), "bad_override"),
        (document(policy("x", effect="deny", overridable=True), company="acme"), "bad_override"),
        (document(company="acme", overrides="late"), "bad_value"),
    ],
)
def test_nothing_else_can_be_overridden(text: str, code: str) -> None:
    (issue,) = issues_of(EVERYWHERE, text)
    assert told(issue)[0::3] == ("f1.yaml", code)
    if code == "unknown_policy":
        assert issue.hint == "did you mean `no-exports`?"


def test_policy_of_another_company_cannot_be_overridden() -> None:
    theirs = document(policy("theirs", effect="deny"), company="globex")
    (issue,) = issues_of(theirs, document(company="acme", overrides=["theirs"]))
    assert issue.code == "unknown_policy"
