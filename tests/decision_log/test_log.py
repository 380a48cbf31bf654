"""The log itself: what is decided is written, in order, and nobody waits for the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from taskman_authz import PDP, ArgumentError, DecisionLog, Limits, StoreError, make_request
from taskman_authz.decision import Decision
from taskman_authz.decision_log import log as module
from taskman_authz.decision_log import verify
from taskman_authz.decision_log.chain import START
from tests.policy.helpers import compiled, document, policy

PATIENCE = 30.0
POLICIES = compiled(document(policy("views", actions=["tasks:view"])))
REQUEST = make_request("user:1", "tasks:view", "tasks/1", now=0)
ALLOWED, DENIED = Decision(True, (), "r"), Decision(False, (), "r")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_every_decision_is_a_line_in_its_order(path):
    with DecisionLog(path) as log:
        pdp = PDP(POLICIES, log=log)
        assert pdp.check("user:1", "tasks:view", "tasks/1")
        assert not pdp.check("user:1", "tasks:edit", "tasks/1")
        answers = pdp.batch_check([("user:2", "tasks:view", "tasks/2"), "no question", REQUEST])
    assert [answer.allowed for answer in answers] == [True, False, True]
    asked = [
        (line["subject"]["id"], line["action"]["name"], line["allowed"]) for line in lines(path)
    ]
    # What cannot be asked is no decision.
    assert asked == [
        ("1", "tasks:view", True),
        ("1", "tasks:edit", False),
        ("2", "tasks:view", True),
        ("1", "tasks:view", True),
    ]
    assert {line["revision"] for line in lines(path)} == {POLICIES.revision}
    assert verify([path])[::3] == (4, None)
    assert log.written == 4 and log.dropped == 0


def test_many_threads_write_one_chain(path):
    with DecisionLog(path) as log:
        pdp = PDP(POLICIES, log=log)

        def ask(number: int) -> None:
            for each in range(50):
                pdp.check(f"user:{number}", "tasks:view", f"tasks/{each}")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert verify([path])[::3] == (300, None)
    for number in range(6):
        own = [
            line["resource"]["id"] for line in lines(path) if line["subject"]["id"] == str(number)
        ]
        assert own == [str(each) for each in range(50)]


def test_the_file_is_its_owners_only(path):
    with DecisionLog(path):
        assert path.stat().st_mode & 0o777 == 0o600


class Stuck:
    """Holds the thread that writes, until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()
        write = module._ChainedFile.write

        def stuck(file: Any, records: Any) -> None:
            self.entered.set()
            assert self.let_go.wait(PATIENCE)
            write(file, records)

        monkeypatch.setattr(module._ChainedFile, "write", stuck)


@pytest.mark.parametrize("full", ["drop", "deny"])
def test_a_full_queue_drops_and_counts_or_denies(path, monkeypatch, full):
    stuck = Stuck(monkeypatch)
    with DecisionLog(path, full=full, limits=Limits(log_queue=3)) as log:
        pdp = PDP(POLICIES, log=log)
        answers = [pdp.check("user:1", "tasks:view", "tasks/1") for _ in range(5)]
        assert [answer.allowed for answer in answers] == [True] * 3 + [full == "drop"] * 2
        if full == "deny":
            assert answers[-1].reasons[0].code == "not_logged"
            assert answers[-1].revision == POLICIES.revision
            denied = pdp.check("user:1", "tasks:edit", "tasks/1")  # a no stays the no that it is
            assert denied.reasons[0].code == "no_policy_applies"
        assert log.dropped == (3 if full == "deny" else 2)
        stuck.let_go.set()
        assert log.flush(PATIENCE)
        assert pdp.check("user:1", "tasks:view", "tasks/1")
    assert verify([path])[::3] == (4, None)


def test_the_queue_is_bounded_in_bytes_too(path, monkeypatch):
    stuck = Stuck(monkeypatch)
    with DecisionLog(path, full="deny", limits=Limits(log_queue_bytes=1_000)) as log:
        taken = [log(REQUEST, ALLOWED, 0) for _ in range(10)]
        assert taken == sorted(taken, reverse=True) and 1 < sum(taken) < 5
        stuck.let_go.set()
        assert log.flush(PATIENCE)
        assert log(REQUEST, ALLOWED, 0)


def test_a_new_file_that_cannot_be_opened_is_tried_again(path, monkeypatch):
    problems: list[str] = []
    told = threading.Event()
    monkeypatch.setattr(module, "RETRY", 0.001)

    def on_problem(text: str) -> None:
        problems.append(text)
        told.set()

    folder = path.parent / "logs"
    folder.mkdir()
    moved = path.parent / "moved"
    with DecisionLog(folder / "log", on_problem=on_problem) as log:
        assert log(REQUEST, ALLOWED, 0) and log.flush(PATIENCE)
        folder.rename(moved)
        assert log(REQUEST, DENIED, 0)
        assert told.wait(PATIENCE)
        folder.mkdir()
        assert log.flush(PATIENCE)
    assert problems == ["the decision log cannot be written: No such file or directory"]
    assert verify([moved / "log", folder / "log"])[::3] == (2, None)


def test_a_renamed_file_is_left_and_the_chain_goes_on_in_a_new_one(path):
    older = path.with_suffix(".1")
    with DecisionLog(path) as log:
        assert log(REQUEST, ALLOWED, 0) and log.flush(PATIENCE)
        path.rename(older)
        assert log(REQUEST, DENIED, 0)
    assert [line["allowed"] for line in lines(older) + lines(path)] == [True, False]
    assert verify([older, path])[::3] == (2, None)
    assert verify([path]).first == lines(older)[-1]["hash"]


