"""Promises of what is counted: exact names, bounded labels, nothing that spoils a later look."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest
from taskman_authz_sidecar.decisions import Decisions
from taskman_authz_sidecar.door import Call
from taskman_authz_sidecar.status import Code, Status
from taskman_authz_sidecar.telemetry import Facts
from taskman_authz_sidecar.telemetry.metrics import METHODS, Metrics
from taskman_authz_sidecar.telemetry.scrape import Scrape

from taskman_authz import PDP
from taskman_authz.decision import ALLOWED, DENIED_BY_ERROR, FAILED, NOT_MET, Decision, Reason
from taskman_authz.request import make_request
from taskman_authz.wire import write_check
from tests.policy.helpers import compiled, document, policy
from tests.sidecar.telemetry.samples import samples_of, value

FAULTS = "taskman_authz_evaluation_errors_total"


@pytest.fixture
def metrics():
    return Metrics("authorization-service", companies=2)


def told(metrics):
    return samples_of(generate_latest(metrics.registry).decode())


def decided(*codes, allowed=False):
    return Decision(allowed, tuple(Reason(code) for code in codes), "r1")


def asked(company=None):
    return make_request("user:1", "tasks:view", "tasks/1", company_id=company)


def test_calls_are_counted_by_method_and_status_and_errors_by_type(metrics):
    metrics.watch(Call("grpc", "Check"), None)
    metrics.watch(Call("grpc", "Check"), Status(Code.INVALID_ARGUMENT, "why"))
    metrics.watch(Call("http", "evaluation"), None)
    found = told(metrics)
    count = "taskman_requests_total"
    assert value(found, count, method="Check", status="OK") == 1
    assert value(found, count, method="Check", status="INVALID_ARGUMENT") == 1
    assert value(found, count, method="http/evaluation", status="OK") == 1
    errors = "taskman_errors_total"
    assert value(found, errors, method="Check", error_type="invalid_argument") == 1
    assert sum(name == errors for name, _ in found) == 1
    assert value(found, "taskman_request_duration_seconds_count", method="Check") == 2


def test_duration_is_counted_in_buckets_from_microseconds_to_seconds(metrics):
    call = Call("grpc", "Check")
    call.began -= 0.7
    metrics.watch(call, None)
    found = told(metrics)
    bucket = "taskman_request_duration_seconds_bucket"
    assert value(found, bucket, method="Check", le="0.5") == 0
    assert value(found, bucket, method="Check", le="1.0") == 1
    assert (bucket, frozenset({("method", "Check"), ("le", "1e-05")})) in found


def test_companies_after_the_first_ones_are_counted_as_other(metrics):
    for company in ("a", None, "b", "c", "d", "a"):
        metrics.count(company, decided(ALLOWED, allowed=True))
    metrics.count("a", decided(NOT_MET))
    found = told(metrics)
    checks = "taskman_permission_checks_total"
    assert value(found, checks, company="a", allowed="true") == 2
    assert value(found, checks, company="a", allowed="false") == 1
    assert value(found, checks, company="b", allowed="true") == 1
    assert value(found, checks, company="", allowed="true") == 1
    assert value(found, checks, company="other", allowed="true") == 2
    assert sum(name == checks for name, _ in found) == 5


def test_methods_are_bounded_too(metrics):
    for number in range(METHODS + 5):
        metrics.watch(Call("grpc", f"Method{number}"), None)
    found = told(metrics)
    assert value(found, "taskman_requests_total", method="other", status="OK") == 5
    assert sum(name == "taskman_requests_total" for name, _ in found) == METHODS + 1


def test_a_company_that_is_no_text_of_unicode_does_not_spoil_a_look(metrics):
    metrics.count("\ud800", decided(NOT_MET))
    assert value(told(metrics), "taskman_permission_checks_total", company="?", allowed="false")


def test_a_decision_with_several_faults_is_counted_once(metrics):
    metrics.count(None, decided(NOT_MET, FAILED, FAILED, DENIED_BY_ERROR))
    metrics.count(None, decided(NOT_MET))
    found = told(metrics)
    assert value(found, FAULTS, reason=FAILED) == 1
    assert value(found, FAULTS, reason=DENIED_BY_ERROR) == 0


def test_what_others_count_is_caught_up_with(metrics):
    lost = 3
    metrics.follow_drops("log", lambda: lost)
    metrics.catch_up()
    lost = 5
    metrics.catch_up()
    assert value(told(metrics), "taskman_authz_telemetry_dropped_total", kind="log") == 5


def test_what_is_answered_from_memory_is_counted_whatever_policies_are_in_force(metrics):
    decisions = Decisions(PDP(compiled(document(policy("a")))))
    metrics.follow_answers(decisions)
    for name in ("a", "b"):
        decisions.pdp.install(compiled(document(policy(name))))
        for _ in range(5):
            assert decisions.answer_message(write_check(asked())) is not None
    metrics.catch_up()
    name = "taskman_authz_cache_requests_total"
    # The first two of each: what is asked but once is not remembered.
    assert value(told(metrics), name, cache="answers", outcome="miss") == 4
    assert value(told(metrics), name, cache="answers", outcome="hit") == 6


def test_the_error_rate_is_that_since_the_last_look(metrics):
    policies = PDP.from_path("policies/taskman").policies
    scrape = Scrape(metrics, "authorization-service", Facts(lambda: policies))

    def rate():
        return value(samples_of(generate_latest(scrape.registry).decode()), "taskman_error_rate")

    assert rate() == 0
    metrics.watch(Call("grpc", "Check"), Status(Code.INTERNAL, "why"))
    for _ in range(3):
        metrics.watch(Call("grpc", "Check"), None)
    assert rate() == 0.25
    metrics.watch(Call("grpc", "Check"), None)
    assert rate() == 0
    assert rate() == 0


def test_a_certificate_is_told_of_where_there_is_one(metrics):
    policies = PDP.from_path("policies/taskman").policies
    name = "taskman_authz_certificate_expiry_timestamp_seconds"
    scrape = Scrape(metrics, "authorization-service", Facts(lambda: policies))
    assert name not in generate_latest(scrape.registry).decode()
    moment = datetime.fromtimestamp(1_800_000_000, UTC)
    scrape = Scrape(metrics, "authorization-service", Facts(lambda: policies, None, lambda: moment))
    assert value(samples_of(generate_latest(scrape.registry).decode()), name) == 1_800_000_000


def test_staleness_is_told_where_somebody_looks_at_the_store(metrics):
    policies = PDP.from_path("policies/taskman").policies
    name = "taskman_authz_policy_staleness_seconds"
    unseen = Scrape(metrics, "authorization-service", Facts(lambda: policies))
    assert name not in generate_latest(unseen.registry).decode()
    confirmed = time.monotonic() - 7
    scrape = Scrape(metrics, "authorization-service", Facts(lambda: policies, lambda: confirmed))
    assert value(samples_of(generate_latest(scrape.registry).decode()), name) >= 7
