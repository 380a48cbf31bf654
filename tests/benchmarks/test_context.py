"""The benchmark of what asking others costs measures what it says."""

from __future__ import annotations

import pytest

from benchmarks.context.__main__ import Clock, main


@pytest.mark.process
def test_every_way_decides_and_is_told(servers, capsys):
    assert main(Clock(rounds=1, calls=2)) == 0
    told = capsys.readouterr().out
    for way in ("the request gives all", "source asked each time", "decisions in Redis"):
        assert way in told
