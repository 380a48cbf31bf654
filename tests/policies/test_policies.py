"""The policies that we ship: they compile, their tests pass, and nothing is left out."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from taskman_authz import PDP
from taskman_authz.policy.formatter import formatted_document
from taskman_authz.testing import coverage, load_suites, mutate, run

ROOT = Path(__file__).resolve().parents[2] / "policies"
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.yaml")
    if not path.stem.endswith("_test") and path.name != "schema.yaml"
)
CALLS = yaml.safe_load((Path(__file__).parent / "actions.yaml").read_text())
ACTIONS = sorted({action for calls in CALLS.values() for action in calls.values()})

DEVELOPER = {"type": "user", "id": "123", "roles": ["developer"], "department": "engineering"}


@pytest.fixture(scope="module")
def results():
    return list(run(load_suites([str(ROOT)])))


@pytest.fixture(scope="module")
def taskman():
    return PDP.from_path(str(ROOT / "taskman"))


def test_all_policy_tests_pass(results):
    assert [f"{r.case.place}: {r.case.name}: {r.complaint}" for r in results if not r.passed] == []


def test_the_tests_see_every_rule_and_nearly_every_clause():
    shares = coverage(load_suites([str(ROOT)])).shares
    assert shares["rules"].percent == 100
    assert shares["clauses"].percent >= 95


def test_the_tests_notice_nearly_every_mistake():
    found = mutate(load_suites([str(ROOT)]))
    assert found.score.percent >= 95, [str(each) for each in found.survivors]


def test_all_policies_are_one_valid_set():
    PDP.from_path(str(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_conditions_are_laid_out(path):
    text = path.read_bytes().decode()
    assert formatted_document(str(path), text) == text, f"taskman-authz fmt {path}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_document_has_its_test_beside_it(path):
    # A company's own document is tested with the one that it adds to.
    base = path.stem.partition("_initech")[0]
    assert path.with_name(f"{base}_test.yaml").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_every_call_can_be_allowed_and_denied_and_both_are_tested(results, action):
    # `things` are what no policy is about: everything is denied on them.
    effects = {
        r.decision.effect
        for r in results
        if r.case.request.action == action and r.case.request.resource_type != "things"
    }
    assert effects == {"allow", "deny"}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_named_by_a_policy_that_may_allow_it(taskman, action):
    kind = action.split(":")[0]
    named = {
        rule.id
        for rule in taskman.policies.rules
        if not rule.deny and (action in rule.actions or f"{kind}:*" in rule.actions)
    }
    assert named


def test_every_policy_decides_a_case(results):
    deciding = {policy for result in results for policy in result.deciders}
    defined = {
        policy["id"]
        for path in DOCUMENTS
        for policy in yaml.safe_load(path.read_text()).get("policies", [])
    }
    assert defined - deciding == set()


def test_every_role_is_tested(results):
    tested = {role for result in results for role in result.case.request.roles}
    declared = {
        role["name"]
        for path in DOCUMENTS
        for role in yaml.safe_load(path.read_text()).get("roles", [])
    }
    assert declared - tested == set()


def test_ids_say_what_they_mean_and_are_described():
    undescribed = defaultdict(list)
    for path in DOCUMENTS:
        for policy in yaml.safe_load(path.read_text()).get("policies", []):
            if path.parent.name == "taskman" and not policy.get("description"):
                undescribed[path.name].append(policy["id"])
    assert not undescribed


def test_a_developer_edits_their_own_task(taskman):
    task = {"type": "tasks", "id": "456", "owner": "123"}
    decision = taskman.check(DEVELOPER, "tasks:edit", task, company_id="acme")
    assert decision.allowed
    assert [reason.policy for reason in decision.reasons] == ["developers-edit-their-own"]


def test_the_same_developer_does_not_delete_somebody_elses(taskman):
    task = {"type": "tasks", "id": "789", "owner": "999"}
    assert not taskman.check(DEVELOPER, "tasks:delete", task, company_id="acme").allowed


def test_the_condition_of_the_users_document_is_written_as_it_is_there():
    (condition,) = (
        policy["condition"]
        for policy in yaml.safe_load((ROOT / "taskman" / "tasks.yaml").read_text())["policies"]
        if policy["id"] == "developers-edit-their-own"
    )
    assert " ".join(condition.split()) == (
        "subject.department == 'engineering' && resource.owner == subject.id "
        "|| subject.roles.contains('admin')"
    )
