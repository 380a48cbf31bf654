"""What is told of others that the sidecar asks: sources, roles, events, caches.

Law: what is a state (a circuit, an age) is that of the process that was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric

from taskman_authz.attributes import Outcome
from taskman_authz.breaker import State

from .made import Made

if TYPE_CHECKING:
    from ..knowledge import Knowledge

Follow = Callable[..., None]
_CIRCUITS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class Known:
    """Tells of `knowledge`, which was opened. `follow` has a counter go where another count
    goes."""

    def __init__(self, knowledge: Knowledge, made: Made, service: str, follow: Follow) -> None:
        self._knowledge = knowledge
        self._made = made
        self._service = service
        knowledge.source_told = self._tell
        for use, cache in knowledge.caches.items():
            count = made.cache_requests
            follow(count.labels(service, use, "hit"), lambda cache=cache: cache.hits)
            follow(count.labels(service, use, "miss"), lambda cache=cache: cache.misses)
        if knowledge.sources:
            follow(made.incomplete.labels(service), lambda: knowledge.incomplete)

    def gauges(self) -> Iterator[Metric]:
        """The states now."""
        known = self._knowledge
        if known.breakers:
            circuits = GaugeMetricFamily(
                "taskman_authz_source_circuit",
                "Whether a source is asked: 0 closed, 1 half open, 2 open.",
                labels=("service", "source"),
            )
            for address, breaker in known.breakers.items():
                circuits.add_metric((self._service, address), _CIRCUITS[breaker.state])
            yield circuits
        if known.redis is not None:
            what = "Whether Redis answered the last question: 1 or 0."
            yield self._gauge("taskman_authz_redis_up", what, float(known.redis.is_up))
        if known.roles is not None:
            name = "taskman_authz_roles_age_seconds"
            yield self._gauge(name, "Since the last snapshot of all roles.", known.roles.age)
            name = "taskman_authz_role_subjects"
            yield self._gauge(name, "Subjects whose roles are known.", len(known.roles))
        if known.listener is not None:
            name = "taskman_authz_events_behind_seconds"
            what = "For how long events may have been missed."
            yield self._gauge(name, what, known.listener.behind())

    def _gauge(self, name: str, what: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, what, labels=("service",))
        gauge.add_metric((self._service,), value)
        return gauge

    def _tell(self, address: str, outcome: Outcome, seconds: float) -> None:
        self._made.source_calls.labels(self._service, address, outcome).inc()
        if outcome != "refused":
            self._made.source_durations.labels(self._service, address).observe(seconds)
