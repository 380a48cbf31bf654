"""Promises of the metrics of workers: one address, one answer, whoever of them gives it."""

from __future__ import annotations

import os
import signal

import pytest
from taskman_authz_sidecar.telemetry.shared import FOLDER, MEMORY

from tests.sidecar.process import PATIENCE
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import METRICS, metrics_of
from tests.sidecar.test_answering import question
from tests.sidecar.test_workers import MANY, channels, workers

pytestmark = pytest.mark.process

COUNT = "taskman_requests_total"
RESTARTS = "taskman_authz_worker_restarts_total"


def folders() -> set[str]:
    return {each for each in os.listdir(MEMORY) if each.startswith(FOLDER)}


def ask_all(sidecar) -> None:
    with channels(sidecar) as opened:
        for channel in opened:
            ask = channel.unary_unary("/taskman_authz.v1.AuthorizationService/Check", None, None)
            ask(question().SerializeToString(), timeout=PATIENCE)


def test_workers_count_together_also_what_those_counted_that_ended(policies, start):
    before = folders()
    sidecar = start(policies, *METRICS, "--workers", "2")
    (folder,) = folders() - before
    ask_all(sidecar)
    for _ in range(MANY):  # whoever answers
        found = look(metrics_of(sidecar))
        assert value(found, COUNT, method="Check", status="OK") == MANY
        assert value(found, RESTARTS) == 0
    os.kill(workers(sidecar)[0], signal.SIGKILL)
    sidecar.wait_for("worker ended, another one is started")
    sidecar.wait_for("worker serving", 3)
    ask_all(sidecar)
    found = look(metrics_of(sidecar))
    assert value(found, COUNT, method="Check", status="OK") == 2 * MANY
    assert value(found, RESTARTS) == 1
    assert value(found, "taskman_authz_policies_current") == 1
    assert sidecar.stop() == 0
    assert folder not in folders()
