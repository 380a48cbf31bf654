"""Promises of patterns of paths: the most specific, whatever their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskman_authz_sidecar.ext_authz.patterns import PathTree, read_pattern

PATTERNS = ["/", "/tasks", "/tasks/", "/tasks/new", "/tasks/{id}", "/tasks/{id}/comments"]
PATTERNS += ["/{kind}/new", "/{kind}/{id}/{rest:path}", "/tasks/new/comments/{n}", "/{all:path}"]


def tree_of(patterns: list[str]) -> PathTree[str]:
    tree: PathTree[str] = PathTree()
    for text in patterns:
        tree.place(read_pattern(text).segments, text)
    return tree


def find(tree: PathTree[str], path: str):
    return tree.find(tuple(path.removeprefix("/").split("/")))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", ("/", ())),
        ("/tasks", ("/tasks", ())),
        ("/tasks/", ("/tasks/", ())),
        ("/tasks/new", ("/tasks/new", ())),
        ("/tasks/7", ("/tasks/{id}", ("7",))),
        ("/tasks/new/comments", ("/tasks/{id}/comments", ("new",))),
        ("/tasks/new/comments/1", ("/tasks/new/comments/{n}", ("1",))),
        ("/tasks/old/comments/1", ("/{kind}/{id}/{rest:path}", ("tasks", "old", "comments/1"))),
        ("/users/new", ("/{kind}/new", ("users",))),
        ("/users/7", ("/{all:path}", ("users/7",))),
        ("/users/7/a/b", ("/{kind}/{id}/{rest:path}", ("users", "7", "a/b"))),
        ("/tasks/7/", None),
        ("/users/", None),
        ("/Tasks", ("/{all:path}", ("Tasks",))),
        ("/{}", ("/{all:path}", ("{}",))),
        ("/tasks/{}", ("/tasks/{id}", ("{}",))),
        ("/tasks/{:path}", ("/tasks/{id}", ("{:path}",))),
    ],
)
def test_the_most_specific_pattern_is_found(path, found):
    assert find(tree_of(PATTERNS), path) == found
    assert find(tree_of(PATTERNS[::-1]), path) == found


@given(st.permutations(PATTERNS), st.lists(st.sampled_from(["tasks", "new", "7", ""]), min_size=1))
def test_the_order_of_patterns_does_not_matter(patterns, path):
    assert tree_of(patterns).find(path) == tree_of(PATTERNS).find(path)


def test_a_parameter_is_never_empty():
    tree = tree_of(["/tasks/{id}", "/files/{name:path}"])
    for path in ("/tasks/", "/files/", "/files/a/", "/files"):
        assert find(tree, path) is None


@pytest.mark.parametrize(
    "text",
    ["", "tasks", "//", "/a//b", "/..", "/a/./b", "/{id", "/{}", "/{1}", "/x{id}", "/{a:path}/b"]
    + ["/{a}/{a}", "/{id:int}", "/a%20b", "/a b", "/a;b", "/a?b", "/a\\b"],
)
def test_what_is_no_pattern_is_refused_in_words(text):
    with pytest.raises(ValueError, match="`|path"):
        read_pattern(text)
