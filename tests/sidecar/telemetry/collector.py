"""A collector of traces for tests: a real server of OTLP, over gRPC or HTTP, that keeps spans."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from tests.sidecar.process import PATIENCE


class Spans:
    """What was collected so far. `let_go` unset makes the collector hang."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.asked = 0
        self.let_go = threading.Event()
        self.let_go.set()
        self._changed = threading.Condition()

    def take(self, request: Any) -> None:
        with self._changed:
            self.asked += 1
            self._changed.notify_all()
        self.let_go.wait(PATIENCE)
        with self._changed:
            for part in request.resource_spans:
                attributes = part.resource.attributes
                self.resources.append({a.key: a.value.string_value for a in attributes})
                for scope in part.scope_spans:
                    self.found += scope.spans
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until something is so."""
        with self._changed:
            assert self._changed.wait_for(until, PATIENCE), self.found

    def wait_for(self, count: int) -> list[Any]:
        """The spans, when there are `count`."""
        self.wait(lambda: len(self.found) >= count)
        return self.found


class GrpcCollector(Spans, TraceServiceServicer):
    """Over gRPC. A port of 0 is any free one."""

    def __enter__(self) -> GrpcCollector:
        self._server = grpc.server(ThreadPoolExecutor(4))
        add_TraceServiceServicer_to_server(self, self._server)
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.stop(None).wait(PATIENCE)

    def Export(self, request: Any, context: Any) -> Any:
        self.take(request)
        return ExportTraceServiceResponse()


class HttpCollector(Spans):
    """Over HTTP."""

    def __enter__(self) -> HttpCollector:
        spans = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                data = self.rfile.read(int(self.headers["content-length"]))
                spans.take(ExportTraceServiceRequest.FromString(data))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


def attributes(span: Any) -> dict[str, Any]:
    """Those of a span, as Python has them."""
    found = {}
    for attribute in span.attributes:
        value = attribute.value
        kind = value.WhichOneof("value")
        one = getattr(value, kind)
        found[attribute.key] = (
            [each.string_value for each in one.values] if kind == "array_value" else one
        )
    return found
