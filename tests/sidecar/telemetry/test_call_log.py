"""Promises of the lines that calls leave in the log, and of a log that cannot be written."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import grpc
import pytest

from taskman_authz.client import Client
from taskman_authz.errors import RequestError
from tests.sidecar.process import PATIENCE
from tests.sidecar.telemetry.samples import look, value
from tests.sidecar.telemetry.test_exposing import TASK

pytestmark = pytest.mark.process

DEVELOPER = {"type": "user", "id": "7", "roles": ["developer"], "email": "ann@example.com"}
LOST = "taskman_authz_telemetry_dropped_total"


def test_every_call_leaves_a_line_where_that_is_asked_for(policies, start):
    sidecar = start(policies, "--log-calls", "1")
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.check(DEVELOPER, "tasks:view", TASK, {"ip": "10.1.2.3"}, company_id="acme")
        client.batch_check([(DEVELOPER, "tasks:view", TASK), (DEVELOPER, "tasks:edit", TASK)])
    one = sidecar.wait_for("call answered")
    names = ["timestamp", "level", "service", "request_id", "user_id", "company_id", "message"]
    assert list(one)[:7] == names
    assert (one["user_id"], one["company_id"]) == ("7", "acme")
    assert (one["method"], one["action"], one["allowed"]) == ("Check", "tasks:view", True)
    assert one["policies"] == ["everyone-views-small-tasks"]
    assert one["revision"] == sidecar.wait_for("serving")["revision"]
    assert one["duration_ms"] > 0
    two = sidecar.wait_for("call answered", 2)
    assert (two["method"], two["decisions"], two["allowed"]) == ("BatchCheck", 2, 1)
    assert "ann@example.com" not in str(sidecar.said) and "10.1.2.3" not in str(sidecar.said)


def test_a_refused_call_leaves_one_line_not_two(policies, start):
    sidecar = start(policies, "--log-calls", "1")
    with pytest.raises(grpc.RpcError):
        sidecar.call("Check", b"no message")
    assert sidecar.stop() == 0
    sidecar.wait_for("stopped")
    about_calls = [event for event in sidecar.said if event["message"].startswith("call")]
    assert [event["message"] for event in about_calls] == ["call refused"]


def test_by_default_calls_leave_no_lines(policies, start):
    sidecar = start(policies)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.check(DEVELOPER, "tasks:view", TASK)
    assert sidecar.stop() == 0
    sidecar.wait_for("stopped")
    assert {event["message"] for event in sidecar.said} == {"serving", "stopping", "stopped"}


class Unheard:
    """A sidecar whose standard error nobody reads, or that cannot be written."""

    def __init__(self, policies, stderr, *arguments):
        with (
            socket.create_server(("127.0.0.1", 0)) as one,
            socket.create_server(("127.0.0.1", 0)) as two,
        ):
            self.address, metrics = (f"127.0.0.1:{s.getsockname()[1]}" for s in (one, two))
        self.metrics = f"http://{metrics}/metrics"
        command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies", str(policies)]
        command += ["--listen", self.address, "--metrics-listen", metrics, *arguments]
        self.process = subprocess.Popen([*command, "--log-format", "json"], stderr=stderr)
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)


def test_a_log_that_cannot_be_written_fails_no_call_and_is_counted(policies):
    with open("/dev/full", "w") as full, Unheard(policies, full, "--log-calls", "1") as sidecar:
        with Client(sidecar.address, timeout=PATIENCE) as client:
            for _ in range(20):
                assert client.check(DEVELOPER, "tasks:view", TASK)
        sidecar.process.terminate()
        assert sidecar.process.wait(PATIENCE) == 0


def test_a_log_that_nobody_reads_holds_up_no_call_and_not_the_end(policies):
    reading, writing = os.pipe()
    try:
        with Unheard(policies, writing) as sidecar:
            with Client(sidecar.address, timeout=PATIENCE) as client:
                for _ in range(1_000):  # a line of some 200 bytes each: more than the pipe holds
                    with pytest.raises(RequestError):
                        client.check("nobody", "tasks:view", TASK)
            assert value(look(sidecar.metrics), LOST, kind="log") == 0
            sidecar.process.terminate()
            assert sidecar.process.wait(PATIENCE) == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_lost_lines_are_counted(policies):
    with open("/dev/full", "w") as full, Unheard(policies, full) as sidecar:
        with Client(sidecar.address, timeout=PATIENCE) as client, pytest.raises(RequestError):
            client.check("nobody", "tasks:view", TASK)
        assert value(look(sidecar.metrics), LOST, kind="log") >= 1
