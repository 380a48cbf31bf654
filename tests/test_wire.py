"""Promises of the wire: the same request means the same on both sides, and nothing but a
`RequestError` that names a field comes of what cannot be read or written."""

from __future__ import annotations

import dataclasses
import enum
import math
import uuid
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, computed_field

from taskman_authz import wire
from taskman_authz._fast.values import UInt
from taskman_authz.decision import Decision, Reason
from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.request import CheckRequest, Entity, make_request
from taskman_authz.v1 import authorization_pb2 as pb

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NAME = st.text(st.characters(codec="utf-8", exclude_characters=":/"), min_size=1, max_size=12)
# Doubles without a fraction come back as ints: JSON does not tell 1.0 from 1.
FRACTION = st.floats(allow_nan=False).filter(lambda x: math.isinf(x) or x != int(x))
SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FRACTION | TEXT
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NOT_ATTRIBUTES = ("roles", "type", "id", "name")
ATTRIBUTES = st.dictionaries(TEXT.filter(lambda t: t not in NOT_ATTRIBUTES), VALUE, max_size=4)


def over(request: CheckRequest) -> CheckRequest:
    return wire.read_check(wire.write_check(request))


def attributes(value: Any) -> Any:
    """What arrives of a resource's attributes."""
    return over(make_request("user:1", "a:b", Entity("tasks", "1", value))).resource


@given(
    NAME, TEXT.filter(bool), ATTRIBUTES, st.lists(TEXT, max_size=3), ATTRIBUTES, NAME | st.none()
)
def test_a_request_arrives_as_it_was_sent(kind, id, properties, roles, context, company):
    sent = make_request(
        Entity(kind, id, {**properties, "roles": roles}),
        Entity("action", "tasks:edit", properties or None),  # no attributes are absent ones
        Entity(kind, id, properties or None),
        context,
        company,
    )
    came = over(sent)
    assert came.now >= sent.now
    assert msgspec.structs.replace(came, now=sent.now) == sent


@given(st.booleans(), st.lists(st.builds(Reason, TEXT, TEXT, TEXT), max_size=4), TEXT)
def test_a_decision_arrives_as_it_was_made(allowed, reasons, revision):
    decision = Decision(allowed, tuple(reasons), revision)
    assert wire.read_decision(wire.write_decision(decision)) == decision
    assert wire.read_decisions(wire.write_decisions([decision] * 2)) == [decision] * 2


@given(st.lists(st.builds(Decision, st.booleans(), st.just(()), st.sampled_from("abc"))))
def test_answers_that_are_equal_are_told_once_where_that_is_wanted(decisions):
    data = wire.write_decisions(decisions, distinct=True)
    assert wire.read_decisions(data) == decisions
    told = pb.BatchCheckResponse.FromString(data)
    assert len(told.results) == len(set(decisions))
    assert len(told.places) == len(decisions)


def test_a_reply_that_names_an_answer_that_is_not_there_is_none():
    with pytest.raises(ValueError):
        wire.read_decisions(pb.BatchCheckResponse(places=[0]).SerializeToString())


@pytest.mark.parametrize("more", [b"", b"\x7a\x00"], ids=["plain", "with an unknown field"])
@pytest.mark.parametrize("distinct", [False, True])
def test_who_wants_distinct_answers_says_so(distinct, more):
    batch = pb.BatchCheckRequest(items=[pb.CheckRequest()], distinct=distinct)
    data = batch.SerializeToString()
    assert wire.wants_distinct(data + more) is distinct
    assert wire.wants_distinct(more) is False
    assert wire.wants_distinct(data + b"\x18\x00") is False  # the last one counts
    with pytest.raises(RequestError):
        wire.wants_distinct(b"\x0a\x05")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_request_error(data):
    for read in (wire.read_check, wire.read_batch, wire.wants_distinct):
        try:
            read(data)
        except RequestError as error:
            assert error.field


@given(st.binary(max_size=200))
def test_no_reply_raises_anything_but_a_value_error(data):
    for read in (wire.read_decision, wire.read_decisions):
        try:
            read(data)
        except ValueError:
            pass


def test_the_documents_fields_have_the_documents_numbers():
    request = pb.CheckRequest.DESCRIPTOR.fields_by_name
    numbers = [request[name].number for name in ("subject", "action", "resource", "context")]
    assert numbers == [1, 2, 3, 4]
    response = pb.CheckResponse.DESCRIPTOR.fields_by_name
    assert [response[name].number for name in ("allowed", "reasons")] == [1, 2]


def test_reasons_are_the_sentences_of_the_details():
    decision = Decision(True, (Reason("allowed_by_policy", "p", "policy `p` allows it"),), "r")
    message = pb.CheckResponse.FromString(wire.write_decision(decision))
    assert list(message.reasons) == ["policy `p` allows it"]


