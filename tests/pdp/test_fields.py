"""Items of a batch that are decided as its message has them are decided as the requests that they
are, whatever they share with each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import (
    PDP,
    CheckRequest,
    Limits,
    RequestError,
    authorize,
    compile_documents,
)
from taskman_authz.pdp import together
from taskman_authz.policy import PolicySet
from taskman_authz.request import make_request
from taskman_authz.testing.strategies import requests
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import read_batch, read_fields, write_batch

SHIPPED = PDP.from_path(Path(__file__).parents[2] / "policies" / "taskman").policies
QUESTIONS = requests(SHIPPED, now=0)
# Groups of conditions, ids in patterns, and a loop.
DOCUMENT: dict[str, Any] = {
    "policies": [
        {
            "id": f"p{number}",
            "effect": "allow" if number % 3 else "deny",
            "roles": ["*"],
            "actions": ["tasks:*"],
            "resources": ["tasks/*" if number % 2 else "tasks/1*"],
            "condition": f"resource.owner == 'u{number % 5}'",
        }
        for number in range(40)
    ]
    + [
        {
            "id": "loop",
            "effect": "allow",
            "roles": ["developer"],
            "actions": ["*"],
            "resources": ["*"],
            "condition": "subject.roles.exists(r, r == resource.owner) && context.ip != ''"
            " && action.x == 1 && now > timestamp('2000-01-01T00:00:00Z')",
        }
    ]
}
OTHERS = compile_documents([("p.yaml", json.dumps(DOCUMENT))])
NOW = 1_767_312_000 * 10**9


def compare(policies: PolicySet, data: bytes) -> int:
    """Decide both ways, where there are both. How many items were in their usual form."""
    batch = together(policies)
    fields = read_fields(data, wanted=batch.wanted)
    if fields is None:
        return 0
    if batch.reads_now:
        batch.begin(NOW)
    found = []
    for each, item in zip(fields, read_batch(data), strict=True):
        decision = batch.decision(each)
        if decision is None:
            continue
        found.append(decision)
        assert isinstance(item, CheckRequest), item
        assert decision == authorize(policies, msgspec.structs.replace(item, now=NOW))
    decided = batch.decisions(fields)
    assert len(found) < len(fields) if decided is None else decided == found
    return len(found)


@st.composite
def batches(draw: st.DrawFn) -> list[CheckRequest]:
    """Items made of the parts of a few questions, so that neighbours share some."""
    few = draw(st.lists(QUESTIONS, min_size=1, max_size=3))
    one = st.sampled_from(few)
    items = []
    for _ in range(draw(st.integers(1, 6))):
        asker, verb, asked, around = draw(one), draw(one), draw(one), draw(one)
        items.append(
            msgspec.structs.replace(
                asker,
                action=verb.action,
                action_attributes=verb.action_attributes,
                resource_type=asked.resource_type,
                resource_id=asked.resource_id,
                resource=asked.resource,
                context=around.context,
                company_id=around.company_id,
            )
        )
    return items


@given(batches())
def test_a_batch_is_decided_as_the_requests_that_its_items_are(items):
    data, errors = write_batch(items)
    assert compare(SHIPPED, data) == errors.count(None)


@given(st.data())
def test_that_holds_where_groups_loops_and_ids_are_concerned(data):
    about = st.builds(
        lambda subject, action, owner, id, context, company: CheckRequest(
            "user",
            "1",
            f"tasks:{action}",
            "tasks",
            id,
            subject={"roles": subject},
            action_attributes={"x": 1} if action == "a" else None,
            resource={"owner": owner},
            context=context,
            company_id=company,
            now=0,
        ),
        st.sampled_from([["developer"], ["developer", "u1"], ["viewer"], []]),
        st.sampled_from("ab"),
        st.sampled_from(["u0", "u1", "u2", "u9"]),
        st.sampled_from(["1", "12", "2"]),
        st.sampled_from([{}, {"ip": ""}, {"ip": "10.0.0.1"}]),
        st.sampled_from([None, "acme"]),
    )
    items = data.draw(st.lists(about, min_size=1, max_size=8))
    sent, errors = write_batch(items)
    assert compare(OTHERS, sent) == errors.count(None) == len(items)


@given(batches(), st.data())
def test_bytes_that_were_changed_are_decided_as_the_requests_that_they_are(items, data):
    sent = bytearray(write_batch(items)[0])
    for _ in range(data.draw(st.integers(1, 4)) if sent else 0):
        place = data.draw(st.integers(0, len(sent) - 1))
        sent[place] = data.draw(st.integers(0, 255))
    try:
        compare(SHIPPED, bytes(sent))
    except RequestError:
        return  # no batch at all


def test_each_item_has_its_own_steps():
    loops = {**DOCUMENT["policies"][0], "effect": "allow", "resources": ["*"]}
    loops["condition"] = "resource.list.all(x, x == 1)"
    limits = Limits(decision_steps=1_000)
    policies = compile_documents([("p.yaml", json.dumps({"policies": [loops]}))], limits)
    items = [
        make_request("user:1", "tasks:a", {"type": "tasks", "id": f"{n}", "list": [1] * size})
        for n, size in enumerate([100, 100, 500, 100, 100, 100, 100, 100, 100])
    ]
    assert compare(policies, write_batch(items)[0]) == len(items)
    assert [bool(authorize(policies, item)) for item in items].count(False) == 1


def test_a_context_of_texts_is_not_that_of_the_next_item():
    items = [pb.CheckRequest(subject="user:1", action="tasks:b", resource="tasks/1")] * 3
    for item in items:
        item.subject_properties.update({"roles": ["developer"]})
    items = [pb.CheckRequest.FromString(item.SerializeToString()) for item in items]
    items[1].context["ip"] = "10.0.0.1"
    policy = {**DOCUMENT["policies"][0], "effect": "allow", "resources": ["*"]}
    policy["condition"] = "context.ip == '10.0.0.1'"
    policies = compile_documents([("p.yaml", json.dumps({"policies": [policy]}))])
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    assert compare(policies, data) == 3
    batch = together(policies)
    fields = read_fields(data, wanted=batch.wanted)
    assert fields is not None
    assert [bool(each) for each in batch.decisions(fields) or ()] == [False, True, False]
