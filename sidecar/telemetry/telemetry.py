"""What the settings ask for, and how it starts and ends."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from taskman_authz.errors import AuthzError

from ..decisions import Count, Decisions, Told
from ..door import Guard, Watcher
from .call_log import CallLog
from .seen import Seeing

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from taskman_authz.decision_log import DecisionLog

    from ..database.relaying import Counts
    from ..knowledge import Knowledge
    from ..log_writer import LogWriter
    from ..settings import Settings
    from .exporting import Processor
    from .facts import Facts
    from .tracing import Tracing


class Telemetry:
    """What is told of a sidecar: `guards` (which refuse nothing) and `watchers` learn of its calls,
    `told` and `count` of its decisions. Raises AuthzError where what traces need is not
    installed."""

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        writer: LogWriter,
        facts: Facts,
        decision_log: DecisionLog | None = None,
    ) -> None:
        self.guards: list[Guard] = []
        self.watchers: list[Watcher] = []
        self.told: list[Told] = []
        self.count: Count | None = None
        self._spans: Processor | None = None
        self._metrics = None
        if settings.metrics_listen is not None:
            # Here: the import settles whether counts are shared, and costs who has no metrics.
            from .exposing import Listener
            from .metrics import Metrics
            from .scrape import Scrape

            self._metrics = Metrics(settings.service_name, settings.metrics_companies)
            self._scrape = Scrape(self._metrics, settings.service_name, facts)
            self._listener = Listener(self._scrape, settings.metrics_listen)
            self.watchers.append(self._metrics.watch)
            self.count = self._metrics.count
            self._metrics.follow_drops("log", lambda: writer.dropped)
            if decision_log is not None:
                self._metrics.follow_decision_log(decision_log)
        self._see(settings, log)  # last: what it does is no part of a call's duration

    def start(self) -> str | None:
        """Open the address of the metrics. Returns their URL, if there are metrics. Raises
        OSError."""
        return None if self._metrics is None else f"http://{self._listener.start()}/metrics"

    def tell_policies(self, current: bool) -> None:
        """Policies that changed were loaded, or refused."""
        if self._metrics is not None:
            self._metrics.tell_policies(current)
            if current:
                self._scrape.policies_loaded = time.time()

    def follow(self, knowledge: Knowledge) -> None:
        """Tell of what others are asked too."""
        if self._metrics is not None:
            self._scrape.known = self._metrics.follow_knowledge(knowledge)

    def follow_answers(self, decisions: Decisions) -> None:
        """Tell of what is answered from memory."""
        if self._metrics is not None:
            self._metrics.follow_answers(decisions)

    def tell_relay(self, counts: Counts) -> None:
        """Take in what was counted of events that are told."""
        if self._metrics is not None:
            self._metrics.tell_relay(counts)

    async def stop(self) -> None:
        """Send what is left, and close what was opened."""
        if self._spans is not None:
            await asyncio.to_thread(self._spans.close)
        if self._metrics is not None:
            self._metrics.catch_up()
            await self._listener.stop()

    def _see(self, settings: Settings, log: FilteringBoundLogger) -> None:
        call_log = CallLog(log, settings.log_calls) if settings.log_calls else None
        tracing = None
        if settings.otlp_endpoint is not None:
            tracing, spans = _tracing(settings.otlp_endpoint, settings, log)
            self._spans = spans
            if self._metrics is not None:
                self._metrics.follow_drops("span", lambda: spans.dropped)
        if call_log is not None or tracing is not None:
            seeing = Seeing(call_log, tracing)
            self.guards.append(seeing.begin)
            self.told.append(seeing.note)
            self.watchers.append(seeing.end)


def _tracing(
    endpoint: str, settings: Settings, log: FilteringBoundLogger
) -> tuple[Tracing, Processor]:
    try:
        from .exporting import Exporter, Processor, make_exporter
        from .tracing import Tracing

        inner = make_exporter(endpoint, settings.otlp_protocol)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("opentelemetry"):
            raise
        raise AuthzError(
            f"traces need `{error.name}`: pip install 'taskman-authz[sidecar,otlp]'"
        ) from None
    processor = Processor(Exporter(inner, log))
    return Tracing(settings.service_name, settings.trace_sample, processor), processor
