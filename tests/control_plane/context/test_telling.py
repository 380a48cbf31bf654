"""What is told of others that are asked: in metrics, and in the log."""

from __future__ import annotations

import math

import pytest

from tests.control_plane.context.conftest import check, sources, until
from tests.sidecar.process import SERVING
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import METRICS, metrics_of

pytestmark = pytest.mark.process
USER = "user:1"


def test_calls_circuits_caches_roles_and_events_are_told(policies, owner, start, amqp_url):
    sidecar = start(
        *(policies, *sources(owner), "--roles-source", owner.address, "--amqp", amqp_url),
        *("--decision-cache", "memory", *METRICS),
    )
    sidecar.wait_for_health("", SERVING)
    sidecar.wait_for_health("taskman_authz.events", SERVING)
    until(lambda: owner.snapshots == 2, "the gap at the start has no snapshot taken")
    for _ in range(3):
        assert check(sidecar, subject=USER).allowed
    found = look(metrics_of(sidecar))
    of = {"source": owner.address}
    assert value(found, "taskman_authz_source_calls_total", **of, outcome="answered") == 1
    assert value(found, "taskman_authz_source_duration_seconds_count", **of) == 1
    assert value(found, "taskman_authz_source_circuit", **of) == 0
    for cache, outcome, times in (
        *(("decisions", "miss", 1), ("decisions", "hit", 2)),
        ("attributes", "miss", 2),  # the user and the task
    ):
        name = "taskman_authz_cache_requests_total"
        assert value(found, name, cache=cache, outcome=outcome) == times
    assert value(found, "taskman_authz_role_subjects") == 1
    assert 0 <= value(found, "taskman_authz_roles_age_seconds") < 60
    assert value(found, "taskman_authz_events_behind_seconds") == 0
    assert value(found, "taskman_authz_incomplete_decisions_total") == 0


def test_a_source_that_fails_and_events_that_are_not_heard_are_told(policies, owner, start):
    sidecar = start(
        *(policies, *sources(owner), "--amqp", "amqp://guest:guest@127.0.0.1:1/", *METRICS)
    )
    owner.stop()
    for _ in range(7):
        assert not check(sidecar)
    found = look(metrics_of(sidecar))
    of = {"source": owner.address}
    assert value(found, "taskman_authz_source_calls_total", **of, outcome="failed") == 6
    assert value(found, "taskman_authz_source_calls_total", **of, outcome="refused") == 1
    assert value(found, "taskman_authz_source_circuit", **of) == 2
    assert value(found, "taskman_authz_incomplete_decisions_total") == 7
    assert value(found, "taskman_authz_events_behind_seconds") == math.inf
    sidecar.wait_for("a source of attributes does not answer", source=owner.address)
    assert "guest" not in str(sidecar.said)
