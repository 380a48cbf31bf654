"""A span for a call, with what was done in it as spans below.

Laws: what a span says is names, codes and answers: never an attribute's value, or who asked. Of a
trace that its caller does not record there is no span, and nothing is called to find that out.

This module imports OpenTelemetry's SDK: the extra `otlp`.
"""

from __future__ import annotations

import importlib.metadata
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from taskman_authz.wire import SERVICE

from ..door import Call
from ..status import Code, Status
from ..trace_context import is_left_out, read_traceparent
from .exporting import Processor

if TYPE_CHECKING:
    from .seen import Note

POLICIES = 20  # ids of policies that a span names

# What is the server's fault: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
_FAULTS = frozenset({Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE})


class Tracing:
    """Traces calls whose callers trace them, and a `share` (0 to 1) of those without a trace."""

    def __init__(self, service: str, share: float, processor: Processor) -> None:
        self._share = share
        version = importlib.metadata.version("taskman-authz")
        resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("taskman_authz", version)

    def begin(self, call: Call) -> Span | None:
        """The span of a call, if it is to have one."""
        context: Context | None = None
        if call.traceparent:
            if is_left_out(call.traceparent):
                return None
            context = _context_of(call)
        if context is None and random.random() >= self._share:
            return None
        span = self._tracer.start_span(
            f"{SERVICE}/{call.method}" if call.face == "grpc" else f"{call.face} {call.method}",
            context=context or Context(),
            kind=SpanKind.SERVER,
            start_time=_on_the_wall(call.began),
        )
        ids = span.get_span_context()
        call.span = f"{ids.trace_id:032x}", f"{ids.span_id:016x}"
        return span

    def end(self, call: Call, status: Status | None, span: Span, notes: Sequence[Note]) -> None:
        """End the span of a call, of which `notes` are the decisions."""
        now = time.perf_counter()
        span.set_attribute("taskman_authz.face", call.face)
        if call.face == "grpc":
            span.set_attribute("rpc.system", "grpc")
            span.set_attribute("rpc.service", SERVICE)
            span.set_attribute("rpc.method", call.method)
            span.set_attribute("rpc.grpc.status_code", 0 if status is None else status.code.number)
        if status is not None:
            span.set_attribute("error.type", status.code.name)
            if status.code in _FAULTS:
                span.set_status(StatusCode.ERROR, status.code.name)
        if notes:
            _tell_decisions(span, notes)
            began, ended = notes[0].began, notes[-1].ended
            self._below(span, "read", call.began, began)
            self._below(span, "decide", began, ended)
            self._below(span, "write", ended, now)
        span.end(_on_the_wall(now))

    def _below(self, span: Span, name: str, began: float, ended: float) -> None:
        """A part of what `span` is of."""
        context = set_span_in_context(span, Context())
        part = self._tracer.start_span(name, context=context, start_time=_on_the_wall(began))
        part.end(_on_the_wall(ended))


def _tell_decisions(span: Span, notes: Sequence[Note]) -> None:
    first = notes[0].decision
    span.set_attribute("taskman_authz.revision", first.revision)
    if len(notes) == 1:
        span.set_attribute("taskman_authz.decision", first.effect)
        policies = [reason.policy for reason in first.reasons if reason.policy]
        span.set_attribute("taskman_authz.policies", policies[:POLICIES])
    else:
        span.set_attribute("taskman_authz.decisions", len(notes))
        allowed = sum(note.decision.allowed for note in notes)
        span.set_attribute("taskman_authz.allowed", allowed)


def _context_of(call: Call) -> Context | None:
    """That of the caller's span, or None where what it says of it is wrong."""
    found = read_traceparent(call.traceparent)
    if found is None:
        return None
    parent = SpanContext(
        int(found.trace_id, 16),
        int(found.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(found.flags),
        trace_state=TraceState.from_header([call.tracestate]) if call.tracestate else None,
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _on_the_wall(moment: float) -> int:
    """Nanoseconds since the Unix epoch, of a moment on the clock of `time.perf_counter`."""
    return time.time_ns() - round((time.perf_counter() - moment) * 1e9)
