"""Metrics: rate, errors and duration of calls, and what the process uses. A service adds its own
to `registry`, under names that begin with `taskman_`."""

from __future__ import annotations

import time
from collections import deque

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

WINDOW = 60.0  # seconds that the rate of errors looks back
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one service."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "taskman_requests_total",
            "Calls that were answered",
            ("service", "method", "status"),
            registry=self.registry,
        )
        self._errors = Counter(
            "taskman_errors_total",
            "Calls that ended in an error",
            ("service", "method", "error_type"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "taskman_request_duration_seconds",
            "How long calls took",
            ("service", "method"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.checks = Counter(
            "taskman_permission_checks_total",
            "Decisions that were asked for",
            ("company", "allowed"),
            registry=self.registry,
        )
        self._failed: deque[float] = deque(maxlen=100_000)
        process = psutil.Process()
        for name, what, look in (
            ("taskman_cpu_usage_percent", "Of one core, since the last look", process.cpu_percent),
            ("taskman_memory_usage_bytes", "Resident", lambda: process.memory_info().rss),
            ("taskman_error_rate", "Errors a second", self._error_rate),
        ):
            gauge = Gauge(name, what, ("service",), registry=self.registry)
            gauge.labels(service).set_function(look)

    def answered(self, method: str, status: str, seconds: float, error: str = "") -> None:
        """A call ended with a status of gRPC; `error` is its type, where it is one."""
        self._requests.labels(self.service, method, status).inc()
        self._seconds.labels(self.service, method).observe(seconds)
        if error:
            self._errors.labels(self.service, method, error).inc()
            self._failed.append(time.monotonic())

    def _error_rate(self) -> float:
        while self._failed and self._failed[0] < time.monotonic() - WINDOW:
            self._failed.popleft()
        return len(self._failed) / WINDOW

    def exposed(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
