"""Promises of the health: services of one process, conditions of all, and an end for watchers."""

from __future__ import annotations

from taskman_authz_sidecar.health import Health


def test_nothing_serves_before_it_is_told():
    health = Health()
    assert (health.serves(""), health.serves("a")) == (False, None)
    health.serve("a")
    assert (health.serves(""), health.serves("a")) == (True, True)


def test_a_condition_holds_only_where_it_holds_of_all():
    health = Health()
    health.tell("policies", True)
    health.tell_others({"policies": False, "workers": True})
    assert (health.serves("policies"), health.serves("workers")) == (False, True)
    health.tell_others({"policies": True, "workers": False})
    assert (health.serves("policies"), health.serves("workers")) == (True, False)
    health.tell("policies", False)
    assert health.serves("policies") is False
    assert health.conditions.value == {"policies": False}


def test_a_condition_does_not_keep_services_from_serving():
    health = Health()
    health.serve("a")
    health.tell("policies", False)
    assert (health.serves(""), health.serves("a")) == (True, True)


async def test_nothing_serves_once_it_stops_and_watchers_are_let_go():
    health = Health()
    health.serve("a")
    follow = health.follow("")
    assert await anext(follow) is True
    health.tell("other", True)
    health.stop()
    health.tell("", True)
    health.serve("a")
    assert [each async for each in follow] == [False]
    assert [health.serves(name) for name in ("", "a", "other", "none")] == [False] * 3 + [None]


async def test_a_service_that_there_is_not_yet_may_be_watched():
    health = Health()
    follow = health.follow("later")
    assert await anext(follow) is None
    health.serve("later")
    assert await anext(follow) is True