def test_a_later_process_goes_on_with_the_chain(path):
    for decision in (ALLOWED, DENIED):
        with DecisionLog(path) as log:
            log(REQUEST, decision, 0)
    found = verify([path])
    assert (found.lines, found.first, found.broken) == (2, START, None)


def test_what_a_crash_tore_is_kept_named_and_followed(path):
    with DecisionLog(path) as log:
        log(REQUEST, ALLOWED, 0)
        log(REQUEST, ALLOWED, 0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    torn = verify([path]).broken
    assert torn is not None and torn.line == 2 and "torn" in torn.why
    with DecisionLog(path) as log:
        log(REQUEST, DENIED, 0)
    assert path.read_bytes().startswith(whole[:-40] + b"\n")
    after = verify([path])
    assert (after.lines, after.broken, after.torn) == (3, None, 1)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[-1])
    assert verify([path])[::3] == (1, None)


def test_what_cannot_be_written_is_tried_again_and_tears_no_line(path, monkeypatch):
    problems: list[str] = []
    failures = iter([True, True])
    write = os.write

    def half(fd: int, data: Any) -> int:
        if not next(failures, False):
            return write(fd, data)
        write(fd, bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "RETRY", 0.001)
    monkeypatch.setattr(module.os, "write", half)
    with DecisionLog(path, on_problem=problems.append) as log:
        log(REQUEST, ALLOWED, 0)
        assert log.flush(PATIENCE)
    assert problems == ["the decision log cannot be written: No space left on device"]
    assert verify([path])[::3] == (1, None)


def test_a_file_has_one_writer(path):
    with DecisionLog(path), pytest.raises(StoreError, match="another process writes it"):
        DecisionLog(path)
    DecisionLog(path).close()


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(StoreError, match="the decision log `.*nowhere/log`: No such file"):
        DecisionLog(tmp_path / "nowhere" / "log")
    with pytest.raises(ArgumentError, match="full: expected `drop` or `deny`, found `wait`"):
        DecisionLog(tmp_path / "log", full="wait")


@pytest.mark.parametrize("full", ["drop", "deny"])
def test_after_closing_nothing_is_taken(path, full):
    log = DecisionLog(path, full=full)
    log.close()
    log.close()
    assert log(REQUEST, ALLOWED, 0) is (full == "drop")
    assert log.dropped == 1


def test_a_log_that_raises_closes():
    def broken(*_: Any) -> bool:
        raise ValueError("secret")

    answer = PDP(POLICIES, log=broken).check("user:1", "tasks:view", "tasks/1")
    assert not answer
    assert answer.reasons[0].code == "not_logged" and "secret" not in str(answer)


def test_a_line_shows_what_was_decided_on_not_what_became_of_it(path, monkeypatch):
    stuck = Stuck(monkeypatch)
    context = {"level": 1}
    with DecisionLog(path) as log:
        PDP(POLICIES, log=log).check("user:1", "tasks:view", "tasks/1", context)
        context["level"] = 2
        stuck.let_go.set()
    assert lines(path)[0]["context"] == {"level": 1}


def test_a_forked_child_leaves_the_file_to_its_parent(path):
    with DecisionLog(path, full="deny") as log:
        child = os.fork()
        if child == 0:
            taken = log(REQUEST, ALLOWED, 0)
            log.close()
            os._exit(int(taken))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert log(REQUEST, ALLOWED, 0)
    assert verify([path])[::3] == (1, None)


def test_a_child_that_is_forked_while_the_queue_is_locked_does_not_wait_for_the_lock(path):
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with log._changed:
            held.set()
            done.wait(PATIENCE)

    with DecisionLog(path) as log:
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            signal.alarm(int(PATIENCE))  # ends a child that waits
            taken = log(REQUEST, ALLOWED, 0)
            flushed = log.flush()
            log.close()
            os._exit(taken and not flushed and log.dropped == 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        done.set()
        thread.join(PATIENCE)


def test_a_listener_that_fails_does_not_end_the_writing(path, monkeypatch):
    failures = iter([True])
    write = os.write

    def full(fd: int, data: Any) -> int:
        if next(failures, False):
            raise OSError(28, "No space left on device")
        return write(fd, data)

    def listener(_problem: str) -> None:
        raise ValueError("secret")

    monkeypatch.setattr(module, "RETRY", 0.001)
    monkeypatch.setattr(module.os, "write", full)
    with DecisionLog(path, on_problem=listener) as log:
        log(REQUEST, ALLOWED, 0)
        assert log.flush(PATIENCE)
    assert verify([path])[::3] == (1, None)


WRITER = """
import sys
from taskman_authz import DecisionLog, make_request
from taskman_authz.decision import Decision
log = DecisionLog(sys.argv[1])
request, allowed = make_request("user:1", "a:b", "c/d"), Decision(True, (), "r")
for number in range(int(sys.argv[2])):
    log(request, allowed, number)
if len(sys.argv) > 3:
    print("begun", flush=True)
    while True:
        log(request, allowed, 0)
"""


@pytest.mark.process
def test_what_is_queued_is_written_when_a_program_ends(path):
    subprocess.run([sys.executable, "-c", WRITER, str(path), "500"], check=True)
    assert verify([path])[::3] == (500, None)


@pytest.mark.process
def test_a_killed_process_leaves_at_most_a_torn_last_line(path):
    command = [sys.executable, "-c", WRITER, str(path), "100", "on"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"begun\n"
    while not path.stat().st_size:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    process.stdout.close()
    found = verify([path])
    last = path.read_bytes().count(b"\n") + 1
    assert found.lines == last - 1
    assert found.broken is None or found.broken.line == last
