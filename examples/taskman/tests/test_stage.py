"""What `make taskman-demo` and `make taskman` promise: everything starts, the story is played
through the gateway, and nothing is left."""

from __future__ import annotations

import os
import re
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
        "eve: PATCH /tasks/", "-> 403: ", "dan gives it to her", "eve got a mail",
        "task.completed", "auth.logout",
    ):  # fmt: skip
        assert told in done.stdout


def is_as_described(url: str, token: str, folder: Path) -> None:
    """Whatever is asked, within its description and beside it: no failure inside, and no answer
    that the description does not have."""
    asked = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--seed", "7", "--max-examples", "30"),
        *("--phases", "coverage,fuzzing", "--workers", "1"),
        *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
        *("--checks", "response_schema_conformance,response_headers_conformance"),
    ]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr
    assert re.search(r"[1-9]\d{2,} generated", done.stdout.replace(",", "")), done.stdout[-2_000:]


def test_it_serves_as_described_until_it_is_told_to_end_and_leaves_nothing_behind(tmp_path):
    many = {f"TASKMAN_RATE_OF_{name}": "100000" for name in ("ADDRESS", "USER", "ROUTE")}
    stage = subprocess.Popen(
        [*STAGE, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env={**os.environ, **many},
    )  # fmt: skip
    try:
        assert stage.stdout is not None
        said = ""
        while "Ctrl-C ends all of it" not in said:
            line = stage.stdout.readline()
            assert line, said + (stage.stderr.read() if stage.stderr else "")
            said += line
        shown = [line for line in said.splitlines() if line.startswith("  ")]
        script = "\n".join([*shown, "echo; echo TOKEN=$TOKEN"])
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.stdout.count("Try TaskMan") == 2, done.stdout + done.stderr
        url = said.partition("serves at ")[2].partition(" ")[0]
        is_as_described(url, done.stdout.partition("TOKEN=")[2].strip(), tmp_path)
        folder = Path(said.partition("logs in ")[2].partition(")")[0])
        assert folder.is_dir()
    finally:
        os.killpg(stage.pid, signal.SIGINT)
        assert stage.wait(60) == 0
    assert not folder.parent.exists()
