"""Promises of what is read again: the last good one stays, and what is wrong is told once."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog.testing import CapturingLogger
from taskman_authz_sidecar import kept
from taskman_authz_sidecar.kept import Kept

from taskman_authz.errors import AuthzError
from tests.sidecar.process import PATIENCE


class Outside:
    """What is read: a number as text, or what reading it raises."""

    def __init__(self, text: str | Exception) -> None:
        self.text = text

    def read(self) -> str:
        if isinstance(self.text, Exception):
            raise self.text
        return self.text


def number(text: str) -> int:
    if not text.isdecimal():
        raise AuthzError("no number")
    return int(text)


@pytest.fixture
def logger() -> CapturingLogger:
    return CapturingLogger()


@pytest.fixture
def keep(logger):
    """Keeps the number of an `Outside`."""

    def begin(outside: Outside, **others) -> Kept:
        log = structlog.wrap_logger(logger, processors=[])
        return Kept("number", outside.read, number, log, **others)

    return begin


def said(logger: CapturingLogger) -> list[tuple[str, str]]:
    return [(call.kwargs["event"], call.kwargs.get("why", "")) for call in logger.calls]


def test_the_last_good_one_stays_and_what_is_wrong_is_told_once(keep, logger):
    outside = Outside("1")
    numbers = keep(outside)
    outside.text = "2"
    numbers.look()
    assert (numbers.value, numbers.problem) == (2, "")
    outside.text = AuthzError("gone")
    for _ in range(3):
        numbers.look()
    assert (numbers.value, numbers.problem) == (2, "gone")
    outside.text = "2"
    numbers.look()
    assert (numbers.value, numbers.problem) == (2, "")
    refused = ("number refused, the last good one stays", "gone")
    assert said(logger) == [("number loaded", ""), refused]


def test_half_of_a_change_is_looked_at_twice(keep, logger):
    outside = Outside("1")
    numbers = keep(outside)
    outside.text = "half"
    numbers.look()
    assert numbers.problem == ""
    outside.text = "other half"
    numbers.look()
    assert numbers.problem == ""
    numbers.look()
    assert (numbers.value, numbers.problem) == (1, "no number")
    outside.text = "3"
    numbers.look()
    assert (numbers.value, numbers.problem) == (3, "")


def test_what_is_not_there_at_the_start_ends_it_unless_it_may_lack(keep):
    outside = Outside(AuthzError("gone"))
    with pytest.raises(AuthzError, match="gone"):
        keep(outside)
    numbers = keep(outside, may_lack=True)
    assert (numbers.value, numbers.problem) == (None, "gone")
    outside.text = "1"
    numbers.look()
    assert (numbers.value, numbers.problem) == (1, "")


def test_an_error_that_nobody_expected_is_told_without_its_text(keep, logger):
    outside = Outside("1")
    numbers = keep(outside)
    outside.text = ValueError("secret")
    numbers.look()
    assert numbers.problem == "reading failed: ValueError"
    assert "secret" not in str(said(logger))


async def test_it_follows_and_looks_again_soon_at_half_of_a_change(keep, monkeypatch):
    monkeypatch.setattr(kept, "SETTLE", 0.01)
    outside = Outside("1")
    numbers = keep(outside, interval=86_400)
    looked = asyncio.Event()
    following = asyncio.create_task(numbers.follow(looked.set))
    await asyncio.sleep(0)  # it follows
    outside.text = "half"
    assert numbers.again(floor=0)
    while not numbers.problem:
        await asyncio.wait_for(looked.wait(), PATIENCE)
        looked.clear()
    following.cancel()