def test_integral_doubles_within_64_bits_are_ints_and_others_are_doubles():
    message = pb.CheckRequest(subject="user:1", action="a:b", resource="tasks/1")
    message.resource_properties.update(
        {"a": 3, "b": 3.5, "c": -(2.0**63), "d": 2.0**63, "e": math.inf, "f": -0.0}
    )
    found = wire.read_check(message.SerializeToString()).resource
    assert found == {"a": 3, "b": 3.5, "c": -(2**63), "d": 2.0**63, "e": math.inf, "f": 0}
    assert [type(found[name]) for name in "abcdef"] == [int, float, int, float, float, int]


def test_keys_are_read_in_sorted_order():
    names = [f"key{i}" for i in range(40)]
    assert list(attributes(dict.fromkeys(reversed(names), 1))) == sorted(names)


def test_the_documents_context_and_context_properties_are_one_context():
    message = pb.CheckRequest(
        subject="user:1", action="a:b", resource="tasks/1", context={"department": "engineering"}
    )
    message.context_properties.update({"level": 3})
    found = wire.read_check(message.SerializeToString()).context
    assert found == {"department": "engineering", "level": 3}


def test_a_context_key_given_twice_is_refused():
    message = pb.CheckRequest(
        subject="user:1", action="a:b", resource="tasks/1", context={"department": "engineering"}
    )
    message.context_properties.update({"department": "sales"})
    with pytest.raises(RequestError, match="^context_properties: "):
        wire.read_check(message.SerializeToString())


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "user"}, "subject"),
        ({"subject": ":1"}, "subject.type"),
        ({"subject": "user:"}, "subject.id"),
        ({"action": ""}, "action"),
        ({"resource": "tasks:1"}, "resource"),
        ({"resource": "/1"}, "resource.type"),
        ({"resource": "tasks/" + "x" * 2_000}, "resource.id"),
        ({"subject_properties": {"roles": "developer"}}, "subject.roles"),
        ({"subject_properties": {"roles": [7]}}, "subject.roles[0]"),
    ],
)
def test_a_bad_field_is_named_and_its_value_is_not_told(fields, place):
    good = {"subject": "user:1", "action": "a:b", "resource": "tasks/1"}
    with pytest.raises(RequestError) as caught:
        wire.read_check(pb.CheckRequest(**{**good, **fields}).SerializeToString())
    assert caught.value.field == place
    assert "developer" not in str(caught.value) and "xxx" not in str(caught.value)


def test_a_value_of_no_kind_is_refused():
    message = pb.CheckRequest(subject="user:1", action="a:b", resource="tasks/1")
    message.resource_properties.fields["a"].SetInParent()
    with pytest.raises(RequestError, match="^resource_properties: holds a value of no kind"):
        wire.read_check(message.SerializeToString())


@pytest.mark.parametrize("wrap", [lambda v: {"a": v}, lambda v: [v]], ids=["maps", "lists"])
def test_depth_is_bounded_on_both_sides_at_the_same_level(wrap):
    deepest: Any = 1
    for _ in range(DEFAULT.property_depth - 1):
        deepest = wrap(deepest)
    assert attributes({"a": deepest}) == {"a": deepest}
    with pytest.raises(RequestError, match="resource: deeper than 32 levels"):
        attributes({"a": wrap(deepest)})
    loose = Limits(property_depth=33)
    data = wire.write_check(
        make_request("user:1", "a:b", Entity("tasks", "1", {"a": wrap(deepest)})), loose
    )
    with pytest.raises(RequestError, match="resource_properties: deeper than 32 levels|^message: "):
        wire.read_check(data)


def test_an_object_that_contains_itself_is_refused():
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(RequestError, match="deeper than"):
        attributes(loop)


def test_a_message_longer_than_the_limit_is_refused_unread():
    with pytest.raises(RequestError, match="message: longer than 10 bytes"):
        wire.read_check(b"\xff" * 11, Limits(message_bytes=10))
    request = make_request("user:1", "a:b", Entity("tasks", "1", {"a": "x" * 100}))
    with pytest.raises(RequestError, match="message: longer than 100 bytes"):
        wire.write_check(request, Limits(message_bytes=100))


def test_a_batch_longer_than_the_limit_is_refused():
    request = make_request("user:1", "a:b", "tasks/1")
    data, _ = wire.write_batch([request] * 3)
    with pytest.raises(RequestError, match="items: more than 2 items"):
        wire.read_batch(data, Limits(batch_size=2))
    with pytest.raises(RequestError, match="items: more than 2 items"):
        wire.write_batch([request] * 3, Limits(batch_size=2))


def test_a_bad_item_of_a_batch_leaves_the_others_alone():
    good = pb.CheckRequest(subject="user:1", action="a:b", resource="tasks/1")
    bad = pb.CheckRequest(subject="user:1", action="a:b", resource="tasks")
    batch = pb.BatchCheckRequest(items=[good, bad, good])
    first, second, third = wire.read_batch(batch.SerializeToString())
    assert isinstance(second, RequestError) and second.field == "resource"
    assert first == third  # stamped with one time, too


