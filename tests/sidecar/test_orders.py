"""What signals mean to a running sidecar, with one process and with several."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import PATIENCE, Sidecar
from tests.sidecar.test_workers import allowed

pytestmark = pytest.mark.process

DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)


@pytest.fixture(params=["1", "2"])
def sidecar(request, policies, start) -> Sidecar:
    """A sidecar that does not look at its policies by itself."""
    arguments = ["--reload-interval", "0", "--grace", "600"]
    arguments += ["--reflection", "true", "--transport", "grpcio"]
    return start(policies, "--workers", request.param, *arguments)


def test_the_policies_are_read_again_when_told_to_by_a_signal(sidecar, policies):
    assert allowed(sidecar)
    write_policies(policies, DENYING)
    sidecar.process.send_signal(signal.SIGHUP)
    workers = sidecar.wait_for("serving").get("workers", 1)
    loaded = {sidecar.wait_for("policies loaded", n + 1)["revision"] for n in range(workers)}
    assert len(loaded) == 1
    assert not allowed(sidecar)


def test_a_second_signal_ends_at_once_what_the_first_one_waits_for(sidecar):
    go_on = threading.Event()

    def questions() -> Iterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        go_on.wait(PATIENCE)

    with grpc.insecure_channel(sidecar.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        answers = stub.ServerReflectionInfo(questions(), timeout=PATIENCE)
        next(answers)
        sidecar.process.send_signal(signal.SIGTERM)
        sidecar.wait_for("stopping")
        sidecar.wait_for("stopping", sidecar.wait_for("serving").get("workers", 0) + 1)
        assert sidecar.process.poll() is None
        sidecar.process.send_signal(signal.SIGINT)
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        go_on.set()
    assert sidecar.process.wait(PATIENCE) == 0
    assert sidecar.said[-1]["message"] == "stopped"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_systemd_is_told_when_it_serves_and_when_it_stops(
    policies, start, tmp_path, monkeypatch, workers
):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        sidecar = start(policies, "--workers", workers)
        assert heard.recv(100) == b"READY=1"
        assert sidecar.stop() == 0
        assert heard.recv(100) == b"STOPPING=1"
        heard.setblocking(False)
        with pytest.raises(BlockingIOError):
            heard.recv(100)


def test_nobody_listening_at_systemds_socket_is_no_error(policies, start, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "@taskman-authz-nobody")
    assert start(policies).stop() == 0
