"""Our own engine under pytest-benchmark: `pytest benchmarks/test_own.py`, for comparing commits.

Not part of the test suite: times are no promises there, ratios in one run are (`bars`).
"""

from __future__ import annotations

from typing import Any

import pytest

from .cases import CASES, Case, Decision
from .peers import ours
from .worker import verify

MOST_POLICIES = 10_000  # more takes seconds to load, and nothing here compares by size
OWN = [case for case in CASES if not isinstance(case, Decision) or case.count <= MOST_POLICIES]


@pytest.mark.parametrize("case", OWN, ids=lambda case: case.name)
def test_own(case: Case, benchmark: Any) -> None:
    timed = ours.prepare(case, "")
    call = eval(f"lambda: {timed.statement}", dict(timed.names))
    verify(case, benchmark(call))
