"""What is remembered, and in what: Redis may be away, freeze and be started again; companies share
nothing; what must not be remembered is not."""

from __future__ import annotations

import itertools

import pytest
import redis

from taskman_authz.messaging import Event
from tests.control_plane.context.conftest import check, codes, publish, sources, until
from tests.sidecar.process import SERVING, Sidecar

pytestmark = pytest.mark.process
UPDATED = Event(type="task.updated", company_id="acme", data={"id": "7"})


@pytest.fixture
def remembering(policies, owner, start, amqp_url, redis_url):
    """Starts sidecars that remember in Redis, as flags say otherwise."""

    def begin(*flags: str) -> Sidecar:
        sidecar = start(
            *(policies, *sources(owner), "--amqp", amqp_url, "--redis", redis_url),
            *("--attribute-cache", "redis", "--decision-cache", "redis", *flags),
        )
        sidecar.wait_for_health("taskman_authz.events", SERVING)
        return sidecar

    return begin


def test_sidecars_share_what_is_remembered_in_redis(remembering, owner):
    first, second = remembering(), remembering()
    ids = itertools.count(100)

    def is_shared() -> bool:
        id = str(next(ids))
        owner.entities["acme", "tasks", id] = {"owner": "ann", "locked": False}
        assert check(first, resource=f"tasks/{id}").allowed
        asked = len(owner.asked)
        assert check(second, resource=f"tasks/{id}").allowed
        return len(owner.asked) == asked

    until(is_shared, "what one asked for the other asks for too")


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_without_redis_decisions_go_on_and_a_change_counts_at_once(
    fault, remembering, owner, redis_server, amqp_url
):
    sidecar = remembering()
    assert check(sidecar).allowed
    redis_server.freeze() if fault == "frozen" else redis_server.kill()
    assert check(sidecar).allowed
    sidecar.wait_for("Redis does not answer")
    owner.entities["acme", "tasks", "7"]["locked"] = True
    publish(amqp_url, "task.events", UPDATED)
    until(lambda: codes(check(sidecar)) == ["denied_by_policy"], "the change does not count")
    redis_server.revive()  # with what it held before
    for _ in range(20):
        assert codes(check(sidecar)) == ["denied_by_policy"]
    until(lambda: sidecar_remembers(sidecar, owner), "nothing is remembered")
    assert codes(check(sidecar)) == ["denied_by_policy"]


def sidecar_remembers(sidecar: Sidecar, owner) -> bool:
    asked = len(owner.asked)
    check(sidecar)
    return len(owner.asked) == asked


def test_what_changed_while_redis_was_restarted_is_not_served(
    remembering, owner, redis_server, amqp_url
):
    first, second = remembering(), remembering()
    assert check(first).allowed and check(second).allowed
    redis_server.kill()
    owner.entities["acme", "tasks", "7"]["locked"] = True
    publish(amqp_url, "task.events", UPDATED)
    redis_server.start()
    for sidecar in (first, second):
        until(lambda one=sidecar: not check(one), "what was before is still served")
        for _ in range(20):
            assert not check(sidecar)


def test_companies_share_nothing(remembering, owner, redis_url):
    owner.entities["other", "tasks", "7"] = {"owner": "bob", "locked": False}
    owner.entities["other", "user", "1"] = {"login": "eve"}
    sidecar = remembering()
    for _ in range(3):
        assert check(sidecar, company="acme").allowed
        assert codes(check(sidecar, company="other")) == ["condition_not_met"]
        assert not check(sidecar, company=None)
    assert {company for company, _ in owner.asked} == {"acme", "other", ""}
    owner.entities["other", "tasks", "7"]["owner"] = "eve"
    assert check(sidecar, company="acme").allowed

    def companies_with_keys() -> set[str]:
        check(sidecar, company="acme"), check(sidecar, company="other")
        with redis.Redis.from_url(redis_url) as client:
            keys = [key.decode() for key in client.scan_iter("authz:permission:*")]
        return {key.split(":")[2] for key in keys}

    until(lambda: companies_with_keys() >= {"acme", "other"}, "nothing is remembered")


@pytest.mark.parametrize("place", ["memory", "redis"])
def test_a_decision_that_reads_the_clock_is_made_anew(place, remembering, owner):
    sidecar = remembering("--attribute-cache", "off", "--decision-cache", place)
    until(lambda: sidecar_remembers(sidecar, owner), "nothing is remembered")
    before = len(owner.asked)
    assert all(check(sidecar, "tasks:finish").allowed for _ in range(3))
    assert len(owner.asked) - before == 3


def test_a_decision_made_without_what_a_source_should_give_is_not_remembered(remembering, owner):
    sidecar = remembering("--source-breaker", "0")
    owner.stop()
    assert codes(check(sidecar)) == ["denied_by_error"]
    sidecar.wait_for("a source of attributes does not answer")
    owner.start()
    until(lambda: check(sidecar).allowed, "the denial is remembered")
    assert codes(check(sidecar, resource="tasks/8")) == ["denied_by_error"]
    owner.entities["acme", "tasks", "8"] = {"owner": "ann", "locked": False}
    assert check(sidecar, resource="tasks/8").allowed
