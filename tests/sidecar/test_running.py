"""How a sidecar starts, and how it stops."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from taskman_authz.client import Client
from taskman_authz.errors import UnavailableError
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import NOT_SERVING, PATIENCE

pytestmark = pytest.mark.process

DEVELOPER = {"type": "user", "id": "dev", "roles": ["developer"], "department": "engineering"}
OWN_TASK = {"type": "tasks", "id": "1", "owner": "dev"}


def fail(*arguments: str) -> str:
    """What a sidecar that cannot start says. It must end by itself with status 2."""
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--listen", "127.0.0.1:0"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_status_0(policies, start, number):
    sidecar = start(policies)
    assert sidecar.stop(number) == 0
    assert [event["message"] for event in sidecar.said][-2:] == ["stopping", "stopped"]


def test_who_watches_the_health_learns_that_it_stops_and_does_not_hold_it_up(policies, start):
    sidecar = start(policies, "--grace", "600")
    with grpc.insecure_channel(sidecar.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        next(watch)
        sidecar.process.send_signal(signal.SIGTERM)
        assert [answer.status for answer in watch] == [NOT_SERVING]
    assert sidecar.process.wait(PATIENCE) == 0


def test_calls_in_flight_are_answered_when_it_stops(policies, start):
    sidecar = start(policies)
    batch = [(DEVELOPER, "tasks:edit", OWN_TASK)] * 200

    def ask(_: int) -> str:
        try:
            return "answered" if all(client.batch_check(batch)) else "wrong"
        except UnavailableError:
            return "refused"

    with Client(sidecar.address, timeout=PATIENCE) as client, ThreadPoolExecutor(8) as pool:
        client.batch_check(batch)  # connected
        answers = pool.map(ask, range(16))
        first = next(answers)
        sidecar.process.send_signal(signal.SIGTERM)
        assert {first, *answers} <= {"answered", "refused"}
    assert first == "answered"
    assert sidecar.process.wait(PATIENCE) == 0


def test_it_answers_at_several_addresses(policies, start, tmp_path):
    path = f"unix://{tmp_path}/authz.sock"
    sidecar = start(policies, "--listen", "localhost:0", listen=path)
    assert sidecar.addresses[0] == path
    assert sidecar.addresses[1].startswith("localhost:")
    for address in sidecar.addresses:
        with Client(address) as client:
            assert client.check(DEVELOPER, "tasks:edit", OWN_TASK)


def test_a_socket_left_behind_by_a_killed_sidecar_is_taken_over(policies, start, tmp_path):
    path = f"unix://{tmp_path}/authz.sock"
    start(policies, listen=path).kill()
    sidecar = start(policies, listen=path)
    with Client(sidecar.address) as client:
        assert client.check(DEVELOPER, "tasks:edit", OWN_TASK)


def test_a_taken_address_is_refused_in_words(policies, start, tmp_path):
    path = f"unix://{tmp_path}/authz.sock"
    sidecar = start(policies, "--listen", "127.0.0.1:0", listen=path)
    for address in sidecar.addresses:
        said = fail("--policies", str(policies), "--listen", address)
        assert said == f"taskman-authz serve: error: {address}: address already in use\n"
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        said = fail("--policies", str(policies), "--listen", address)
        assert said == f"taskman-authz serve: error: {address}: address already in use\n"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("unix:///no/such/folder/socket", "no such file or directory"),
        ("192.0.2.1:0", "cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_opened_is_named_with_the_reason(policies, address, why):
    said = fail("--policies", str(policies), "--listen", address, "--insecure", "true")
    assert said == f"taskman-authz serve: error: {address}: {why}\n"


def test_missing_policies_are_named(tmp_path):
    assert f"{tmp_path}/nothing" in fail("--policies", f"{tmp_path}/nothing")


def test_everything_that_is_wrong_with_the_policies_is_shown_with_carets(policies):
    wrong = POLICIES.replace("resource.owner ==", "resource.owner = ").replace("< 10", "< ")
    write_policies(policies, wrong)
    said = fail("--policies", str(policies))
    assert said.count("tasks.yaml:") >= 2
    assert said.count("^") >= 2


def test_a_bad_setting_is_named_by_its_flag_or_its_variable(policies, monkeypatch):
    monkeypatch.setenv("TASKMAN_AUTHZ_LOG_LEVEL", "loud")
    said = fail("--policies", str(policies), "--grace", "soon")
    assert "--grace: " in said and "TASKMAN_AUTHZ_LOG_LEVEL: " in said


def test_demo_prints_both_answers_with_their_reasons_and_goes_on_serving(policies, start):
    sidecar = start(policies, "--demo")
    lines = iter(sidecar.process.stdout)
    assert next(lines) == "dev edits their own task: allowed\n"
    assert "developers-edit-their-own" in next(lines)
    assert next(lines) == "dev deletes somebody else's task: denied\n"
    assert next(lines).startswith("  ")
    with Client(sidecar.address) as client:
        assert client.check(DEVELOPER, "tasks:edit", OWN_TASK)
    assert sidecar.stop(signal.SIGINT) == 0
