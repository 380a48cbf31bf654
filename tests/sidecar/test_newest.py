"""Promises of values that are followed: the newest, never a queue, and an end."""

from __future__ import annotations

import asyncio

from taskman_authz_sidecar.newest import Newest


async def test_a_slow_follower_gets_the_newest_and_none_between():
    value = Newest("a")
    follow = value.follow()
    assert await anext(follow) == "a"
    for other in ("b", "c", "d"):
        value.tell(other)
    assert await anext(follow) == "d"
    waiting = asyncio.create_task(anext(follow))
    await asyncio.sleep(0)
    value.tell("e")
    assert await waiting == "e"


async def test_what_does_not_change_is_not_told_again():
    value = Newest(1)
    follow = value.follow()
    assert await anext(follow) == 1
    waiting = asyncio.create_task(anext(follow))
    await asyncio.sleep(0)
    value.tell(1)
    await asyncio.sleep(0)
    value.tell(2)
    assert await waiting == 2


async def test_the_last_value_is_told_before_the_end_also_to_who_comes_later():
    value = Newest("a")
    follow = value.follow()
    await anext(follow)
    value.tell("b")
    value.end()
    assert [each async for each in follow] == ["b"]
    assert [each async for each in value.follow()] == ["b"]
