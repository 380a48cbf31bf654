"""What all tests share: which twin of the core runs, and how hypothesis searches."""

from __future__ import annotations

import os

import hypothesis

from taskman_authz import _fast

# No deadline: the plain twin is slow, and a busy machine is no failure. In CI the search takes the
# same road every time, so that a red run can be repeated; at a desk it looks at new places.
hypothesis.settings.register_profile("desk", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_report_header() -> str:
    return f"taskman_authz core: {_fast.twin()} twin"
