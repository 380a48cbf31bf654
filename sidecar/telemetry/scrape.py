"""What is only known when somebody looks: usage, the share of errors, the policies in force.

Law: nothing is kept up to date while nobody looks. Where several processes share their counts,
what is said of policies here is said of the process that was asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .facts import Facts
from .known import Known
from .metrics import Metrics
from .shared import processes, shared_folder
from .usage import Meter


class Scrape(Collector):
    """All that is told: the counts of `metrics`, or of all processes that share theirs, and what
    is found out for it."""

    def __init__(self, metrics: Metrics, service: str, facts: Facts) -> None:
        folder = shared_folder()
        self._counts: Collector = metrics.registry
        if folder is not None:
            self._counts = MultiProcessCollector(None, path=str(folder))
        self._metrics = metrics
        self._service = service
        self._facts = facts
        self._meter = Meter(processes)
        self._errors = _ErrorRate()
        self.policies_loaded = time.time()  # seconds since the Unix epoch
        self.known: Known | None = None
        self.loop_delay = 0.0  # seconds that whoever asks has measured
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing: no other collector is beside this one."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric now."""
        self._metrics.catch_up()
        calls = errors = 0.0
        for metric in self._counts.collect():
            if metric.name == "taskman_requests":
                calls = sum(sample.value for sample in metric.samples)
            elif metric.name == "taskman_errors":
                errors = sum(sample.value for sample in metric.samples)
            yield metric
        usage = self._meter.usage()
        yield self._gauge("taskman_cpu_usage_percent", "Of one CPU, since last asked.", usage.cpu)
        yield self._gauge("taskman_memory_usage_bytes", "Resident memory.", usage.memory)
        yield self._gauge(
            "taskman_error_rate",
            "Share of calls that were not answered, since last asked: 0 to 1.",
            self._errors.now(calls, errors),
        )
        yield self._gauge(
            "taskman_authz_event_loop_delay_seconds",
            "How long a call that comes in now waits for its turn.",
            self.loop_delay,
        )
        yield from self._of_policies()
        if self.known is not None:
            yield from self.known.gauges()
        expires = self._facts.expires()
        if expires is not None:
            name = "taskman_authz_certificate_expiry_timestamp_seconds"
            yield self._gauge(name, "When the server's certificate ends.", expires.timestamp())

    def _of_policies(self) -> Iterator[Metric]:
        if self._facts.policies is None:
            return
        policies = self._facts.policies()
        info = GaugeMetricFamily(
            "taskman_authz_policy_info",
            "The policies in force.",
            labels=("service", "revision"),
        )
        info.add_metric((self._service, policies.revision), 1)
        yield info
        yield self._gauge("taskman_authz_policies", "Policies in force.", len(policies))
        age = max(0.0, time.time() - self.policies_loaded)
        yield self._gauge("taskman_authz_policy_age_seconds", "Since they were loaded.", age)
        if self._facts.confirmed is not None:
            yield self._gauge(
                "taskman_authz_policy_staleness_seconds",
                "Since they were last found to be those in the store.",
                time.monotonic() - self._facts.confirmed(),
            )

    def _gauge(self, name: str, what: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, what, labels=("service",))
        gauge.add_metric((self._service,), value)
        return gauge


class _ErrorRate:
    def __init__(self) -> None:
        self._calls = self._errors = 0.0

    def now(self, calls: float, errors: float) -> float:
        """The share of errors among calls since this was last asked; 0 where there were none."""
        new_calls, new_errors = calls - self._calls, errors - self._errors
        self._calls, self._errors = calls, errors
        return new_errors / new_calls if new_calls > 0 else 0.0
