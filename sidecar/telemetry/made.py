"""The metrics that are kept while calls are answered, with their names, labels and buckets.

This module imports prometheus-client, which then decides for good whether counts are shared:
`shared.shared_metrics` comes before.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

# Seconds. A decision takes some microseconds, a large batch milliseconds, what waits for attributes
# as long as its source; 0.5 is where the alert on latency stands.
BUCKETS = (
    *(0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5),
    *(0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)

disable_created_metrics()  # a second series for every counter, which nobody asks for


class Made:
    """Metrics in `registry`. The name of a counter gets `_total` at its end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(name, what, labels, registry=registry)

        self.requests = counter(
            "taskman_requests", "Calls, answered or not.", "service", "method", "status"
        )
        self.errors = counter(
            "taskman_errors", "Calls that were not answered.", "service", "method", "error_type"
        )
        self.durations = Histogram(
            "taskman_request_duration_seconds",
            "From the request's arrival to its answer.",
            ("service", "method"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.permission_checks = counter(
            "taskman_permission_checks", "Decisions, of batches each one.", "company", "allowed"
        )
        self.evaluation_errors = counter(
            "taskman_authz_evaluation_errors",
            "Decisions with a reason that tells of a fault.",
            *("service", "reason"),
        )
        self.reload_failures = counter(
            "taskman_authz_policy_reload_failures", "Policies that were refused.", "service"
        )
        # Of several processes the one that is behind counts, and only while it lives.
        self.policies_current = Gauge(
            "taskman_authz_policies_current",
            "1: the policies in force are those in the store. 0: they are the last good ones.",
            ("service",),
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.log_written = counter(
            "taskman_authz_decision_log_written", "Lines of the decision log.", "service"
        )
        self.log_dropped = counter(
            "taskman_authz_decision_log_dropped", "Decisions it did not take.", "service"
        )
        self.dropped = counter(
            "taskman_authz_telemetry_dropped",
            "Log lines and spans that could not be handed on.",
            *("service", "kind"),
        )
        self._add_knowledge(counter, registry)

    def _add_knowledge(self, counter: Callable[..., Counter], registry: CollectorRegistry) -> None:
        """Of others that are asked, and what is remembered of them."""
        self.cache_requests = counter(
            "taskman_authz_cache_requests",
            "Questions to what is remembered: hit or miss.",
            *("service", "cache", "outcome"),
        )
        self.source_calls = counter(
            "taskman_authz_source_calls",
            "Calls to sources of attributes, by how they ended.",
            *("service", "source", "outcome"),
        )
        self.source_durations = Histogram(
            "taskman_authz_source_duration_seconds",
            "What calls to sources of attributes took.",
            ("service", "source"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.incomplete = counter(
            "taskman_authz_incomplete_decisions",
            "Decisions made without attributes that a source should have given.",
            "service",
        )
