"""What `make taskman-demo` and `make taskman` promise: everything starts, the story is played
through the gateway, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.servers import missing

PATIENCE = 180.0
STAGE = [sys.executable, "-m", "examples.taskman.stage"]
ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def needed() -> None:
    if missing() and not os.environ.get("CI"):
        pytest.skip(f"missing here: {', '.join(missing())}")


def test_the_story_is_played_to_its_end():
    done = subprocess.run(
        [*STAGE, "--demo"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "eve: PATCH /tasks/", "-> 403: ", "dan gives it to her", "task.completed", "auth.logout",
    ):  # fmt: skip
        assert told in done.stdout


def test_it_serves_until_it_is_told_to_end_and_leaves_nothing_behind():
    stage = subprocess.Popen(
        [*STAGE, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert stage.stdout is not None
        said = ""
        while "Ctrl-C ends all of it" not in said:
            line = stage.stdout.readline()
            assert line, said + (stage.stderr.read() if stage.stderr else "")
            said += line
        script = "\n".join(line for line in said.splitlines() if line.startswith("  "))
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.stdout.count("Try TaskMan") == 2, done.stdout + done.stderr
        folder = Path(said.partition("logs in ")[2].partition(")")[0])
        assert folder.is_dir()
    finally:
        os.killpg(stage.pid, signal.SIGINT)
        assert stage.wait(60) == 0
    assert not folder.parent.exists()
