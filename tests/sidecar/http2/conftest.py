"""Nothing here can be asked where libnghttp2 could not be compiled against; in CI it can."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from taskman_authz_sidecar.http2 import missing

from tests.sidecar.http2 import serving as servers

WHY = missing()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if WHY and not os.environ.get("CI"):
        skipped = pytest.mark.skip(reason=f"no transport on libnghttp2: {WHY}")
        for item in items:
            if Path(item.fspath).parent == Path(__file__).parent:
                item.add_marker(skipped)


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def serving(request: pytest.FixtureRequest) -> Any:
    """A server of a test's own bounds, in plain and in TLS."""
    return partial(servers.serving, tls=request.param)
