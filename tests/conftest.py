"""What all tests share: which twin of the core runs, how hypothesis searches, and real servers."""

from __future__ import annotations

import os

import hypothesis
import pytest

from taskman_authz import _fast
from tests.servers import fixtures
from tests.servers.fixtures import (  # noqa: F401  fixtures are found by their names here
    amqp_url,
    database,
    postgresql,
    rabbitmq,
    redis_server,
    redis_url,
    servers,
)

# No deadline: the plain twin is slow, and a busy machine is no failure. In CI the search takes the
# same road every time, so that a red run can be repeated; at a desk it looks at new places.
hypothesis.settings.register_profile("desk", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_report_header() -> str:
    return f"taskman_authz core: {_fast.twin()} twin"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    fixtures.mark(items)
