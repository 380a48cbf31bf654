"""A server that a test has is a real one: it can be ended in every way, and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import redis

from tests.house.source import ROOT
from tools.servers import RabbitMQ, Redis, Stack

RUNS = """
import sys, time
from tools.servers import Stack
stack = Stack()
print(stack.folder, stack.redis.process.pid, stack.postgresql.process.pid, flush=True)
stack.redis.freeze()
sys.stdin.read()
"""


async def test_what_is_committed_survives_a_kill(servers: Stack, database: str):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    servers.postgresql.kill()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await connection.fetchval("SELECT 1")
    await connection.close(timeout=1)
    assert servers.postgresql.running  # at the same port
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT number FROM kept") == 7
    await connection.close()


async def test_every_test_has_a_database_of_its_own(database: str):
    connection = await asyncpg.connect(database)
    assert await connection.fetch("SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
    await connection.close()


def test_frozen_server_says_nothing_and_a_thawed_one_goes_on(redis_server: Redis):
    assert redis_server.answers()
    redis_server.freeze()
    assert not redis_server.answers()
    redis_server.thaw()
    assert redis_server.answers()


def test_what_redis_holds_comes_back_after_a_stop(redis_server: Redis):
    with redis.Redis.from_url(redis_server.url()) as client:
        client.set("kept", "7")
    redis_server.stop()
    assert not redis_server.running
    redis_server.start()
    with redis.Redis.from_url(redis_server.url()) as client:
        assert client.get("kept") == b"7"


def test_virtual_host_is_there_again_after_the_broker_was_killed(rabbitmq: RabbitMQ, amqp_url: str):
    rabbitmq.kill()
    assert not rabbitmq.answers()
    rabbitmq.start()
    names = [each["name"] for each in rabbitmq.api("GET", "vhosts")]
    assert amqp_url.rpartition("/")[2] in names


def test_nothing_outlives_a_run_that_is_killed(servers: Stack):
    run = subprocess.Popen(
        [sys.executable, "-c", RUNS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert run.stdin is not None and run.stdout is not None
    folder, *pids = run.stdout.readline().split()
    ends = [os.pidfd_open(int(pid)) for pid in pids]
    try:
        run.send_signal(signal.SIGKILL)
        run.wait()
        for end in ends:
            os.set_blocking(end, False)
            assert _ended(end)
    finally:
        for end in ends:
            os.close(end)
        run.stdin.close()
        run.stdout.close()
        Stack(Path(folder)).remove()


def _ended(process: int) -> bool:
    import select

    readable, _, _ = select.select([process], [], [], 30)
    return bool(readable)
