"""The client against sidecars that are killed, come back, and change their policies."""

from __future__ import annotations

import signal
import time

import pytest

from taskman_authz.client import AsyncClient, BreakerSettings, Client
from taskman_authz.errors import UnavailableError
from tests.sidecar.conftest import POLICIES, write_policies
from tests.sidecar.process import PATIENCE

pytestmark = pytest.mark.process

DEVELOPER = {"type": "user", "id": "dev", "roles": ["developer"], "department": "engineering"}
QUESTION = (DEVELOPER, "tasks:edit", {"type": "tasks", "id": "1", "owner": "dev"})


def test_nobody_notices_that_one_of_two_is_killed(policies, start):
    one, other = start(policies), start(policies)
    with Client([one.address, other.address], timeout=PATIENCE) as client:
        for _ in range(20):
            assert client.check(*QUESTION)
        one.stop(signal.SIGKILL)
        for _ in range(50):
            assert client.check(*QUESTION)


def test_nobody_notices_that_one_after_the_other_is_replaced(policies, start):
    one, other = start(policies), start(policies)
    with Client([one.address, other.address], timeout=PATIENCE) as client:
        for each in (one, other):
            assert client.check(*QUESTION)
            assert each.stop() == 0
            assert client.check(*QUESTION)
            start(policies, listen=each.address)
            assert client.check(*QUESTION)


def test_the_circuit_opens_while_it_is_gone_and_closes_when_it_is_back(policies, start):
    sidecar = start(policies)
    with Client(sidecar.address, timeout=PATIENCE, breaker=BreakerSettings(timeout=0.2)) as client:
        assert client.check(*QUESTION)
        sidecar.stop(signal.SIGKILL)
        for _ in range(6):
            with pytest.raises(UnavailableError):
                client.check(*QUESTION, timeout=0.1)
        assert str(client.breaker.state) == "open"
        start(policies, listen=sidecar.address)
        end = time.monotonic() + PATIENCE
        while str(client.breaker.state) != "closed":
            assert time.monotonic() < end
            try:
                assert client.check(*QUESTION)
            except UnavailableError as refused:
                assert "the circuit is open" in str(refused)


async def test_what_is_remembered_ends_when_another_answer_shows_other_policies(policies, start):
    sidecar = start(policies, "--reload-interval", "0.05")
    async with AsyncClient(sidecar.address, timeout=PATIENCE, remember=3_600) as client:
        before = await client.check(*QUESTION)
        assert before
        write_policies(policies, POLICIES.replace("'engineering'", "'nobody'"))
        sidecar.wait_for("policies loaded")
        assert await client.check(*QUESTION) == before  # remembered
        await client.batch_check([QUESTION])
        after = await client.check(*QUESTION)
        assert not after
        assert after.revision != before.revision
