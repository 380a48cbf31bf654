"""What is needed to decide is never too little, and only what conditions read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from taskman_authz import PDP, CheckRequest, authorize, make_request
from taskman_authz.pdp.needs import EVERYTHING, NOTHING, Needs, needs, reads
from taskman_authz.testing.strategies import requests
from tests.policy.helpers import compiled, document, policy

SHIPPED = PDP.from_path(Path(__file__).parents[2] / "policies" / "taskman").policies


def fetched(attributes: Any, names: frozenset[str]) -> dict[str, Any]:
    """What somebody who knows all attributes gives when asked for some."""
    if EVERYTHING in names:
        return dict(attributes or {})
    return {name: value for name, value in (attributes or {}).items() if name in names}


@given(requests(SHIPPED, now=0))
def test_a_request_given_what_it_needs_is_decided_as_one_given_everything(request: CheckRequest):
    roles = {"roles": list(request.roles)}
    bare = msgspec.structs.replace(request, subject=roles, resource={})
    needed = needs(SHIPPED, bare)
    full = msgspec.structs.replace(
        bare,
        subject=fetched(request.subject, needed.subject) | roles,
        resource=fetched(request.resource, needed.resource),
    )
    assert authorize(SHIPPED, full) == authorize(SHIPPED, request)


@pytest.mark.parametrize(
    ("condition", "subject", "resource"),
    [
        ("subject.department == 'x' && resource.owner == subject.id", ["department"], ["owner"]),
        ("has(resource.due) || subject['level'] > 2", ["level"], ["due"]),
        ("resource.?owner.orValue('') == subject[?'name'].orValue('')", ["name"], ["owner"]),
        ("resource.labels.exists(subject, subject == resource.main)", [], ["labels", "main"]),
        ("cel.bind(context, subject.a, context == .subject.b)", ["a", "b"], []),
        ("subject[context.key] == 1", [EVERYTHING], []),
        ("resource == subject.favourite", ["favourite"], [EVERYTHING]),
        ("'admin' in subject.roles && resource.type == context.kind", [], []),
        ("[subject.a, {'b': resource.b}].size() == 2", ["a"], ["b"]),
    ],
)
def test_a_condition_reads_the_attributes_that_it_names(condition, subject, resource):
    found = reads(condition)
    assert (found.subject, found.resource) == (frozenset(subject), frozenset(resource))


@pytest.mark.parametrize(
    ("condition", "unsure"),
    [
        ("resource.owner == subject.login && subject['level'] > 2", []),
        ("has(resource.locked) && resource.locked", ["resource.locked"]),
        (
            "resource.?owner.orValue('') == subject[?'name'].orValue('')",
            ["resource.owner", "subject.name"],
        ),
        ("has(resource.meta.locked)", []),  # without `meta` it fails
        ("'locked' in resource || subject[context.key] == 1", ["resource.*"]),
        ("subject == resource.owner", ["subject.*"]),
        ("resource.tags.exists(subject, has(subject.a))", []),
    ],
)
def test_what_is_asked_for_so_that_absence_is_an_answer_is_known(condition, unsure):
    assert {f"{root}.{name}" for root, name in reads(condition).unsure} == set(unsure)


@pytest.mark.parametrize(
    ("condition", "is_timeless"),
    [
        ("subject.until > now", False),
        ("has(resource.due) && timestamp(resource.due) < .now", False),
        ("cel.bind(late, now > timestamp('2030-01-01T00:00:00Z'), late || resource.a)", False),
        ("resource.dates.exists(now, now == subject.day)", True),
        ("resource.?owner.orValue('') == optional.of(subject.id).orValue('')", True),
        ("timestamp(resource.due).getHours() in [1, 2] ? resource.a.matches('x') : true", True),
        ("random() > subject.chance", False),  # a function that somebody adds may be impure
        ("resource.dice.of(subject.chance)", False),
    ],
)
def test_what_may_be_otherwise_at_another_time_is_not_timeless(condition, is_timeless):
    assert reads(condition).is_timeless is is_timeless


POLICIES = compiled(
    document(
        policy("own", actions=["tasks:edit"], condition="resource.owner == subject.id"),
        policy("level", actions=["tasks:edit"], roles=["chief"], condition="subject.level > 2"),
        policy("view", actions=["tasks:view"]),
    )
)


def test_only_conditions_that_have_a_say_need_something():
    asked = needs(POLICIES, make_request("user:1", "tasks:edit", "tasks/1"))
    assert asked == Needs(resource=frozenset({"owner"}))
    chief = {"type": "user", "id": "1", "roles": ["chief"]}
    asked = needs(POLICIES, make_request(chief, "tasks:edit", "tasks/1"))
    assert asked == Needs(frozenset({"level"}), frozenset({"owner"}))
    assert needs(POLICIES, make_request("user:1", "tasks:view", "tasks/1")) is NOTHING


def test_a_question_is_timeless_where_all_conditions_with_a_say_are():
    policies = compiled(
        document(
            policy("late", roles=["chief"], condition="now > timestamp('2020-01-01T00:00:00Z')"),
            policy("own", condition="resource.owner == subject.id"),
        )
    )
    chief = {"type": "user", "id": "1", "roles": ["chief"]}
    for subject, is_timeless in (("user:1", True), (chief, False)):
        request = make_request(subject, "tasks:edit", "tasks/1")
        assert needs(policies, request).is_timeless is is_timeless


def test_what_is_given_is_not_needed_also_where_it_is_null():
    task = {"type": "tasks", "id": "1", "owner": None}
    assert not needs(POLICIES, make_request("user:1", "tasks:edit", task))
