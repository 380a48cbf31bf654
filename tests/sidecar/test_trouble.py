"""Trouble around a sidecar: a disk that is full, policies that go away, a worker that is killed.
Answers are right or there are none; the health says what is wrong; nothing that is owed is lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from taskman_authz.cli import main
from taskman_authz.client import Client
from taskman_authz.decision import NOT_LOGGED
from taskman_authz.errors import UnavailableError
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING, Sidecar
from tests.sidecar.test_running import DEVELOPER, OWN_TASK
from tests.sidecar.test_workers import workers

pytestmark = pytest.mark.process

LOGGED = "taskman_authz.decision_log"
DENYING = POLICIES.replace("effect: allow", "effect: deny", 1)
QUESTION = (DEVELOPER, "tasks:edit", OWN_TASK)
REFUSED = (DEVELOPER, "tasks:edit", {**OWN_TASK, "owner": "ann"})


def fill_disk(sidecar: Sidecar, file: Path, is_full: bool) -> None:
    """From now on the sidecar cannot make files longer than `file` is; or can again."""
    _, hard = resource.prlimit(sidecar.process.pid, resource.RLIMIT_FSIZE)
    soft = file.stat().st_size + 10 if is_full else hard
    resource.prlimit(sidecar.process.pid, resource.RLIMIT_FSIZE, (soft, hard))


class Load:
    """Asks in threads until it is ended, and counts what came of it."""

    def __init__(self, address: str, expected: set[bool]) -> None:
        self.counts: Counter[str] = Counter()
        self._address = address
        self._expected = expected
        self._is_over = False
        self._counted = threading.Condition()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        self.wait()

    def _ask(self) -> None:
        with Client(self._address, timeout=PATIENCE, breaker=None) as client:
            while not self._is_over:
                came = self._came(client)
                with self._counted:
                    self.counts[came] += 1
                    self._counted.notify_all()

    def _came(self, client: Client) -> str:
        try:
            is_right = client.check(*QUESTION).allowed in self._expected
            return "right" if is_right and not client.check(*REFUSED) else "wrong"
        except UnavailableError:
            return "unavailable"

    def wait(self) -> None:
        """Until some more was asked."""
        with self._counted:
            target = self.counts.total() + 20
            assert self._counted.wait_for(lambda: self.counts.total() >= target, PATIENCE)

    def end(self) -> Counter[str]:
        """What came of it."""
        self._is_over = True
        for thread in self._threads:
            thread.join(PATIENCE)
        return self.counts


def test_decisions_wait_while_the_disk_is_full_which_shows_and_none_is_lost(
    policies, start, tmp_path
):
    file = tmp_path / "decisions.jsonl"
    sidecar = start(policies, "--decision-log", str(file))
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.check(*QUESTION)
        sidecar.wait_for_health(LOGGED, SERVING)
        fill_disk(sidecar, file, True)
        assert all(client.batch_check([QUESTION] * 200))
        sidecar.wait_for_health(LOGGED, NOT_SERVING)
        assert "the decision log cannot be written" in str(sidecar.said)
        assert sidecar.health("") == SERVING
        assert client.check(*QUESTION)
        fill_disk(sidecar, file, False)
        sidecar.wait_for_health(LOGGED, SERVING)
    assert sidecar.stop() == 0
    closed = sidecar.wait_for("decision log closed")
    assert (closed["written"], closed["dropped"]) == (202, 0)
    assert len(file.read_text().splitlines()) == 202
    assert main(["log", "verify", "-q", str(file)]) == 0


@pytest.mark.parametrize(("full", "allowed"), [("drop", True), ("deny", False)])
def test_when_no_more_can_wait_decisions_are_dropped_and_counted_or_denied(
    policies, start, tmp_path, full, allowed
):
    file = tmp_path / "decisions.jsonl"
    sidecar = start(policies, "--decision-log", str(file), "--decision-log-full", full)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        client.check(*QUESTION)
        sidecar.wait_for_health(LOGGED, SERVING)
        fill_disk(sidecar, file, True)
        for _ in range(11):  # the queue takes ten thousand
            last = client.batch_check([QUESTION] * 1_000)[-1]
        assert last.allowed is allowed
        assert allowed or last.reasons[0].code == NOT_LOGGED
        sidecar.wait_for_health(LOGGED, NOT_SERVING)
        fill_disk(sidecar, file, False)
        sidecar.wait_for_health(LOGGED, SERVING)
        asked = 11_002
        until = time.monotonic() + PATIENCE
        while not client.check(*QUESTION):  # what waits is being written, and there is no room yet
            assert time.monotonic() < until
            asked += 1
    assert sidecar.stop() == 0
    closed = sidecar.wait_for("decision log closed")
    assert closed["written"] + closed["dropped"] == asked
    assert closed["dropped"] > 0
    assert main(["log", "verify", "-q", str(file)]) == 0


def test_policies_that_go_away_and_come_back_under_load_change_no_answer(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    load = Load(sidecar.address, {True})
    for number in range(3):
        shutil.rmtree(policies)
        sidecar.wait_for("policies refused, the last good ones stay", number + 1)
        load.wait()
        policies.mkdir()
        write_policies(policies, POLICIES + "\n" * number)
        sidecar.wait_for_health("taskman_authz.policies", SERVING)
        load.wait()
    counts = load.end()
    assert set(counts) == {"right"}
    assert sidecar.stop() == 0


def test_workers_that_are_killed_under_load_and_changing_policies_give_no_wrong_answer(
    policies, start
):
    sidecar = start(policies, "--workers", "2", "--reload-interval", "0.05")
    load = Load(sidecar.address, {True, False})
    for number in range(3):
        write_policies(policies, (DENYING, POLICIES)[number % 2])
        sidecar.wait_for("policies loaded", 2 * number + 1)
        os.kill(workers(sidecar)[number % 2], signal.SIGKILL)
        sidecar.wait_for("worker ended, another one is started", number + 1)
        load.wait()
        sidecar.wait_for("worker serving", 3 + number)
        sidecar.wait_for_health("taskman_authz.workers", SERVING)
    counts = load.end()
    assert counts["wrong"] == 0
    assert counts["right"] > counts["unavailable"]
    assert sidecar.stop() == 0


def test_a_worker_that_hangs_is_killed_when_the_others_have_ended(policies, start):
    sidecar = start(policies, "--workers", "2", "--grace", "0")
    os.kill(workers(sidecar)[0], signal.SIGSTOP)
    assert sidecar.stop() == 1
    assert sidecar.wait_for("worker does not end, and is killed")["worker"] in (1, 2)
