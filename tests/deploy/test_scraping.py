"""A real Prometheus, with the configuration of the example, scrapes a real sidecar."""

from __future__ import annotations

import pytest
import yaml

from taskman_authz.client import Client
from tests.deploy.files import PROMETHEUS, rules
from tests.sidecar.process import PATIENCE
from tests.sidecar.telemetry.test_exposing import METRICS, TASK, VIEWER, metrics_of
from tools.servers import Prometheus

pytestmark = pytest.mark.servers


@pytest.fixture
def scraping(promtool, tmp_path):
    """Starts a Prometheus that looks at an address every 100 ms, otherwise as in the example."""
    running = []

    def begin(address: str) -> Prometheus:
        configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "100ms", "evaluation_interval": "100ms"}
        configuration["rule_files"] = [str(PROMETHEUS / "rules.yml")]
        configuration["scrape_configs"][0]["static_configs"] = [{"targets": [address]}]
        file = tmp_path / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration))
        running.append(Prometheus(tmp_path / "prometheus", file))
        running[-1].start()
        return running[-1]

    yield begin
    for prometheus in running:
        prometheus.kill()


def test_prometheus_finds_the_sidecar_its_counts_and_when_it_goes(policies, start, scraping):
    sidecar = start(policies, *METRICS)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        for _ in range(3):
            client.check(VIEWER, "tasks:view", TASK)
    address = metrics_of(sidecar).removeprefix("http://").removesuffix("/metrics")
    prometheus = scraping(address)
    up = 'up{job="taskman-authz"}'
    prometheus.wait_until(lambda: prometheus.value(up) == 1, "the sidecar is not up")
    count = 'taskman_requests_total{job="taskman-authz", service="authorization-service"}'
    prometheus.wait_until(lambda: prometheus.value(count) == 3, "the calls are not there")
    revision = sidecar.wait_for("serving")["revision"]
    assert prometheus.value(f'taskman_authz_policy_info{{revision="{revision}"}}') == 1
    (target,) = prometheus.get("targets")["activeTargets"]
    assert target["lastError"] == ""
    loaded = {
        rule["name"]
        for group in prometheus.get("rules")["groups"]
        for rule in group["rules"]
        if rule["health"] != "err"
    }
    assert loaded == {rule.get("alert") or rule["record"] for rule in rules()}
    assert sidecar.stop() == 0
    prometheus.wait_until(lambda: prometheus.value(up) == 0, "the sidecar is still up")
    waiting = 'ALERTS{alertname="ServiceDown", alertstate="pending"}'
    prometheus.wait_until(lambda: prometheus.value(waiting) == 1, "nobody notices")
