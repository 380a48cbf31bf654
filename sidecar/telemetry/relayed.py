"""What is counted of events that are told, and of what was put aside.

This module imports prometheus-client, as `made` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

if TYPE_CHECKING:
    from ..database.relaying import Counts


class RelayMetrics:
    """The counts of who relays, in `registry`."""

    def __init__(self, registry: CollectorRegistry, service: str) -> None:
        def counter(name: str, what: str) -> Counter:
            return Counter(name, what, ("service",), registry=registry).labels(service)

        self._service = service
        self._told = counter("taskman_authz_outbox_told", "Events that a queue has.")
        self._refused = counter(
            "taskman_authz_outbox_refused", "Times that an event was told and no queue took it."
        )
        self._waiting = Gauge(
            "taskman_authz_outbox_waiting",
            "Events that are not told yet, when they were last counted.",
            ("service",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._put_aside = Gauge(
            "taskman_authz_dead_letters",
            "Messages of a queue that could not be handled.",
            ("service", "queue"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._last = (0, 0)

    def tell(self, counts: Counts) -> None:
        """Take in counts."""
        told, refused = self._last
        self._told.inc(counts.told - told)
        self._refused.inc(counts.refused - refused)
        self._last = counts.told, counts.refused
        if counts.waiting is not None:
            self._waiting.labels(self._service).set(counts.waiting)
        for queue, count in counts.put_aside.items():
            self._put_aside.labels(self._service, queue).set(count)
