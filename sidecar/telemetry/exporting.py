"""The way of spans to a collector: OTLP over gRPC or HTTP, in batches, from a bounded queue.

Laws: a collector that is down, slow or hangs costs spans, which are counted, and one line of the
log when it begins and one when it is over.

This module imports OpenTelemetry's SDK: the extra `otlp`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

SPANS = 8_192  # that wait to be sent
BATCH = 512  # that are sent at a time
DELAY = 1_000  # milliseconds that the first of a batch waits for others
TIMEOUT = 5  # seconds that a batch may take, attempts included
CLOSING = 2.0  # seconds that the end waits for what is queued


class Exporter(SpanExporter):
    """Hands batches on to `inner`, and tells in `log` when that begins to fail."""

    def __init__(self, inner: SpanExporter, log: FilteringBoundLogger) -> None:
        self._inner = inner
        self._log = log
        self._failing = False
        self._why = _LastWord()
        self.begun = 0  # spans that were taken out of the queue
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        self.begun += len(spans)
        try:
            result = self._inner.export(spans)
        except Exception as error:  # a fault of the exporter's; the next batch may go
            self._why.said = type(error).__name__
            result = SpanExportResult.FAILURE
        failed = result is not SpanExportResult.SUCCESS
        if failed:
            self.lost += len(spans)
        if failed and not self._failing:
            self._log.warning("traces cannot be exported", why=self._why.said)
        elif self._failing and not failed:
            self._log.info("traces are exported again", lost=self.lost)
        self._failing = failed
        return result

    def shutdown(self) -> None:
        """Send no more."""
        self._inner.shutdown()


class Processor(BatchSpanProcessor):
    """Queues spans that ended, as many as there is room for."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._taken = 0
        self._refused = 0
        super().__init__(
            exporter,
            max_queue_size=SPANS,
            max_export_batch_size=BATCH,
            schedule_delay_millis=DELAY,
        )

    @property
    def dropped(self) -> int:
        """Spans that were not sent."""
        return self._refused + self._exporter.lost

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span. Never waits."""
        # The queue would push out the oldest without telling how many.
        if self._taken - self._exporter.begun >= SPANS:
            self._refused += 1
            return
        self._taken += 1
        super().on_end(span)

    def close(self) -> None:
        """Send what is queued, for some seconds at most."""
        closing = threading.Thread(target=self.shutdown, name="otlp-closing", daemon=True)
        closing.start()
        closing.join(CLOSING)


class _LastWord(logging.Handler):
    """Keeps what the exporter said last, instead of letting it say that for every batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""
        logger = logging.getLogger("opentelemetry")
        logger.handlers = [self]
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()


def make_exporter(endpoint: str, protocol: str) -> SpanExporter:
    """An exporter to the collector at `endpoint`, the URL of its base: `http://host:4317`.
    Certificates and headers are taken from OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_...).
    """
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

    return OverHttp(endpoint=f"{endpoint}/v1/traces", timeout=TIMEOUT)
