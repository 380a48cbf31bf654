"""The decision log and the shadow policies of a sidecar, as its settings ask for them."""

from __future__ import annotations

import json

import pytest

from taskman_authz.cli import main
from taskman_authz.client import Client
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import PATIENCE

pytestmark = pytest.mark.process

SUBJECT = {"type": "user", "id": "1", "roles": ["developer"], "email": "a@b.c"}
TASK = {"type": "tasks", "id": "1", "size": 3, "labels": []}


def ended(sidecar) -> None:
    sidecar.process.terminate()
    assert sidecar.process.wait(PATIENCE) == 0
    sidecar.wait_for("stopped")


def test_every_answer_is_logged_masked_and_the_log_is_whole(policies, start, tmp_path, capsys):
    file = tmp_path / "decisions.jsonl"
    mask = ["--decision-log-mask", "subject.email", "--decision-log-mask", "context.ip"]
    sidecar = start(policies, "--decision-log", str(file), *mask)
    with Client(sidecar.address, timeout=PATIENCE) as client:
        assert client.check(SUBJECT, "tasks:view", TASK, {"ip": "10.0.0.7"})
        answers = client.batch_check(
            [(SUBJECT, "tasks:edit", TASK), ("x", "tasks:view", "tasks/1")]
        )
    assert not any(answers)
    ended(sidecar)
    text = file.read_text()
    assert "a@b.c" not in text and "10.0.0.7" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["allowed"] for line in lines] == [True, False]
    assert lines[0]["subject"]["email"] == lines[0]["context"]["ip"] == "***"
    assert sidecar.wait_for("decision log closed")["written"] == 2
    assert main(["log", "verify", str(file)]) == 0
    assert capsys.readouterr().out.startswith("2 lines, whole; last hash ")


def test_a_sidecar_whose_log_cannot_be_opened_does_not_start(policies, tmp_path):
    import subprocess
    import sys

    command = [sys.executable, "-m", "taskman_authz_sidecar", "--policies", str(policies)]
    command += ["--listen", "127.0.0.1:0", "--decision-log", str(tmp_path / "no" / "log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "the decision log" in done.stderr and "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_shadow_policies_are_followed_compared_and_change_no_answer(policies, start, tmp_path):
    folder = tmp_path / "next"
    folder.mkdir()
    write_policies(folder, POLICIES.replace("size < 10", "size < 1"))
    sidecar = start(policies, "--shadow-policies", str(folder), "--reload-interval", "0.05")
    with Client(sidecar.address, timeout=PATIENCE) as client:
        assert client.check(SUBJECT, "tasks:view", TASK)
        told = sidecar.wait_for("shadow policies decide otherwise")
        assert (told["live"], told["shadow"], told["subject"]) == ("allow", "deny", "user:1")
        assert "a@b.c" not in str(told)
        write_policies(folder, POLICIES + "\n")
        sidecar.wait_for("policies loaded")
        assert client.check(SUBJECT, "tasks:view", TASK)
    ended(sidecar)
    counts = sidecar.wait_for("shadow policies")
    assert (counts["checks"], counts["revoked"], counts["failed"]) == (2, 1, 0)
