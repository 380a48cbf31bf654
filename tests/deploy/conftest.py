"""What the examples of deployment are held to: the sidecar's own metrics, and Prometheus itself."""

from __future__ import annotations

import os

import pytest

from tests.sidecar.conftest import policies, sidecar, start  # noqa: F401  found by their names
from tools.servers import prometheus


@pytest.fixture(scope="session")
def promtool() -> str:
    """The program that checks rules. Where Prometheus is not, the test is skipped; never in CI."""
    if prometheus.program() is None and not os.environ.get("CI"):
        pytest.skip("missing here: Prometheus; as root tools/bootstrap.sh servers")
    return "promtool"
