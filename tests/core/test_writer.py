"""Promises of the writer of requests: what it writes is what protobuf writes, and what protobuf
refuses it leaves to protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz import CheckRequest, RequestError
from taskman_authz._fast.messages import DEEPEST, read_check
from taskman_authz._fast.writer import Writer
from taskman_authz.limits import Limits
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import read_batch, write_batch
from taskman_authz.wire.messages import _message

TEXTS = st.text(max_size=5) | st.sampled_from(["type", "id", "name", "x" * 130, "\ud800", "é" * 70])
SCALARS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.integers(2**63 - 2, 2**64)
    | TEXTS
    | st.binary(max_size=2)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
ATTRIBUTES = st.none() | st.dictionaries(TEXTS, VALUES, max_size=4) | st.just({1: 2})
ROLES = st.none() | st.lists(st.sampled_from(["a", "b", "c" * 200]), max_size=2)


def question(subject: Any, action: Any, resource: Any, context: Any, company: Any) -> CheckRequest:
    return CheckRequest(
        "user",
        "1:2",
        "tasks:é",
        "tasks",
        "4/5",
        subject=subject,
        action_attributes=action,
        resource=resource,
        context=context,
        company_id=company,
        now=0,
    )


def by_protobuf(request: CheckRequest, limits: Limits) -> bytes | None:
    try:
        return _message(request, limits).SerializeToString(deterministic=True)
    except RequestError:
        return None


def agree(request: CheckRequest, depth: int) -> bool:
    """Whether it was written, which must be as protobuf writes it."""
    written = Writer(depth).check(request)
    if written is None:
        return False
    assert again(written) == by_protobuf(request, Limits(property_depth=depth))
    return True


def again(written: bytes) -> bytes:
    """The same message with its keys as protobuf orders them."""
    return pb.CheckRequest.FromString(written).SerializeToString(deterministic=True)


@given(ATTRIBUTES, ROLES, ATTRIBUTES, ATTRIBUTES, ATTRIBUTES, st.integers(1, 4))
@example({"x": [[]], "y": {}}, None, {}, {"": ""}, {"a": 1 << 53}, 2)
def test_what_is_written_is_what_protobuf_writes(subject, roles, action, resource, context, depth):
    if subject is not None and roles is not None:
        subject = {**subject, "roles": roles}
    try:
        request = question(subject, action, resource, context, "acme")
    except RequestError:
        return
    agree(request, depth)


@given(
    st.dictionaries(st.text("abc", max_size=3), st.integers(0, 300) | st.text("xyzé", max_size=9))
)
def test_the_usual_form_is_written_here(attributes):
    attributes = {**attributes, "list": ["a", {"b": [1, None, True, 0.5]}]}
    assert agree(question({"roles": ["r"]}, None, attributes, attributes, None), DEEPEST)


@pytest.mark.parametrize(
    "value", [2**53 + 1, 2**63, (1,), {1}, b"x", "\ud800", {1: 2}, object(), [[["deep"]]]]
)
def test_what_is_unusual_is_left_to_protobuf(value):
    assert Writer(3).check(question(None, None, {"x": value}, None, None)) is None


def test_a_dict_that_is_two_things_is_written_as_each():
    same = {"type": "t", "id": "i", "name": "n", "x": 1}
    request = question(same, same, same, same, None)
    assert agree(request, 4)
    another = question({**same}, same, {**same}, same, None)
    data, errors = write_batch([request, another])
    sent = pb.BatchCheckRequest.FromString(data)
    for item in sent.items:
        item.MergeFrom(sent.defaults)
        assert again(item.SerializeToString()) == by_protobuf(request, Limits())
    assert errors == [None, None]
    assert sent.defaults.action and not sent.defaults.subject


SHARED = st.sampled_from([None, {"roles": ["r"], "x": 1}, {"x": 2}, {}, {"y": {1}}])


@given(st.lists(st.tuples(SHARED, SHARED, SHARED, SHARED, st.sampled_from([None, "acme"]))))
@example([])
def test_what_all_items_have_in_common_is_written_once_and_read_as_each_has_it(parts):
    requests = [question(*each) for each in parts]
    data, errors = write_batch(requests)
    found = [error or item for error, item in merged(errors, read_batch(data))]
    for request, one in zip(requests, found, strict=True):
        if by_protobuf(request, Limits()) is None:
            assert isinstance(one, RequestError)
        else:
            assert isinstance(one, CheckRequest)
            assert by_protobuf(one, Limits()) == by_protobuf(request, Limits())


def merged(errors: list[RequestError | None], items: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Each error, or the next item."""
    left = iter(items)
    for error in errors:
        yield (error, None) if error else (None, next(left))
    assert next(left, None) is None


def test_a_batch_of_one_subject_has_it_once():
    subject = {"roles": ["developer"], "department": "d" * 100}
    one = [
        CheckRequest("user", "1", "a:b", "t", f"{number}", subject=subject, now=0)
        for number in range(50)
    ]
    data, _ = write_batch(one)
    assert data.count(b"d" * 100) == data.count(b"user:1") == 1


def test_keys_are_in_sorted_order():
    written = Writer(4).check(question(None, None, {"b": 1, "": 2, "bb": 3, "a": 4}, None, None))
    assert written is not None
    found = read_check(written, 4)
    assert found is not None and list(found.resource_properties or ()) == ["", "a", "b", "bb"]
    assert sorted(["", "a", "b", "bb"], key=lambda key: written.index(item_of(key))) == [
        *["", "a", "b", "bb"]
    ]


def item_of(key: str) -> bytes:
    """How the entry of a key begins."""
    return b"\n" + bytes([len(key)]) + key.encode() + b"\x12"


def test_deeper_than_the_stack_bears_is_left_to_protobuf():
    assert Writer(DEEPEST + 1).check(question(None, None, None, None, None)) is None
