"""The alert rules: Prometheus' own tool takes them, and each fires where it should and not where it
should not."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.deploy.files import PROMETHEUS, RULES_TEST, alerts
from tests.sidecar.process import PATIENCE

pytestmark = pytest.mark.servers

OF_EVERY_SERVICE = {"HighErrorRate": "5m", "HighLatency": "10m", "ServiceDown": "1m"}


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_the_rules_are_valid(promtool):
    assert "1 rule files found" in run(promtool, "check", "config", "prometheus.yml")
    run(promtool, "check", "rules", "--lint-fatal", "rules.yml")


def test_every_alert_fires_where_it_should_and_not_where_it_should_not(promtool):
    assert "SUCCESS" in run(promtool, "test", "rules", "rules_test.yml")


def test_no_alert_is_without_such_tests():
    fires, stays = set(), set()
    for test in yaml.safe_load(RULES_TEST.read_text())["tests"]:
        for case in test["alert_rule_test"]:
            (fires if case["exp_alerts"] else stays).add(case["alertname"])
    assert fires == stays == {rule["alert"] for rule in alerts()}


def test_the_alerts_of_every_service_wait_as_long_as_agreed():
    waits = {rule["alert"]: rule.get("for") for rule in alerts()}
    assert OF_EVERY_SERVICE.items() <= waits.items()


def test_every_alert_says_how_bad_it_is_and_what_it_is_about():
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
