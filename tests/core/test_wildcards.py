"""Patterns mean what SEMANTICS says, and a table finds exactly what the patterns mean."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.wildcards import PatternTable, matches, split_resource

SEGMENTS = st.sampled_from(["a", "b", "ab", "*", ""])
NAMES = st.lists(SEGMENTS, min_size=1, max_size=4).map(":".join)
PATTERNS = st.one_of(
    st.lists(st.sampled_from(["a", "b", "ab", "*"]), min_size=1, max_size=4).map(":".join),
    st.lists(st.sampled_from(["a", "*"]), min_size=1, max_size=3).map(lambda s: ":".join(s) + "a*"),
)


def meaning(pattern: str) -> re.Pattern[str]:
    """An independent reading of the same sentence: a regular expression."""
    if pattern == "*":
        return re.compile(r".*", re.DOTALL)
    body, rest = (pattern[:-1], ".*") if pattern.endswith("*") else (pattern, "")
    parts = ["[^:]+" if part == "*" else re.escape(part) for part in body.split(":")]
    return re.compile(":".join(parts) + rest, re.DOTALL)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("tasks:edit", "tasks:edit", True),
        ("tasks:edit", "tasks:edit:all", False),
        ("*", "tasks:edit", True),
        ("*", "ping", True),
        ("tasks:*", "tasks:edit", True),
        ("tasks:*", "tasks:edit:all", True),
        ("tasks:*", "tasks", False),
        ("tasks:*", "tasksx:edit", False),
        ("tasks:ed*", "tasks:edit", True),
        ("tasks:ed*", "tasks:view", False),
        ("ta*", "tasks:edit", True),
        ("*:view", "tasks:view", True),
        ("*:view", "a:b:view", False),
        ("*:view", ":view", False),
        ("a:*:c", "a:b:c", True),
        ("a:*:c", "a:b:b:c", False),
        ("a:*:c*", "a:b:cd:e", True),
    ],
)
def test_pattern_means(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name, ":") is expected


@given(PATTERNS, NAMES)
def test_pattern_agrees_with_its_regular_expression(pattern: str, name: str) -> None:
    assert matches(pattern, name, ":") is bool(meaning(pattern).fullmatch(name))


@given(st.lists(PATTERNS, max_size=8), NAMES)
def test_table_finds_all_that_match_and_nothing_else(patterns: list[str], name: str) -> None:
    table = PatternTable(":")
    for pattern in patterns:
        table.place(pattern, partial(str, pattern))
    expected = {pattern for pattern in patterns if matches(pattern, name, ":")}
    assert sorted(table.find(name)) == sorted(expected)
    assert sorted(table.find_restricted(name)) == sorted(expected - {"*"})
    assert table.restricts() is bool(set(patterns) - {"*"})


def test_table_keeps_one_value_a_pattern() -> None:
    table = PatternTable(":")
    for pattern in ("*", "a", "a:*", "*:a"):
        value = table.place(pattern, list)
        assert table.place(pattern, list) is value


@pytest.mark.parametrize(
    ("pattern", "kind", "id"),
    [
        ("tasks/7", "tasks", "7"),
        ("tasks/7/x", "tasks", "7/x"),
        ("tasks/*", "tasks", "*"),
        ("*", "*", "*"),
        ("ta*", "ta*", "*"),
        ("*/7", "*", "7"),
    ],
)
def test_resource_pattern_is_one_of_the_kind_and_one_of_the_id(
    pattern: str, kind: str, id: str
) -> None:
    assert split_resource(pattern) == (kind, id)