def test_a_batch_is_written_without_the_items_that_cannot_be():
    good = make_request("user:1", "a:b", "tasks/1")
    bad = make_request("user:1", "a:b", Entity("tasks", "1", {"a": object()}))
    data, errors = wire.write_batch([good, bad, RequestError("x", "y"), good])
    assert [error and error.field for error in errors] == [None, "resource.a", "x", None]
    assert len(wire.read_batch(data)) == 2


@dataclasses.dataclass
class Owned:
    owner: str
    _secret: str = "hidden"

    @property
    def is_mine(self) -> bool:
        return self.owner == "dev"


class Task(BaseModel):
    model_config = ConfigDict(extra="allow")
    owner: str
    parent: Owned | None = None

    @computed_field
    @property
    def length(self) -> int:
        return len(self.owner)

    @cached_property
    def initial(self) -> str:
        return self.owner[0]


class Row(msgspec.Struct):
    owner: str


class Colour(enum.Enum):
    RED = "red"


def test_attributes_are_what_a_class_declares():
    assert attributes(Owned("dev")) == {"owner": "dev", "is_mine": True}
    assert attributes(Row("dev")) == {"owner": "dev"}
    task = Task(owner="dev", parent=Owned("ann"), more=[1])
    assert attributes(task) == {
        "owner": "dev",
        "parent": {"owner": "ann", "is_mine": False},
        "length": 3,
        "initial": "d",
        "more": [1],
    }


def test_relatives_of_plain_values_arrive_as_the_core_takes_them():
    number = uuid.UUID(int=7)
    sent = {"a": Colour.RED, "b": number, "c": {"y", "x"}, "d": (1, 2), "e": [], "f": {}}
    expected = {"a": "red", "b": str(number), "c": ["x", "y"], "d": [1, 2], "e": [], "f": {}}
    assert attributes(sent) == expected


def test_roles_that_an_object_computes_are_sent():
    @dataclasses.dataclass
    class Person:
        type: str = "user"
        id: str = "1"
        roles = ("developer",)  # no field

    assert over(make_request(Person(), "a:b", "tasks/1")).roles == ("developer",)


@pytest.mark.parametrize(
    ("value", "place", "why"),
    [
        ({"a": {"b": datetime.now(UTC)}}, "resource.a.b", "a value of type datetime"),
        ({"a": [1, b"x"]}, "resource.a[1]", "a value of type bytes"),
        ({"a": UInt(3)}, "resource.a", "a value of type UInt"),
        ({"a": 2**53 + 1}, "resource.a", "an integer that a double cannot hold"),
        ({"a": 2**63}, "resource.a", "an integer that a double cannot hold"),
        ({"a": 10**400}, "resource.a", "an integer that a double cannot hold"),
        ({1: 2}, "resource", "expected names that are strings"),
        ({"a": "\ud800"}, "resource", "UTF-8"),
        ({"\ud800": "a"}, "resource", "UTF-8"),
        (object(), "resource", "a value of type object"),
    ],
)
def test_what_the_wire_cannot_carry_is_refused_where_it_is_written(value, place, why):
    with pytest.raises(RequestError) as caught:
        attributes(value)
    assert caught.value.field == place
    assert why in caught.value.message


def test_an_empty_company_is_refused_because_it_would_arrive_as_none():
    with pytest.raises(RequestError, match="^company_id: "):
        over(make_request("user:1", "a:b", "tasks/1", company_id=""))


@pytest.mark.parametrize(
    ("subject", "resource", "place"),
    [
        (Entity("a:b", "1"), "tasks/1", "subject.type"),
        ("user:1", Entity("a/b", "1"), "resource.type"),
        (Entity("user", "\ud800"), "tasks/1", "subject"),
        ("user:1", Entity("tasks", "\ud800"), "resource"),
    ],
)
def test_a_name_that_would_arrive_as_another_is_refused(subject, resource, place):
    with pytest.raises(RequestError) as caught:
        over(make_request(subject, "a:b", resource))
    assert caught.value.field == place


@dataclasses.dataclass
class Unloaded:
    """Has a property that fails."""

    title: str = "t"

    @property
    def owner(self) -> str:
        raise AttributeError("secret")


def test_a_property_that_fails_is_named_and_spoils_its_own_item_only():
    request = make_request("user:1", "a:b", Entity("tasks", "1", {"task": Unloaded()}))
    with pytest.raises(RequestError, match=r"resource\.task\.owner: cannot be read") as raised:
        wire.write_check(request)
    assert "secret" not in str(raised.value)
    good = make_request("user:1", "a:b", "tasks/1")
    data, errors = wire.write_batch([good, request, good])
    assert [error is None for error in errors] == [True, False, True]
    assert len(wire.read_batch(data)) == 2


def test_a_mapping_that_fails_is_a_request_error():
    class Lazy(dict[str, Any]):
        def items(self) -> Any:
            raise ConnectionError("secret")

    with pytest.raises(RequestError, match="context: cannot be read"):
        wire.write_check(make_request("user:1", "a:b", "tasks/1", Lazy(a=1)))
