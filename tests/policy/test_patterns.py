"""Patterns among each other, held to what they match."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.wildcards import matches, split_resource
from taskman_authz.policy.patterns import (
    actions_meet,
    covers_action,
    covers_resource,
    pattern_error,
    resources_meet,
)

PARTS = ["a", "b", "ab", "aba"]
SEGMENTS = [*PARTS, "*", "a*", "ab*"]
# More than any of these patterns names, so that what they match here tells what they match at all.
NAMES = [*PARTS, "c", "abc", "x"]
ACTIONS = [":".join(each) for n in (1, 2, 3, 4) for each in itertools.product(NAMES, repeat=n)]
RESOURCES = [
    (kind, "/".join(each))
    for kind in NAMES
    for n in (1, 2, 3)
    for each in itertools.product(NAMES, repeat=n)
]


def patterns(separator: str) -> st.SearchStrategy[str]:
    joined = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map(separator.join)
    return joined.filter(lambda pattern: not pattern_error(pattern, separator))


@given(patterns(":"), patterns(":"))
def test_actions_are_covered_and_meet_as_their_patterns_match(one: str, other: str) -> None:
    mine = {name for name in ACTIONS if matches(one, name, ":")}
    others = {name for name in ACTIONS if matches(other, name, ":")}
    assert covers_action(one, other) is (others <= mine)
    assert actions_meet(one, other) is bool(mine & others)


def named(pattern: str) -> set[tuple[str, str]]:
    kind, id = split_resource(pattern)
    return {each for each in RESOURCES if matches(kind, each[0], "/") and matches(id, each[1], "/")}


@given(patterns("/"), patterns("/"))
def test_resources_are_covered_and_meet_as_their_patterns_match(one: str, other: str) -> None:
    mine, others = named(one), named(other)
    assert covers_resource(one, other) is (others <= mine)
    assert resources_meet(one, other) is bool(mine & others)
