"""Promises of traces, told to a real collector."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import grpc
import pytest

from taskman_authz.client import Client
from taskman_authz.v1 import authorization_pb2
from tests.sidecar.process import PATIENCE
from tests.sidecar.telemetry.collector import GrpcCollector, HttpCollector, attributes
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import METRICS, TASK, VIEWER, metrics_of

pytestmark = pytest.mark.process

SERVICE = "taskman_authz.v1.AuthorizationService"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "ann@example.com"


@pytest.fixture(params=["grpc", "http"])
def collector(request):
    with (GrpcCollector if request.param == "grpc" else HttpCollector)() as collector:
        collector.settings = ("--otlp-endpoint", collector.endpoint)
        collector.settings += ("--otlp-protocol", request.param)
        yield collector


@pytest.fixture
def over_grpc():
    with GrpcCollector() as collector:
        collector.settings = ("--otlp-endpoint", collector.endpoint)
        yield collector


def ask(sidecar, *metadata, data=None):
    """One Check by hand, so that the metadata is ours alone."""
    request = authorization_pb2.CheckRequest(
        subject="user:1", action="tasks:view", resource="tasks/1"
    )
    request.subject_properties.update({"email": SECRET})
    request.resource_properties.update({"size": 3, "labels": []})
    with grpc.insecure_channel(sidecar.address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/Check", None, None)
        sent = request.SerializeToString() if data is None else data
        return call(sent, timeout=PATIENCE, metadata=metadata)


def traced(flags="01"):
    return ("traceparent", f"00-{TRACE}-{PARENT}-{flags}")


def test_a_call_is_a_span_below_that_of_its_caller(policies, start, collector):
    sidecar = start(policies, *collector.settings, "--log-calls", "1")
    ask(sidecar, traced(), ("tracestate", "vendor=x"), ("x-request-id", "req-789"))
    spans = {span.name: span for span in collector.wait_for(4)}
    assert set(spans) == {f"{SERVICE}/Check", "read", "decide", "write"}
    span = spans[f"{SERVICE}/Check"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert span.trace_state == "vendor=x"
    assert span.kind == span.SPAN_KIND_SERVER
    assert attributes(span) == {
        "rpc.system": "grpc",
        "rpc.service": SERVICE,
        "rpc.method": "Check",
        "rpc.grpc.status_code": 0,
        "taskman_authz.face": "grpc",
        "taskman_authz.decision": "allow",
        "taskman_authz.policies": ["everyone-views-small-tasks"],
        "taskman_authz.revision": sidecar.wait_for("serving")["revision"],
    }
    parts = [spans[name] for name in ("read", "decide", "write")]
    assert {part.parent_span_id for part in parts} == {span.span_id}
    assert {part.trace_id.hex() for part in parts} == {TRACE}
    times = [
        time for part in parts for time in (part.start_time_unix_nano, part.end_time_unix_nano)
    ]
    near = 1_000_000  # the wall clock may be set while a call is answered, but not in a test
    assert all(one <= two + near for one, two in zip(times, times[1:], strict=False))
    assert span.start_time_unix_nano <= times[0] + near
    assert times[-1] <= span.end_time_unix_nano + near
    assert collector.resources[0]["service.name"] == "authorization-service"
    assert SECRET not in str(collector.found)
    line = sidecar.wait_for("call answered")
    assert (line["trace_id"], line["span_id"]) == (TRACE, span.span_id.hex())
    assert line["request_id"] == "req-789"


def test_a_batch_tells_how_many_were_allowed_and_a_refusal_its_code(policies, start, over_grpc):
    sidecar = start(policies, *over_grpc.settings, "--trace-sample", "1")
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.batch_check([(VIEWER, "tasks:view", TASK), (VIEWER, "tasks:edit", TASK)])
    with pytest.raises(grpc.RpcError):
        ask(sidecar, data=b"no message")
    spans = {span.name.rpartition("/")[2]: span for span in over_grpc.wait_for(5)}
    batch, refused = attributes(spans["BatchCheck"]), attributes(spans["Check"])
    assert (batch["taskman_authz.decisions"], batch["taskman_authz.allowed"]) == (2, 1)
    assert (refused["rpc.grpc.status_code"], refused["error.type"]) == (3, "INVALID_ARGUMENT")
    assert spans["Check"].status.code == 0  # the caller's fault
    event = sidecar.wait_for("call refused")
    assert event["span_id"] == spans["Check"].span_id.hex()
    assert event["trace_id"] == spans["Check"].trace_id.hex()


def test_traces_that_their_callers_do_not_record_are_left_alone(policies, start, over_grpc):
    sidecar = start(policies, *over_grpc.settings, "--trace-sample", "1", "--log-calls", "1")
    ask(sidecar, traced("00"))
    event = sidecar.wait_for("call answered")  # the log names the trace all the same
    assert (event["trace_id"], event["span_id"]) == (TRACE, PARENT)
    ask(sidecar, ("traceparent", "nonsense"))
    assert sidecar.stop() == 0
    assert len(over_grpc.wait_for(4)) == 4
    assert all(span.trace_id.hex() != TRACE for span in over_grpc.found)


def test_by_default_only_traces_of_callers_are_recorded(policies, start, over_grpc):
    sidecar = start(policies, *over_grpc.settings)
    ask(sidecar)
    ask(sidecar, traced())
    assert sidecar.stop() == 0
    assert {span.trace_id.hex() for span in over_grpc.wait_for(4)} == {TRACE}
    assert len(over_grpc.found) == 4


def test_a_collector_that_hangs_costs_spans_and_nothing_else(policies, start, over_grpc):
    over_grpc.let_go.clear()
    sidecar = start(policies, *over_grpc.settings, "--trace-sample", "1")
    ask(sidecar)
    over_grpc.wait(lambda: over_grpc.asked > 0)
    for _ in range(20):
        ask(sidecar)
    assert sidecar.stop() == 0
    sidecar.wait_for("stopped")
    assert not over_grpc.found


def test_a_collector_that_is_down_is_told_of_once_and_counted(policies, start):
    with GrpcCollector() as collector:
        endpoint = collector.endpoint
    sidecar = start(policies, *METRICS, "--otlp-endpoint", endpoint, "--trace-sample", "1")
    ask(sidecar)
    assert endpoint.removeprefix("http://") in sidecar.wait_for("traces cannot be exported")["why"]
    found = look(metrics_of(sidecar))
    assert value(found, "taskman_authz_telemetry_dropped_total", kind="span") >= 4
    ask(sidecar)
    assert sidecar.stop() == 0
    sidecar.wait_for("stopped")
    said = [event["message"] for event in sidecar.said]
    assert said.count("traces cannot be exported") == 1
    assert set(said) == {"serving", "traces cannot be exported", "stopping", "stopped"}


def test_without_the_sdk_the_setting_is_refused_in_words(policies):
    hide = (
        "import sys; sys.modules['opentelemetry.sdk'] = None;"
        "from taskman_authz_sidecar.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", hide, "--policies", str(policies), "--listen", "127.0.0.1:0"]
    command += ["--otlp-endpoint", "http://127.0.0.1:4317"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "pip install 'taskman-authz[sidecar,otlp]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("wrong", ["localhost:4317", "ftp://x", "http://"])
def test_an_endpoint_that_is_no_url_is_refused_in_words(policies, wrong):
    from tests.sidecar.test_running import fail

    said = fail("--policies", str(policies), "--otlp-endpoint", wrong)
    assert "--otlp-endpoint: expected `https://host`" in said


def test_a_call_over_http_is_a_span_of_its_callers_trace_too(policies, start, over_grpc):
    sidecar = start(policies, *over_grpc.settings, "--http-listen", "127.0.0.1:0", *METRICS)
    (address,) = sidecar.wait_for("serving")["http_listen"]
    question = {
        "subject": {"type": "user", "id": "1", "properties": {"email": SECRET}},
        "action": {"name": "tasks:view"},
        "resource": {"type": "tasks", "id": "1", "properties": {"size": 3, "labels": []}},
    }
    request = urllib.request.Request(
        f"http://{address}/access/v1/evaluation",
        json.dumps(question).encode(),
        {"content-type": "application/json", traced()[0]: traced()[1]},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["decision"] is True
    spans = {span.name: span for span in over_grpc.wait_for(4)}
    span = spans["http evaluation"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(span)["taskman_authz.decision"] == "allow"
    assert SECRET not in str(over_grpc.found)
    found = look(metrics_of(sidecar))
    assert value(found, "taskman_requests_total", method="http/evaluation", status="OK") == 1


def test_workers_send_their_spans_too(policies, start, over_grpc):
    sidecar = start(policies, *over_grpc.settings, "--workers", "2", "--log-calls", "1")
    ask(sidecar, traced())
    assert {span.trace_id.hex() for span in over_grpc.wait_for(4)} == {TRACE}
    line = sidecar.wait_for("call answered", trace_id=TRACE)
    assert line["worker"] in (1, 2)
    assert sidecar.stop() == 0
