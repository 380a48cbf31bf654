"""A sidecar that answers AuthZEN about the fixture of its certification scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.sidecar.process import Sidecar

FIXTURE = ROOT / "examples" / "authzen"
HTTP = ("--http-listen", "127.0.0.1:0")


def begin(*arguments: str, policies: Path = FIXTURE / "policies") -> Sidecar:
    return Sidecar(policies, *HTTP, *arguments)


@pytest.fixture(scope="module")
def point() -> Iterator[Sidecar]:
    """One for the tests of a file that only ask."""
    sidecar = begin("--entities", str(FIXTURE / "entities"), "--max-message-bytes", "2000000")
    yield sidecar
    sidecar.kill()
