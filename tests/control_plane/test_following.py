"""Promises of sidecars that decide by a database: they follow it, and go on without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request

import asyncpg
import pytest

from taskman_authz.store.postgres import Attach, Create, Database, Detach, PostgresStore, Put
from tests.control_plane.asking import SOON, allowed, answer, persist, until
from tests.policy.helpers import policy
from tests.sidecar.process import NOT_SERVING, PATIENCE, SERVING
from tests.sidecar.telemetry.samples import look, value
from tests.store.postgres.states import query

POLICIES = "taskman_authz.policies"
EDIT = policy("edit", roles=["dev"], actions=["tasks:edit"], resources=["tasks/*"])
SELDOM = ("--reload-interval", "3600")
STALENESS = "taskman_authz_policy_staleness_seconds"


async def test_a_write_is_in_force_in_two_sidecars_by_looking(platform, start):
    sidecars = [start("--reload-interval", "0.2"), start("--reload-interval", "0.2")]
    assert [allowed(each, "tasks:edit") for each in sidecars] == [False, False]
    written = await platform.create(EDIT)
    for each in sidecars:
        await until(lambda each=each: allowed(each, "tasks:edit"), SOON)
        assert answer(each, "tasks:edit").revision == written.content_hash
    await platform.write([Detach("edit", "dev")])
    for each in sidecars:
        await until(lambda each=each: not allowed(each, "tasks:edit"), SOON)


async def test_the_database_is_no_part_of_what_is_printed_or_logged(dsn, workshop, start):
    secret = dsn.replace("sidecar@", "sidecar:Pa55word@")
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--print-config"]
    environment = {**os.environ, "TASKMAN_AUTHZ_DATABASE": secret}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, "Pa55word" in done.stdout + done.stderr) == (0, False)
    assert "database: (not shown)" in done.stdout
    sidecar = start("--database", secret)
    assert "Pa55word" not in json.dumps(sidecar.said)


async def test_the_database_may_rest_in_a_file_and_its_user_may_change(
    tmp_path, database, dsn, platform, start
):
    file = tmp_path / "dsn"
    file.write_text(f"{dsn}\n")
    sidecar = start("--database", f"file:{file}", "--reload-interval", "0.2")
    await query(database, "CREATE ROLE rotated LOGIN NOINHERIT")
    try:
        await query(database, "GRANT authz_service, authz_platform TO rotated")
        file.write_text(dsn.replace("sidecar@", "rotated@"))
        name = dsn.rpartition("/")[2]
        await platform.create(EDIT)
        await until(lambda: allowed(sidecar, "tasks:edit"))
        name = dsn.rpartition("/")[2]
        users = "SELECT usename FROM pg_stat_activity WHERE datname = $1"
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sidecar'"
        await query(database, "ALTER ROLE sidecar NOLOGIN")
        await query(database, end)
        sidecar.wait_for("policies refused, the last good ones stay")
        sidecar.wait_for("policies are those of the database again")
        assert "rotated" in {row["usename"] for row in await query(database, users, name)}
    finally:
        sidecar.kill()
        await query(database, "ALTER ROLE sidecar LOGIN")
        await query(database, "DROP ROLE rotated")


@pytest.mark.parametrize("trouble", ["stop", "freeze"])
async def test_decisions_go_on_while_the_database_is_away_and_the_health_tells(
    trouble, platform, postgresql, start
):
    sidecar = start(
        *("--reload-interval", "0.2", "--database-timeout", "1"),
        *("--metrics-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"),
        *("--ready-max-age", "1"),
    )
    sidecar.wait_for_health(POLICIES, SERVING)
    getattr(postgresql, trouble)()
    sidecar.wait_for_health(POLICIES, NOT_SERVING)
    assert allowed(sidecar, "tasks:view")
    await until(lambda: value(look(sidecar.metrics), STALENESS) > 1)
    await until(lambda: not is_ready(sidecar))
    assert allowed(sidecar, "tasks:view")
    postgresql.revive()
    sidecar.wait_for_health(POLICIES, SERVING)
    assert is_ready(sidecar)
    await until(lambda: value(look(sidecar.metrics), STALENESS) < 1)


def is_ready(sidecar) -> bool:
    try:
        with urllib.request.urlopen(f"http://{sidecar.http[0]}/health/ready", timeout=PATIENCE):
            return True
    except urllib.error.HTTPError:
        return False


async def test_rows_that_were_changed_by_hand_are_not_followed_until_they_are_adopted(
    database, platform, start
):
    sidecar = start("--reload-interval", "0.2")
    await query(database, "UPDATE policies SET actions = '{tasks:*}'")
    await query(
        database,
        "INSERT INTO revisions (number, content_hash, actor) VALUES (9, 'other', 'user:hand')",
    )
    sidecar.wait_for_health(POLICIES, NOT_SERVING)
    assert not allowed(sidecar, "tasks:edit")
    await platform.adopt()
    sidecar.wait_for_health(POLICIES, SERVING)
    assert allowed(sidecar, "tasks:edit")


async def test_a_backup_that_was_restored_is_followed_and_told(database, platform, start):
    sidecar = start("--reload-interval", "0.2")
    await platform.create(EDIT)
    await until(lambda: allowed(sidecar, "tasks:edit"))
    connection = await asyncpg.connect(database)
    async with connection.transaction():
        for statement in (
            "DELETE FROM policies WHERE slug = 'edit'",  # with its attachments
            "DELETE FROM changes WHERE revision = 2",
            "DELETE FROM revisions WHERE number = 2",
        ):
            await connection.execute(statement)
    await connection.close()
    told = "the revision of the database went backwards: was a backup restored?"
    event = sidecar.wait_for(told)
    assert (event["was"], event["found"]) == (2, 1)
    await until(lambda: not allowed(sidecar, "tasks:edit"))
    assert sidecar.health(POLICIES) == SERVING


async def test_without_the_database_it_begins_with_the_policies_of_the_cache(
    tmp_path, platform, postgresql, start
):
    cache = tmp_path / "policies.bundle"
    arguments = ("--policy-cache", str(cache), "--reload-interval", "0.2")
    first = start(*arguments)
    await until(cache.exists)
    revision = answer(first, "tasks:view").revision
    first.kill()
    hour = time.time() - 3_600
    os.utime(cache, (hour, hour))
    postgresql.stop()
    second = start(*arguments, "--metrics-listen", "127.0.0.1:0")
    told = second.wait_for(
        "the policies of the database cannot be had, those of the cache are in place"
    )
    assert 3_600 <= told["age"] < 3_700
    assert answer(second, "tasks:view").revision == revision and allowed(second, "tasks:view")
    assert second.health(POLICIES) == NOT_SERVING
    assert value(look(second.metrics), STALENESS) >= 3_600
    postgresql.revive()
    second.wait_for_health(POLICIES, SERVING)
    await persist(lambda: platform.write([Put(EDIT)]))
    await until(lambda: allowed(second, "tasks:edit"))


async def test_without_database_and_cache_it_does_not_start(dsn, workshop, postgresql):
    postgresql.stop()
    command = [sys.executable, "-m", "taskman_authz_sidecar", "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--database", dsn], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 2
    assert "the database cannot be reached" in done.stderr


async def test_workers_share_what_was_read_and_each_follows(platform, start, tmp_path):
    cache = tmp_path / "policies.bundle"
    sidecar = start(
        *("--workers", "2", "--reload-interval", "0.2", "--policy-cache", str(cache)),
        *("--metrics-listen", "127.0.0.1:0"),
    )
    written = await platform.create(EDIT)
    for worker in (1, 2):
        sidecar.wait_for("policies loaded", worker=worker, revision=written.content_hash)
    assert allowed(sidecar, "tasks:edit")
    await until(cache.exists)


async def test_what_is_followed_by_changes_is_what_is_read_whole(dsn, platform):
    async with await Database.connect(dsn, size=1) as database:
        store = PostgresStore(database)
        last = await store.compiled()
        await platform.write([Create(EDIT), Create({"name": "ops"}), Attach("view", "ops")])
        await platform.delete("policy", "edit")
        changed = await store.compiled(last)
        whole = await store.compiled()
    assert changed.head == whole.head
    assert changed.state == whole.state
    assert changed.policies.revision == whole.policies.revision
