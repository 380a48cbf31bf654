"""The demonstration and both examples print the same two decisions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sidecar.process import PATIENCE

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parent.parent.parent


def printed(example: str, *arguments: str) -> list[str]:
    command = [sys.executable, str(ROOT / "examples" / example), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.splitlines()


def test_the_demonstration_and_the_examples_print_the_same_two_decisions(start):
    sidecar = start(ROOT / "policies" / "taskman", "--demo")
    embedded = printed("embedded.py")
    assert embedded[0] == "dev edits their own task: allowed"
    assert "dev deletes somebody else's task: denied" in embedded
    assert printed("sidecar_client.py", sidecar.address) == embedded
    assert [sidecar.process.stdout.readline().rstrip("\n") for _ in embedded] == embedded


def test_the_client_example_says_in_words_that_nobody_answers():
    command = [sys.executable, str(ROOT / "examples" / "sidecar_client.py"), "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "no answer from `127.0.0.1:1`" in done.stderr
    assert "Traceback" not in done.stderr
