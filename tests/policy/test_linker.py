"""Documents that do not fit together are told so, at every place."""

from __future__ import annotations

from typing import Any

import pytest

from taskman_authz.policy.linker import pattern_error
from tests.policy.helpers import compiled, document, issues_of, pointed_at, policy

DEV = {"name": "developer"}


@pytest.mark.parametrize(
    "pattern", ["tasks:edit", "*", "t*", "tasks:*", "*:view", "a:*:c", "tasks:ed*", "a:b:c"]
)
def test_pattern_of_actions_is_one(pattern: str) -> None:
    assert pattern_error(pattern, ":") == ""


@pytest.mark.parametrize(
    "pattern", ["tasks/1", "tasks/*", "*", "*/1", "t*", "projects/*/tasks", "projects/7/*"]
)
def test_pattern_of_resources_is_one(pattern: str) -> None:
    assert pattern_error(pattern, "/") == ""


@pytest.mark.parametrize(
    ("pattern", "separator", "why"),
    [
        ("a b", ":", "white space"),
        ("a\u200b", ":", "control character"),
        ("**", ":", "`**`"),
        ("tasks:**", ":", "`**`"),
        ("tasks:", ":", "empty segment"),
        (":edit", ":", "empty segment"),
        ("a::b", ":", "empty segment"),
        ("ta*ks:edit", ":", "whole segment"),
        ("*s:edit", ":", "whole segment"),
        ("tasks:*t", ":", "whole segment"),
        ("tasks:e*t", ":", "whole segment"),
        ("tasks:*d*", ":", "whole segment"),
        ("edit", ":", "`*:edit` is it on every one"),
        ("tasks", "/", "`tasks/*` is every one"),
        ("tasks/", "/", "empty segment"),
        ("t*/1", "/", "whole segment"),
    ],
)
def test_bad_pattern_is_refused(pattern: str, separator: str, why: str) -> None:
    assert why in pattern_error(pattern, separator)


def test_bad_pattern_is_told_at_its_place() -> None:
    (issue,) = issues_of(document(policy(actions=["a:b", "c::d"])))
    assert (issue.code, pointed_at(issue, 4)) == ("bad_pattern", "c::d")


@pytest.mark.parametrize("order", [(None, "acme"), ("acme", None)])
def test_id_of_a_policy_of_every_company_is_nobody_elses(order: tuple[str | None, ...]) -> None:
    texts = [document(policy(), **_company(company)) for company in order]
    (issue,) = issues_of(*texts)
    assert (issue.code, issue.place.source) == ("duplicate_id", "f1.yaml")
    assert issue.message == "the policy id `a` is given twice in company `acme`"
    assert issue.hint.startswith("first at f0.yaml:")


def test_two_companies_may_have_the_same_id() -> None:
    assert len(compiled(document(policy(), company="a"), document(policy(), company="b"))) == 2


@pytest.mark.parametrize("company", [None, "acme"])
def test_id_given_twice_is_refused(company: str | None) -> None:
    (issue,) = issues_of(document(policy(), policy(), **_company(company)))
    assert issue.code == "duplicate_id"


def test_set_without_declarations_takes_role_names_as_they_are() -> None:
    assert len(compiled(document(policy(roles=["anything"])))) == 1


def test_role_that_is_not_declared_is_told_with_what_was_meant() -> None:
    (issue,) = issues_of(document(policy(roles=["develper"]), roles=[DEV]))
    assert (issue.code, pointed_at(issue, 8)) == ("unknown_role", "develper")
    assert issue.hint == "did you mean `developer`?"


@pytest.mark.parametrize(
    ("declared_in", "used_in", "known"),
    [
        (None, None, True),
        (None, "acme", True),
        ("acme", "acme", True),
        ("acme", "globex", False),
        ("acme", None, False),
    ],
)
def test_role_is_declared_in_its_company_or_for_all(
    declared_in: str | None, used_in: str | None, known: bool
) -> None:
    texts = [
        document(roles=[DEV], **_company(declared_in)),
        document(policy(roles=["developer"]), **_company(used_in)),
    ]
    if known:
        assert len(compiled(*texts)) == 1
    else:
        (issue,) = issues_of(*texts)
        assert (issue.code, issue.hint) == (
            "unknown_role",
            "it is declared in company `acme` only",
        )


def test_everyone_needs_no_declaration() -> None:
    assert len(compiled(document(policy(roles=["*"]), roles=[DEV]))) == 1


def test_roles_that_could_not_be_read_are_not_told_unknown() -> None:
    found = issues_of("roles: [", document(policy(roles=["developer"]), roles=[{"name": "admin"}]))
    assert [issue.code for issue in found] == ["malformed_yaml"]


@pytest.mark.parametrize("name", ["*", "dev*"])
def test_role_is_no_pattern(name: str) -> None:
    (declared,) = issues_of(document(roles=[{"name": name}]))
    assert declared.code == "bad_role"
    if name != "*":
        (used,) = issues_of(document(policy(roles=[name])))
        assert used.code == "bad_role"


def test_role_declared_twice_is_refused() -> None:
    (issue,) = issues_of(document(roles=[DEV]), document(roles=[DEV]))
    assert (issue.code, issue.place.source) == ("duplicate_role", "f1.yaml")


def test_policy_that_would_fill_the_index_is_refused() -> None:
    many = [f"r{number}" for number in range(101)]
    wide = policy(roles=many, actions=[f"a:{name}" for name in many])
    (issue,) = issues_of(document(wide))
    assert issue.code == "policy_too_wide"


def _company(company: str | None) -> dict[str, Any]:
    return {} if company is None else {"company": company}
