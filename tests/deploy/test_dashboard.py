"""The dashboard, and the rules: they ask for metrics that the sidecar has, in queries that are
valid."""

from __future__ import annotations

import json
import subprocess
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from taskman_authz.client import Client
from tests.deploy.files import DASHBOARD, metrics_in, panels, queries, rules
from tests.sidecar.process import PATIENCE
from tests.sidecar.telemetry.test_exposing import METRICS, TASK, VIEWER, metrics_of

# What a sidecar tells of only where it has workers, or a certificate, or asks others, or relays.
CONDITIONAL = {
    "taskman_authz_dead_letters",
    "taskman_authz_outbox_waiting",
    "taskman_authz_redis_up",
    "taskman_authz_events_behind_seconds",
    "taskman_authz_role_subjects",
    "taskman_authz_roles_age_seconds",
    "taskman_authz_source_circuit",
    "taskman_authz_certificate_expiry_timestamp_seconds",
    "taskman_authz_worker_restarts_total",
}


def names_of(text: str) -> set[str]:
    """The names of samples that a page of metrics has or will have."""
    found = set()
    for family in text_string_to_metric_families(text):
        ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        found |= {family.name + end for end in ends.get(family.type, [""])}
    return found


@pytest.mark.process
def test_dashboard_and_rules_ask_only_for_metrics_that_a_sidecar_has(policies, start, tmp_path):
    sidecar = start(policies, *METRICS, "--decision-log", str(tmp_path / "log"))
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.check(VIEWER, "tasks:view", TASK)
    with urlopen(metrics_of(sidecar), timeout=PATIENCE) as answer:
        there = names_of(answer.read().decode())
    asked = {name for query in queries() for name in metrics_in(query)}
    asked |= {name for rule in rules() for name in metrics_in(rule["expr"])}
    assert asked - there - CONDITIONAL == set()
    # And the other way round: what is told is shown somewhere.
    assert there - asked == set()


@pytest.mark.servers
def test_every_query_of_the_dashboard_is_valid(promtool, tmp_path):
    recorded = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recorded}]}))
    command = [promtool, "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


def test_panels_have_names_of_their_own_and_do_not_lie_on_each_other():
    dashboard = json.loads(DASHBOARD.read_text())
    every = dashboard["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)
    taken = set()
    for panel in every:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))
    named = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert named == {"datasource", "job", "instance"}


def test_rate_errors_and_duration_use_decisions_and_policies_are_shown():
    rows = [p["title"] for p in json.loads(DASHBOARD.read_text())["panels"] if p["type"] == "row"]
    assert [row.partition(":")[0] for row in rows] == [
        *("Calls", "Use", "Decisions", "Policies", "Operation", "Knowledge of others")
    ]
    assert all(panel["targets"] and panel["description"] for panel in panels())
