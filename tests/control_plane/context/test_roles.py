"""Roles of others: whoever holds one is told by their owner, as a whole at the start and now and
then, by events in between."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request

import grpc
import pytest

from tests.control_plane.context.conftest import check, codes, publish, roles_event, until
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING

pytestmark = pytest.mark.process
USER = "user:1"


def test_a_request_that_gives_no_roles_has_those_that_its_subject_holds(policies, owner, start):
    owner.roles = [
        ("acme", "user:1", 1, ("viewer",)),
        ("", "user:2", 1, ("viewer",)),  # in every company
        ("acme", "user:3", 1, ()),
    ]
    sidecar = start(policies, "--roles-source", owner.address)
    sidecar.wait_for_health("", SERVING)
    assert check(sidecar, "tasks:view", subject="user:1").allowed
    assert not check(sidecar, "tasks:view", subject="user:1", company="other")
    assert check(sidecar, "tasks:view", subject="user:2", company="other").allowed
    assert not check(sidecar, "tasks:view", subject="user:3")
    assert not check(sidecar, "tasks:view", subject={"type": "user", "id": "1", "roles": []})


def test_nobody_is_decided_for_before_it_is_known_who_holds_which_role(policies, owner, start):
    owner.stop()
    sidecar = start(policies, "--roles-source", owner.address, "--http-listen", "127.0.0.1:0")
    sidecar.wait_for("roles cannot be read, there are none")
    assert sidecar.health("") == NOT_SERVING
    with pytest.raises(grpc.RpcError) as caught:
        check(sidecar, "tasks:view", subject=USER)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{sidecar.http[0]}/health/ready", timeout=PATIENCE)
    assert "role" in json.load(refused.value)["why_not"]
    owner.start()
    sidecar.wait_for_health("", SERVING)
    assert check(sidecar, "tasks:view", subject=USER).allowed


def test_a_snapshot_is_taken_again_and_the_last_one_stays_while_the_owner_is_away(
    policies, owner, start
):
    sidecar = start(policies, "--roles-source", owner.address, "--roles-interval", "0.2")
    sidecar.wait_for_health("taskman_authz.roles", SERVING)
    assert check(sidecar, "tasks:view", subject=USER).allowed
    owner.stop()
    sidecar.wait_for_health("taskman_authz.roles", NOT_SERVING)
    assert check(sidecar, "tasks:view", subject=USER).allowed
    assert sidecar.health("") == SERVING
    owner.roles = []
    owner.start()
    sidecar.wait_for_health("taskman_authz.roles", SERVING)
    until(lambda: not check(sidecar, "tasks:view", subject=USER), "the role is still held")


def test_events_change_roles_until_the_next_snapshot(policies, owner, start, amqp_url):
    sidecar = start(policies, "--roles-source", owner.address, "--amqp", amqp_url)
    sidecar.wait_for_health("", SERVING)
    sidecar.wait_for_health("taskman_authz.events", SERVING)
    publish(amqp_url, "iam.events", roles_event(2))
    until(lambda: not check(sidecar, "tasks:view", subject=USER), "the role is still held")
    publish(amqp_url, "iam.events", roles_event(1, "viewer"), roles_event(4, "viewer"))
    until(lambda: check(sidecar, "tasks:view", subject=USER).allowed, "the role is not held")


def test_an_event_that_cannot_be_read_has_a_snapshot_taken(policies, owner, start, amqp_url):
    sidecar = start(policies, "--roles-source", owner.address, "--amqp", amqp_url)
    sidecar.wait_for_health("", SERVING)
    sidecar.wait_for_health("taskman_authz.events", SERVING)
    until(lambda: owner.snapshots >= 2, "the gap at the start has no snapshot taken")
    owner.roles = [("acme", "user:1", 2, ())]
    event = roles_event(2)
    event.data["version"] = "two"
    publish(amqp_url, "iam.events", event)
    until(lambda: not check(sidecar, "tasks:view", subject=USER), "the role is still held")
    assert codes(check(sidecar, "tasks:view", subject=USER)) == ["no_policy_applies"]


def test_every_worker_knows_the_roles_and_hears_the_events(policies, owner, start, amqp_url):
    sidecar = start(
        *(policies, "--roles-source", owner.address, "--amqp", amqp_url, "--workers", "2")
    )
    until(lambda: owner.snapshots >= 4, "not every worker asks, at the start and after its gap")
    sidecar.wait_for_health("taskman_authz.events", SERVING)

    def answers() -> set[bool]:
        return {check(sidecar, "tasks:view", subject=USER).allowed for _ in range(30)}

    until(lambda: answers() == {True}, "the role is not held")
    publish(amqp_url, "iam.events", roles_event(2))
    until(lambda: answers() == {False}, "the role is still held")


def test_roles_are_read_again_when_told_to(policies, owner, start):
    sidecar = start(policies, "--roles-source", owner.address)
    sidecar.wait_for_health("", SERVING)
    assert check(sidecar, "tasks:view", subject=USER).allowed
    owner.roles = []
    sidecar.process.send_signal(signal.SIGHUP)
    until(lambda: not check(sidecar, "tasks:view", subject=USER), "the role is still held")


def test_a_snapshot_that_cannot_be_read_leaves_the_last_one(policies, owner, start):
    sidecar = start(policies, "--roles-source", owner.address, "--roles-interval", "0.2")
    sidecar.wait_for_health("", SERVING)
    owner.roles = [("acme", "user:1", 2, ()), ("acme", "user:2", 1, tuple(map(str, range(1_001))))]
    refused = sidecar.wait_for("roles cannot be read, the last ones stay")
    assert "subject_roles" in refused["why"]
    assert sidecar.health("") == SERVING
    owner.roles = [("acme", "user:1", 3, ("viewer",))]
    sidecar.wait_for("roles loaded", count=2)
    assert check(sidecar, "tasks:view", subject=USER).allowed
