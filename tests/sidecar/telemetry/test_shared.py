"""Promises of counts that several processes share: whoever is asked tells the sums."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from taskman_authz_sidecar.telemetry.shared import VARIABLE, shared_folder, shared_metrics

from taskman_authz.client import Client
from tests.sidecar.conftest import write_policies
from tests.sidecar.process import NOT_SERVING, PATIENCE
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import METRICS, TASK, VIEWER, metrics_of

COUNT = "taskman_requests_total"


@pytest.fixture
def folder():
    with shared_metrics() as folder:
        yield folder
    assert not folder.exists()


def ask(sidecar, times):
    with Client(sidecar.address, timeout=PATIENCE) as client:
        for _ in range(times):
            client.check(VIEWER, "tasks:view", TASK)


def test_the_folder_is_private_and_goes_with_its_owner():
    with shared_metrics() as folder:
        assert shared_folder() == folder
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
    assert shared_folder() is None and VARIABLE not in os.environ


@pytest.mark.process
def test_each_of_two_processes_tells_what_both_counted(policies, start, folder):
    one, two = start(policies, *METRICS), start(policies, *METRICS)
    ask(one, 2)
    ask(two, 3)
    for sidecar in (one, two):
        found = look(metrics_of(sidecar))
        assert value(found, COUNT, method="Check", status="OK") == 5
        assert value(found, "taskman_request_duration_seconds_count", method="Check") == 5
    alone = value(look(metrics_of(one)), "taskman_memory_usage_bytes")
    two.kill()
    found = look(metrics_of(one))
    assert value(found, COUNT, method="Check", status="OK") == 5  # what was counted stays
    assert value(found, "taskman_memory_usage_bytes") < alone


@pytest.mark.process
def test_one_that_is_behind_with_its_policies_shows_whoever_is_asked(
    policies, start, folder, tmp_path
):
    others = tmp_path / "others" / "policies"
    others.mkdir(parents=True)
    write_policies(others)
    one = start(policies, *METRICS)
    two = start(others, *METRICS, "--reload-interval", "0.05")
    write_policies(others, "policies: 5")
    two.wait_for_health("taskman_authz.policies", NOT_SERVING)
    assert value(look(metrics_of(one)), "taskman_authz_policies_current") == 0


@pytest.mark.process
def test_restarts_are_counted_by_who_restarts_and_the_dead_no_longer_hold_policies_back(
    policies, start, folder, tmp_path
):
    others = tmp_path / "others" / "policies"
    others.mkdir(parents=True)
    write_policies(others)
    one = start(policies, *METRICS)
    two = start(others, *METRICS, "--reload-interval", "0.05")
    write_policies(others, "policies: 5")
    two.wait_for_health("taskman_authz.policies", NOT_SERVING)
    two.kill()
    restart = (
        "import sys; from taskman_authz_sidecar.telemetry import Restarts;"
        "Restarts('authorization-service').add(int(sys.argv[1]))"
    )
    command = [sys.executable, "-c", restart, str(two.process.pid)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    found = look(metrics_of(one))
    assert value(found, "taskman_authz_worker_restarts_total") == 1
    assert value(found, "taskman_authz_policies_current") == 1
