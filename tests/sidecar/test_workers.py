"""Several processes at one address: shared, replaced, drained, and one view of their health."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from taskman_authz.cli import main
from taskman_authz.client import Client
from taskman_authz.errors import UnavailableError
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING, Sidecar
from tests.sidecar.raw import CHECK
from tests.sidecar.test_answering import question
from tests.sidecar.test_running import DEVELOPER, OWN_TASK, fail

pytestmark = pytest.mark.process

MANY = 12  # connections: all at one of two workers once in two thousand runs
DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)
# A channel of its own connects by itself: others of the same target share a connection.
ALONE = (("grpc.use_local_subchannel_pool", 1),)


def workers(sidecar: Sidecar) -> list[int]:
    """The processes that the supervisor has now."""
    pid = sidecar.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def channels(sidecar: Sidecar) -> Iterator[list[grpc.Channel]]:
    """Connections that the kernel divides among the workers."""
    opened = [grpc.insecure_channel(sidecar.address, ALONE) for _ in range(MANY)]
    yield opened
    for channel in opened:
        channel.close()


def watch(channel: grpc.Channel, name: str) -> Iterator[int]:
    """What a health is, and becomes; ends where the connection does."""
    request = health_pb2.HealthCheckRequest(service=name)
    try:
        for answer in health_pb2_grpc.HealthStub(channel).Watch(request, timeout=PATIENCE):
            yield answer.status
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.UNAVAILABLE


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is no child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], PATIENCE)[0], f"process {pid} does not end"
    os.close(descriptor)


def allowed(sidecar: Sidecar) -> bool:
    with Client(sidecar.address, timeout=PATIENCE) as client:
        return client.check(DEVELOPER, "tasks:edit", OWN_TASK).allowed


def test_all_answer_at_one_address_and_end_in_order_together(policies, start):
    sidecar = start(policies, "--workers", "3")
    assert sidecar.wait_for("serving")["workers"] == 3
    began = workers(sidecar)
    assert len(began) == 3
    with channels(sidecar) as opened:
        health = [health_pb2_grpc.HealthStub(channel) for channel in opened]
        for name in ("", "taskman_authz.policies", "taskman_authz.workers"):
            request = health_pb2.HealthCheckRequest(service=name)
            assert {stub.Check(request, timeout=PATIENCE).status for stub in health} == {SERVING}
    assert allowed(sidecar)
    assert sidecar.stop() == 0
    assert sidecar.said[-1]["message"] == "stopped"
    for pid in began:
        wait_until_gone(pid)


def test_a_worker_that_is_killed_shows_in_the_health_of_the_others_and_is_replaced(policies, start):
    sidecar = start(policies, "--workers", "2")
    killed, other = workers(sidecar)
    with channels(sidecar) as opened:
        watches = [watch(channel, "taskman_authz.workers") for channel in opened]
        assert {next(states) for states in watches} == {SERVING}
        os.kill(killed, signal.SIGKILL)
        seen = [(next(states, None), next(states, None)) for states in watches]
    assert (NOT_SERVING, SERVING) in seen  # by whom the other worker answers
    assert set(seen) <= {(NOT_SERVING, SERVING), (None, None)}
    ended = sidecar.wait_for("worker ended, another one is started")
    assert (ended["process"], ended["status"], ended["restarts"]) == (killed, -9, 1)
    now = workers(sidecar)
    assert other in now and killed not in now and len(now) == 2
    assert allowed(sidecar)
    assert sidecar.stop() == 0


def test_a_change_that_one_worker_refuses_shows_whichever_is_asked(policies, start):
    sidecar = start(policies, "--workers", "2", "--reload-interval", "0")
    write_policies(policies, "nonsense")
    with channels(sidecar) as opened:
        watches = [watch(channel, "taskman_authz.policies") for channel in opened]
        assert {next(states) for states in watches} == {SERVING}
        os.kill(workers(sidecar)[0], signal.SIGHUP)  # the other one does not look
        assert {next(states) for states in watches} == {NOT_SERVING}
        write_policies(policies, DENYING)
        sidecar.process.send_signal(signal.SIGHUP)
        assert {next(states) for states in watches} == {SERVING}
    sidecar.wait_for("policies loaded", 2)
    assert not allowed(sidecar)


@pytest.mark.parametrize("changed", [False, True])
def test_a_worker_that_starts_while_the_policies_are_bad_decides_by_the_last_good_ones(
    policies, start, changed
):
    arguments = ["--workers", "2", "--reload-interval", "0.05", "--log-level", "debug"]
    sidecar = start(policies, *arguments)
    if changed:
        write_policies(policies, DENYING)
        sidecar.wait_for("policies kept for workers to come")
        sidecar.wait_for("policies loaded", 2)
    write_policies(policies, "nonsense")
    sidecar.wait_for("policies refused, the last good ones stay", 2)
    for number, worker in enumerate(workers(sidecar)):  # all of them are new in the end
        os.kill(worker, signal.SIGKILL)
        sidecar.wait_for("worker serving", 3 + number)
        sidecar.wait_for("policies refused, the last good ones stay", 3 + number)
    assert sidecar.health("taskman_authz.policies") == NOT_SERVING
    assert allowed(sidecar) is not changed
    write_policies(policies, POLICIES if changed else DENYING)
    sidecar.wait_for_health("taskman_authz.policies", SERVING)
    sidecar.wait_for("policies loaded", 4 if changed else 2)
    assert allowed(sidecar) is changed


def test_no_worker_outlives_its_supervisor(policies, start):
    sidecar = start(policies, "--workers", "2")
    began = workers(sidecar)
    sidecar.process.kill()
    sidecar.process.wait(PATIENCE)
    for pid in began:
        wait_until_gone(pid)


def test_calls_in_flight_are_answered_by_all_when_it_stops(policies, start):
    sidecar = start(policies, "--workers", "2")
    batch = [(DEVELOPER, "tasks:edit", OWN_TASK)] * 200
    clients = [Client(sidecar.address, timeout=PATIENCE) for _ in range(4)]
    for client in clients:
        client.batch_check(batch)
    sidecar.process.send_signal(signal.SIGTERM)
    for client in clients:
        try:
            assert all(client.batch_check(batch))
        except UnavailableError:
            pass  # it came after
        client.close()
    assert sidecar.process.wait(PATIENCE) == 0


def test_what_keeps_it_from_starting_is_said_once(policies, tmp_path):
    said = fail("--policies", f"{tmp_path}/nothing", "--workers", "3")
    assert said.count("nothing") == 1
    log = tmp_path / "no" / "decisions.jsonl"
    said = fail("--policies", str(policies), "--workers", "3", "--decision-log", str(log))
    assert said.count("No such file") == 1


def test_an_address_in_use_is_refused_though_workers_share_theirs(policies, start):
    sidecar = start(policies, "--workers", "2")
    for more in ((), ("--workers", "2")):
        said = fail("--policies", str(policies), "--listen", sidecar.address, *more)
        assert f"{sidecar.address}: address already in use\n" in said
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        said = fail("--policies", str(policies), "--listen", address, "--workers", "2")
        assert f"{address}: address already in use\n" in said


def test_a_unix_socket_is_refused_in_words(policies, tmp_path):
    address = f"unix://{tmp_path}/authz.sock"
    said = fail("--policies", str(policies), "--listen", address, "--workers", "2")
    assert "--workers: a unix socket is one process' own" in said and address in said


def test_each_worker_writes_a_decision_log_of_its_own_that_a_successor_goes_on_with(
    policies, start, tmp_path, capsys
):
    file = tmp_path / "decisions.jsonl"
    sidecar = start(policies, "--workers", "2", "--decision-log", str(file))
    assert not file.exists()
    data = question().SerializeToString()
    for number in range(2):
        with channels(sidecar) as opened:
            for channel in opened:
                channel.unary_unary(CHECK, None, None)(data, timeout=PATIENCE)
        os.kill(workers(sidecar)[0], signal.SIGTERM)  # in order: nothing that waits is lost
        sidecar.wait_for("worker serving", 3 + number)
    assert sidecar.stop() == 0
    files = sorted(tmp_path.glob("decisions.*.jsonl"))
    assert [each.name for each in files] == ["decisions.1.jsonl", "decisions.2.jsonl"]
    for each in files:
        assert main(["log", "verify", str(each)]) == 0
    assert sum(len(each.read_text().splitlines()) for each in files) == 2 * MANY


def test_http_and_metrics_are_answered_by_all_and_counts_are_those_of_all(policies, start):
    addresses = ["--http-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
    sidecar = start(policies, "--workers", "2", *addresses)
    said = sidecar.wait_for("serving")
    (http,) = said["http_listen"]
    for _ in range(MANY):
        with urlopen(f"http://{http}/health/ready", timeout=PATIENCE) as answer:
            assert answer.status == 200
    with channels(sidecar) as opened:
        for channel in opened:
            check = channel.unary_unary(CHECK, None, None)
            check(question().SerializeToString(), timeout=PATIENCE)
    os.kill(workers(sidecar)[0], signal.SIGKILL)
    sidecar.wait_for("worker serving", 3)
    with urlopen(said["metrics"], timeout=PATIENCE) as answer:
        counted = answer.read().decode()
    calls = re.findall(r"^taskman_requests_total{(.*)} (.*)$", counted, re.M)
    assert sum(float(count) for labels, count in calls if 'method="Check"' in labels) == MANY
    assert re.search(r"^taskman_authz_worker_restarts_total{.*} 1.0$", counted, re.M)
    assert sidecar.stop() == 0


def test_the_demonstration_is_given_once(policies, start):
    sidecar = start(policies, "--workers", "2", "--demo")
    printed = [sidecar.process.stdout.readline() for _ in range(5)]
    assert printed[0].endswith("allowed\n") and printed[-1].startswith("serving at ")
    os.kill(workers(sidecar)[0], signal.SIGKILL)
    sidecar.wait_for("worker serving", 3)
    assert sidecar.stop() == 0
    assert sidecar.process.stdout.read() == ""


def test_an_interrupt_at_the_terminal_drains_as_a_signal_does(policies):
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies", str(policies)]
    command += ["--listen", "127.0.0.1:0", "--workers", "2", "--log-format", "json"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0)
    assert process.stderr is not None
    for line in process.stderr:
        if '"message": "serving"' in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    rest = process.stderr.read()
    assert process.wait(PATIENCE) == 0
    assert rest.count('"message": "stopped"') == 3
    process.stderr.close()
