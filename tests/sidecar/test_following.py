"""A policy folder that changes under a running sidecar."""

from __future__ import annotations

import shutil

import pytest

from taskman_authz.client import Client
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import NOT_SERVING, SERVING

pytestmark = pytest.mark.process

HEALTH = "taskman_authz.policies"
SERVICE = "taskman_authz.v1.AuthorizationService"
REQUEST = (
    {"type": "user", "id": "dev", "roles": ["developer"], "department": "engineering"},
    "tasks:edit",
    {"type": "tasks", "id": "1", "owner": "dev"},
)
DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)


def test_a_good_change_is_installed(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    with Client(sidecar.address) as client:
        before = client.check(*REQUEST)
        write_policies(policies, DENYING)
        loaded = sidecar.wait_for("policies loaded")
        after = client.check(*REQUEST)
    assert (before.allowed, after.allowed) == (True, False)
    assert before.revision != after.revision == loaded["revision"]
    assert sidecar.health(HEALTH) == SERVING


def test_a_bad_change_keeps_the_old_policies_and_shows_until_it_is_mended(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    with Client(sidecar.address) as client:
        before = client.check(*REQUEST)
        write_policies(policies, POLICIES.replace("subject.id", "subject.").replace("< 10", "< "))
        sidecar.wait_for_health(HEALTH, NOT_SERVING)
        assert client.check(*REQUEST) == before
        refused = sidecar.wait_for("policies refused, the last good ones stay")
        assert len(refused["issues"]) >= 2
        assert all("tasks.yaml:" in issue for issue in refused["issues"])
        assert refused["kept"] == before.revision
        assert sidecar.health("") == sidecar.health(SERVICE) == SERVING
        write_policies(policies, DENYING)
        sidecar.wait_for_health(HEALTH, SERVING)
        assert not client.check(*REQUEST)


def test_a_folder_that_disappears_keeps_the_old_policies(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    with Client(sidecar.address) as client:
        shutil.rmtree(policies)
        sidecar.wait_for_health(HEALTH, NOT_SERVING)
        assert client.check(*REQUEST)
        policies.mkdir()
        write_policies(policies)
        sidecar.wait_for_health(HEALTH, SERVING)
        assert client.check(*REQUEST)
