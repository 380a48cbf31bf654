"""What `lint` tells of policies that compile."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import PDP, CompileError
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.policy.files import read_documents
from taskman_authz.policy.lint import CODES, lint
from tests.policy.helpers import document, policy

WRITTEN = (Path(__file__).parent / "lint_cases.yaml").read_text()
CASES: list[dict[str, Any]] = yaml.safe_load(WRITTEN)
POLICIES = Path(__file__).parents[2] / "policies"


def told_in(files: dict[str, str]) -> list[tuple[str, int, str]]:
    """The findings that the lines of some texts name behind them."""
    return sorted(
        (name, number, code)
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (codes := re.search(r" # ([a-z_]+)$", line))
        for code in codes.groups()
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_findings_are_those_that_the_lines_name(case: dict[str, Any]) -> None:
    files = case.get("files") or {"a.yaml": case["text"]}
    found = [(each.place.source, each.place.line, each.code) for each in lint(files.items())]
    if "expect" in case:
        assert [code for _, _, code in found] == case["expect"]
    else:
        assert sorted(found) == told_in(files)


def test_every_code_is_told_in_some_case() -> None:
    assert {code for code in CODES if f"# {code}\n" not in WRITTEN} == set()


def test_every_code_is_described() -> None:
    page = (POLICIES.parent / "docs" / "policies.md").read_text()
    assert {code for code in CODES if f"`{code}`" not in page} == set()


@pytest.mark.parametrize("folder", ["taskman", "patterns", "."])
def test_policies_that_we_ship_have_no_findings(folder: str) -> None:
    assert not lint(read_documents(POLICIES / folder))


@pytest.mark.parametrize(
    ("action", "resource", "hint"),
    [
        ("*", "tasks/*", "`tasks:*` would do"),
        ("*:view", "tasks/*", "`tasks:view` would do"),
        ("*", "*", ""),
        ("tasks:edit", "*", "`tasks/*` would do"),
        ("*:view", "tasks/7", "`tasks:view` would do"),
    ],
)
def test_wide_pattern_is_told_with_the_narrow_one(action: str, resource: str, hint: str) -> None:
    schema = "resources: {tasks: {actions: [view, edit]}, notes: {actions: [view, link]}}"
    text = document(policy(actions=[action], resources=[resource]))
    found = lint([("a.yaml", text), ("schema.yaml", schema)])
    assert [each.hint for each in found] == ([hint] if hint else [])


def test_policies_that_do_not_compile_are_not_told_about() -> None:
    with pytest.raises(CompileError):
        lint([("a.yaml", document(policy(condition="1 +")))])


# -- findings are true -------------------------------------------------------------------------

policies = st.lists(
    st.fixed_dictionaries(
        {
            "effect": st.sampled_from(["allow", "deny"]),
            "roles": st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=2),
            "actions": st.lists(
                st.sampled_from(["t:view", "t:edit", "t:*", "*:view", "*", "u:e*"]),
                min_size=1,
                max_size=2,
            ),
            "resources": st.lists(
                st.sampled_from(["t/1", "t/*", "*", "u/*", "*/1"]), min_size=1, max_size=2
            ),
            "condition": st.sampled_from([None, "context.x", "context.y"]),
        }
    ),
    min_size=2,
    max_size=5,
)
QUESTIONS = [
    ({"type": "user", "id": "1", "roles": roles}, action, resource, context)
    for roles in ([], ["a"], ["b"], ["a", "b"])
    for action in ("t:view", "t:edit", "u:view", "u:edit", "v:x")
    for resource in ("t/1", "t/2", "u/1", "v/2")
    for context in ({"x": True, "y": False}, {"x": False, "y": True}, {"x": True, "y": True}, {})
]


def answers(compiled: PolicySet) -> list[bool]:
    pdp = PDP(compiled)
    return [pdp.check(*question).allowed for question in QUESTIONS]


@given(policies, st.randoms(use_true_random=False))
def test_policy_that_is_told_decides_nothing(
    given: list[dict[str, Any]], chance: random.Random
) -> None:
    """Without it every question has the same answer, and findings do not depend on the order."""
    made = [policy(f"p{number}", **fields) for number, fields in enumerate(given)]
    whole = compile_documents([("a.yaml", document(*made))])
    idle = ("redundant", "shadowed", "deny_without_allow", "no_role")
    for finding in lint([("a.yaml", document(*made))]):
        if finding.code in idle:
            told = finding.place.text.partition(": ")[2]
            others = [each for each in made if each["id"] != told]
            assert len(others) == len(made) - 1
            without = compile_documents([("a.yaml", document(*others))])
            assert answers(without) == answers(whole)
    files = [(f"{each['id']}.yaml", document(each)) for each in made]
    shuffled = chance.sample(files, len(files))
    assert lint(files) == lint(shuffled)
