"""What is read of the bytes of a request is what protobuf reads of them, or nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from taskman_authz import CheckRequest, wire
from taskman_authz._fast.messages import DEEPEST, Fields, Names, Wanted, read_batch, read_check
from taskman_authz.errors import RequestError
from taskman_authz.limits import Limits
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire.properties import read_properties

NAMES = ("subject", "action", "resource", "company_id")
LEFT_OUT = "left out"
PROPERTIES = ("subject", "action", "resource", "context")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
numbers = st.floats() | st.integers(-(2**70), 2**70).map(float)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
attributes = st.dictionaries(texts | st.sampled_from(["a", "c", "ä", "roles"]), values, max_size=5)


@st.composite
def messages(draw: Any) -> pb.CheckRequest:
    """What a client may send."""
    message = pb.CheckRequest(**{name: draw(texts) for name in NAMES if draw(st.booleans())})
    message.context.update(draw(st.dictionaries(texts, texts, max_size=3)))
    for name in PROPERTIES:
        if draw(st.booleans()):
            struct = getattr(message, f"{name}_properties")
            struct.SetInParent()
            struct.update(draw(attributes))
    return message


def by_protobuf(message: pb.CheckRequest, depth: int) -> dict[str, Any]:
    """The fields of a message. Raises RequestError where one cannot be read."""
    limits = Limits(property_depth=depth)
    read: dict[str, Any] = {name: getattr(message, name) for name in NAMES}
    read["context"] = sorted(message.context.items())
    for name in PROPERTIES:
        field = f"{name}_properties"
        sent = message.HasField(field)
        read[field] = read_properties(getattr(message, field), field, limits) if sent else None
    return read


def as_read(fields: Fields) -> dict[str, Any]:
    """The same of what was read here."""
    read: dict[str, Any] = {name: getattr(fields, name) for name in NAMES}
    read["context"] = list(fields.context.items())
    for name in PROPERTIES:
        read[f"{name}_properties"] = getattr(fields, f"{name}_properties")
    return read


def same(one: Any, other: Any) -> bool:
    """Equal with their types, their order, and what is not a number."""
    return repr(one) == repr(other)


@given(messages())
def test_what_a_client_sends_is_read_as_protobuf_reads_it(message):
    found = read_check(message.SerializeToString(), DEEPEST)
    assert found is not None
    assert same(as_read(found), by_protobuf(message, DEEPEST))


@given(st.lists(messages(), max_size=4))
def test_a_batch_is_read_item_by_item(items):
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    found = read_batch(data, DEEPEST, 4)
    assert found is not None
    assert same([as_read(f) for f in found], [by_protobuf(item, DEEPEST) for item in items])


# Few and many names, in lists and in dicts, one not in ASCII.
NAMED = Wanted(
    Names(("roles", "a"), [LEFT_OUT] * 2),
    Names(("a", "c", *"0123456789"), [LEFT_OUT] * 12),
    Names(("", "a")),
    Names(("c", "ä"), [LEFT_OUT] * 2),
)


def agrees(data: bytes, depth: int) -> None:
    found = read_check(data, depth)
    some = read_check(data, depth, NAMED)
    assert (found is None) == (some is None)
    if found is not None and some is not None:
        whole = as_read(found)
        assert same(whole, by_protobuf(pb.CheckRequest.FromString(data), depth))
        for name in PROPERTIES:
            field, wanted = f"{name}_properties", getattr(NAMED, name)
            if whole[field] is None:
                continue
            if wanted.blank is None:
                kept = {key: whole[field][key] for key in whole[field] if key in wanted.texts}
                whole[field] = kept
            else:
                whole[field] = [whole[field].get(text, LEFT_OUT) for text in wanted.texts]
        assert same(as_read(some), whole)


@given(messages())
def test_of_properties_that_are_not_wanted_nothing_is_made(message):
    agrees(message.SerializeToString(), DEEPEST)


@given(st.lists(messages(), max_size=3), messages())
def test_what_items_leave_out_is_that_of_the_defaults_a_name_with_its_properties(items, defaults):
    batch = pb.BatchCheckRequest(items=items, defaults=defaults)
    found = read_batch(batch.SerializeToString(), DEEPEST, 3)
    assert found is not None
    for fields, item in zip(found, items, strict=True):
        own, base = by_protobuf(item, DEEPEST), by_protobuf(defaults, DEEPEST)
        for name in PROPERTIES:
            if not own[name] and own[f"{name}_properties"] is None:
                own[name], own[f"{name}_properties"] = base[name], base[f"{name}_properties"]
        own["company_id"] = own["company_id"] or base["company_id"]
        assert same(as_read(fields), own)


def test_nobody_is_given_the_properties_of_somebody_else():
    defaults = pb.CheckRequest(subject="user:boss", action="t:read", company_id="acme")
    defaults.subject_properties["roles"] = ["admin"]
    other = pb.CheckRequest(subject="user:other", resource="t/1")
    nameless = pb.CheckRequest(resource="t/1")
    nameless.subject_properties["level"] = 1
    batch = pb.BatchCheckRequest(items=[other, nameless], defaults=defaults)
    data = batch.SerializeToString()
    found = read_batch(data, DEEPEST, 2)
    assert found is not None
    assert [(each.subject, each.subject_properties) for each in found] == [
        ("user:other", None),
        ("", {"level": 1}),
    ]
    assert [each.company_id for each in found] == ["acme", "acme"]
    # An unknown field: protobuf reads it.
    same_batch = wire.read_batch(data + b"\x7a\x00"), wire.read_batch(data)
    for asked, nobody in same_batch:
        assert isinstance(asked, CheckRequest) and isinstance(nobody, RequestError)
        assert (asked.subject_id, asked.roles, asked.company_id) == ("other", (), "acme")


@given(st.lists(messages(), max_size=3), messages())
def test_defaults_are_the_same_for_who_reads_by_protobuf(items, defaults):
    data = pb.BatchCheckRequest(items=items, defaults=defaults).SerializeToString()
    for ours, theirs in zip(
        wire.read_batch(data), wire.read_batch(data + b"\x7a\x00"), strict=True
    ):
        if isinstance(ours, RequestError) or isinstance(theirs, RequestError):
            assert str(ours) == str(theirs)
        else:
            assert same(replace(ours, now=0), replace(theirs, now=0))


def test_two_defaults_are_left_to_protobuf():
    assert read_batch(b"\x12\x00\x12\x00", DEEPEST, 2) is None


@given(messages(), st.integers(0, 4))
def test_what_is_deeper_than_it_may_be_is_not_read(message, depth):
    agrees(message.SerializeToString(), depth)


@given(messages(), st.data())
def test_bytes_that_were_changed_are_read_as_protobuf_reads_them_or_not_at_all(message, data):
    changed = bytearray(message.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed)))
        inserted = data.draw(st.binary(max_size=3))
        changed[place : place + data.draw(st.integers(0, 3))] = inserted
    agrees(bytes(changed), DEEPEST)


@given(st.binary(max_size=60))
@example(b"\x0a\x01")
@example(b"\x0a\xff\xff\xff\xff\x0f")
@example(b"\x0a\x02\xff\xff")
@example(b"\x0a\x01a\x0a\x01b")
@example(b"\x2a\x00\x2a\x00")
@example(b"\x2a\x07\x0a\x05\x0a\x01a\x12\x00")  # a value of no kind
@example(b"\x2a\x09\x0a\x07\x0a\x01a\x12\x02\x20\x02")  # a bool of two
@example(b"\x22\x03\x0a\x01a")  # an entry without a value
@example(b"\x50\x01")  # a field that nobody knows
def test_any_bytes_are_read_as_protobuf_reads_them_or_not_at_all(data):
    try:
        agrees(data, DEEPEST)
    except (DecodeError, RequestError) as error:
        raise AssertionError("what protobuf refuses was read") from error


def test_every_truncation_is_refused():
    message = pb.CheckRequest(subject="user:1", action="a:b", resource="t/1")
    message.subject_properties.update({"roles": ["a" * 200], "level": 3, "x": {"y": None}})
    data = message.SerializeToString()
    assert read_check(data, DEEPEST) is not None
    for end in range(len(data)):
        agrees(data[:end], DEEPEST)


def test_keys_are_in_sorted_order():
    message = pb.CheckRequest(context={"b": "1", "a": "2", "c": "3"})
    message.resource_properties.update({"b": 1, "a": {"z": 1, "y": 2}, "c": 3})
    found = read_check(message.SerializeToString(), DEEPEST)
    assert found is not None
    properties: Any = found.resource_properties
    assert list(found.context) == ["a", "b", "c"]
    assert list(properties) == ["a", "b", "c"]
    assert list(properties["a"]) == ["y", "z"]


def test_items_of_a_batch_with_the_same_subject_share_what_was_read():
    items = [pb.CheckRequest(resource=f"t/{n}") for n in range(3)]
    for number, item in enumerate(items):
        item.subject_properties.update({"roles": ["a"]})
        item.resource_properties.update({"n": number})
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    found: Any = read_batch(data, DEEPEST, 3)
    assert found[0].subject_properties is found[2].subject_properties
    assert [fields.resource_properties for fields in found] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_batch_of_too_many_is_left_to_who_says_so():
    data = pb.BatchCheckRequest(items=[pb.CheckRequest()] * 3).SerializeToString()
    assert len(read_batch(data, DEEPEST, 3)) == 3
    assert read_batch(data, DEEPEST, 2) is None


@pytest.mark.parametrize("depth", [DEEPEST + 1, 10**9])
def test_what_may_be_deeper_than_the_stack_bears_is_left_to_protobuf(depth):
    assert read_check(b"", depth) is None
    assert read_batch(b"", depth, 1) is None
