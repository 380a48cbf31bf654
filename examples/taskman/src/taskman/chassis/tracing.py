"""Spans of what is done for a call, told over OTLP where the settings name a collector.

Law: a span says names and kinds of errors, never a value of anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .calling import CALLING, Calling, calling, calling_of
from .settings import Settings


class Traces:
    """Traces of a service. Without a collector there are no spans, and ids are handed on."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()
        if settings.otlp_endpoint:
            sampler = ParentBased(TraceIdRatioBased(settings.trace_share))
            self._provider = TracerProvider(sampler, Resource.create({SERVICE_NAME: service}))
            exporter = OTLPSpanExporter(settings.otlp_endpoint)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("taskman")

    @contextmanager
    def answering(
        self, name: str, request_id: str, traceparent: str, left: float
    ) -> Iterator[Calling]:
        """The call that is answered within, with `left` seconds, as its headers name it."""
        call = calling_of(request_id, traceparent, left)
        above = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
        with self._span(name, SpanKind.SERVER, above) as span:
            if self._provider is not None:
                ids = span.get_span_context()
                call = call._replace(
                    trace_id=f"{ids.trace_id:032x}",
                    span_id=f"{ids.span_id:016x}",
                    flags=f"{ids.trace_flags:02x}",
                )
            CALLING.set(call)
            structlog.contextvars.bind_contextvars(
                trace_id=call.trace_id, span_id=call.span_id, request_id=call.request_id
            )
            yield call

    @contextmanager
    def asking(self, name: str, timeout: float) -> Iterator[Calling]:
        """The call that is answered, as another service is to know it, which is asked within."""
        with self._span(name, SpanKind.CLIENT, None) as span:
            call = calling(timeout)
            if self._provider is not None:
                call = call._replace(span_id=f"{span.get_span_context().span_id:016x}")
            yield call

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of a call, which is done within."""
        with self._span(name, SpanKind.INTERNAL, None):
            yield

    @contextmanager
    def _span(self, name: str, kind: SpanKind, above: Context | None) -> Iterator[trace.Span]:
        with self._tracer.start_as_current_span(
            name, above, kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                raise

    def close(self) -> None:
        """Tell what is not told yet."""
        if self._provider is not None:
            self._provider.shutdown()
