"""Promises of `/metrics` of a real sidecar."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import grpc
import pytest
from cryptography.x509 import load_pem_x509_certificate

from taskman_authz.client import Client
from tests.sidecar.authority import Authority
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import NOT_SERVING, PATIENCE
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.test_running import fail

pytestmark = pytest.mark.process

METRICS = ("--metrics-listen", "127.0.0.1:0")
VIEWER = {"type": "user", "id": "1"}
TASK = {"type": "tasks", "id": "1", "size": 3, "labels": []}


def metrics_of(sidecar) -> str:
    address: str = sidecar.wait_for("serving")["metrics"]
    return address


def test_a_sidecar_tells_of_its_calls_and_decisions(policies, start, tmp_path):
    sidecar = start(policies, *METRICS, "--decision-log", str(tmp_path / "log"))
    with Client(sidecar.address, timeout=PATIENCE) as client:
        assert client.check(VIEWER, "tasks:view", TASK, company_id="acme")
        assert not client.check(VIEWER, "tasks:view", {"type": "tasks", "id": "2"})
        client.batch_check([(VIEWER, "tasks:view", TASK)] * 3)
    with pytest.raises(grpc.RpcError):
        sidecar.call("Check", b"no message")
    found = look(metrics_of(sidecar))
    assert value(found, "taskman_requests_total", method="Check", status="OK") == 2
    assert value(found, "taskman_requests_total", method="BatchCheck", status="OK") == 1
    assert value(found, "taskman_errors_total", method="Check", error_type="invalid_argument") == 1
    checks = "taskman_permission_checks_total"
    assert value(found, checks, company="acme", allowed="true") == 1
    assert value(found, checks, company="", allowed="true") == 3
    assert value(found, checks, company="", allowed="false") == 1
    assert value(found, "taskman_authz_evaluation_errors_total", reason="condition_failed") == 1
    assert value(found, "taskman_error_rate") == 0.25
    assert value(found, "taskman_memory_usage_bytes") > 1_000_000
    assert value(found, "taskman_authz_policies") == 3
    revision = sidecar.wait_for("serving")["revision"]
    assert value(found, "taskman_authz_policy_info", revision=revision) == 1
    assert value(found, "taskman_authz_decision_log_dropped_total") == 0


def test_the_end_of_the_certificate_is_told(policies, start, tmp_path):
    issued = Authority().issue()
    sidecar = start(policies, *METRICS, *issued.write(tmp_path))
    ends = load_pem_x509_certificate(issued.certificate).not_valid_after_utc
    expiry = "taskman_authz_certificate_expiry_timestamp_seconds"
    assert value(look(metrics_of(sidecar)), expiry) == ends.timestamp()


def test_refused_policies_show_until_good_ones_are_loaded(policies, start):
    sidecar = start(policies, *METRICS, "--reload-interval", "0.05")
    before = look(metrics_of(sidecar))
    assert value(before, "taskman_authz_policies_current") == 1
    write_policies(policies, "policies: 5")
    sidecar.wait_for_health("taskman_authz.policies", NOT_SERVING)
    refused = look(metrics_of(sidecar))
    assert value(refused, "taskman_authz_policies_current") == 0
    assert value(refused, "taskman_authz_policy_reload_failures_total") == 1
    write_policies(policies, POLICIES.replace("< 10", "< 11"))
    revision = sidecar.wait_for("policies loaded")["revision"]
    after = look(metrics_of(sidecar))
    assert value(after, "taskman_authz_policies_current") == 1
    assert value(after, "taskman_authz_policy_info", revision=revision) == 1
    age = "taskman_authz_policy_age_seconds"
    assert value(after, age) < value(refused, age)


def test_metrics_have_an_address_of_their_own_and_nothing_else_is_there(policies, start):
    sidecar = start(policies, *METRICS)
    address = metrics_of(sidecar)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address.removesuffix("metrics"), timeout=PATIENCE)
    assert refused.value.code == 404
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    request = urllib.request.Request(address, headers={"accept": "application/openmetrics-text"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert answer.read().endswith(b"# EOF\n")


def test_who_opens_connections_and_says_nothing_does_not_keep_it_from_stopping(policies, start):
    sidecar = start(policies, *METRICS)
    port = int(metrics_of(sidecar).removesuffix("/metrics").rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as other,
    ):
        other.sendall(b"nonsense\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 400")
        assert sidecar.stop() == 0


def test_without_the_setting_there_are_no_metrics(policies, start):
    assert "metrics" not in start(policies).wait_for("serving")


def test_a_taken_address_of_metrics_is_refused_in_words(policies):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        said = fail("--policies", str(policies), "--metrics-listen", address)
        assert said.endswith(f"taskman-authz serve: error: {address}: address already in use\n")
    said = fail("--policies", str(policies), "--metrics-listen", "unix:///x")
    assert "--metrics-listen: expected `host:port`" in said
