"""What holds for every message: reading never raises, literals say what was read, equality is
that of the bytes but for NaN."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import cel
from taskman_authz.errors import EvaluationError
from tests.cel.protobuf.shop import ENV, STRONG, Base, Customer, Item, Order, value

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
FLOAT = st.floats(width=32)
TEXT = st.text(max_size=5)
ITEMS = st.builds(Item, sku=TEXT, count=UINT32, weight=FLOAT, price=st.floats())
ORDERS = st.builds(
    Order,
    id=TEXT,
    customer=st.none() | st.builds(Customer, name=TEXT, id=INT64),
    items=st.lists(ITEMS, max_size=3),
    status=INT32,
    tags=st.dictionaries(TEXT, INT64, max_size=3),
    digest=st.binary(max_size=5),
    total=UINT64,
    rank=st.none() | INT32,
    card=st.none() | TEXT,
    slots=st.dictionaries(INT32, ITEMS, max_size=2),
    quotas=st.dictionaries(UINT64, UINT32, max_size=2),
    history=st.lists(INT32, max_size=3),
    ratio=st.floats(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

FIELDS = [field.name for field in Order.DESCRIPTOR.fields]
READS = {name: ENV.compile(f"o.{name}") for name in FIELDS}
EVERYTHING = {  # of every kind of message: each field read, and asked for
    kind: [
        within.compile(text, check=False)
        for within in (ENV, STRONG)
        for field in kind.DESCRIPTOR.fields
        for text in (f"x.{field.name}", f"has(x.{field.name})")
    ]
    for kind in (Order, Base, Item)
}
SAME = ENV.compile("x == y")
REBUILD = ENV.compile("Order{" + ", ".join(f"{name}: o.{name}" for name in FIELDS[:5]) + "}")


def holds_nan(message: Any) -> bool:
    values = [message.ratio]
    for item in [*message.items, *message.slots.values()]:
        values += [item.weight, item.price]
    return any(map(math.isnan, values))


@given(ORDERS)
def test_a_message_of_a_class_is_read_field_by_field(order: Any) -> None:
    for name in FIELDS:
        field = Order.DESCRIPTOR.fields_by_name[name]
        if field.is_repeated or field.message_type is not None or field.enum_type is not None:
            continue
        found, raw = READS[name].evaluate({"o": order}), getattr(order, name)
        assert found == raw or (math.isnan(found) and math.isnan(raw))
    items = READS["items"].evaluate({"o": order})
    assert [item.SerializeToString() for item in items] == [
        item.SerializeToString() for item in order.items
    ]
    assert READS["tags"].evaluate({"o": order}) == dict(order.tags)


@given(ORDERS, ORDERS)
def test_messages_are_equal_as_their_bytes_are(one: Any, other: Any) -> None:
    def data(message: Any) -> bytes:
        return bytes(message.SerializeToString(deterministic=True))

    again = Order.FromString(one.SerializeToString())
    assert SAME.evaluate({"x": one, "y": again}) is not holds_nan(one)
    if not holds_nan(one) and not holds_nan(other):
        assert SAME.evaluate({"x": one, "y": other}) is (data(one) == data(other))


@given(ORDERS)
def test_a_literal_of_what_was_read_is_the_message(order: Any) -> None:
    made = REBUILD.evaluate({"o": order})
    for name in FIELDS[:5]:
        one, other = Order(), Order()
        for target, source in ((one, made), (other, order)):
            target.CopyFrom(source)
            for rest in FIELDS:
                if rest != name:
                    target.ClearField(rest)
        if name == "customer":  # an unset message reads as an empty one, which is set
            other.customer.SetInParent()
        deterministic = {"deterministic": True}
        assert one.SerializeToString(**deterministic) == other.SerializeToString(**deterministic)


@given(st.binary(max_size=60), st.sampled_from(list(EVERYTHING)))
def test_whatever_can_be_parsed_can_be_read(data: bytes, kind: Any) -> None:
    try:
        message = kind.FromString(data)
    except DecodeError:
        return
    for program in EVERYTHING[kind]:
        try:
            program.evaluate({"x": message})
        except EvaluationError:
            pass
    assert SAME.evaluate({"x": message, "y": message}) in (True, False)


@given(JSON)
def test_json_comes_back_from_a_value(document: Any) -> None:
    found = value("google.protobuf.Value{list_value: [x]}", {"x": document})
    assert json.dumps(found, sort_keys=True) == json.dumps([document], sort_keys=True)


@given(JSON)
def test_a_value_is_read_as_protobuf_reads_it(document: Any) -> None:
    message = struct_pb2.ListValue()
    message.extend([document])
    assert cel.evaluate("x", {"x": message}) == MessageToDict(message)


@pytest.mark.parametrize(
    ("field", "low", "high", "mark"),
    [
        ("Order{small: x}.small", -(2**31), 2**31 - 1, int),
        ("Item{count: x}.count", 0, 2**32 - 1, cel.UInt),
        ("Order{status: x}.status", -(2**31), 2**31 - 1, int),
        ("Order{limits: [x]}.limits[0]", 0, 2**32 - 1, cel.UInt),
    ],
)
@given(number=st.integers(-(2**34), 2**34) | st.sampled_from([2**31, 2**32, -(2**31) - 1]))
def test_ranges_are_exact(field: str, low: int, high: int, mark: type, number: int) -> None:
    if mark is cel.UInt and number < 0:
        return
    program = ENV.compile(field)
    if low <= number <= high:
        assert program.evaluate({"x": mark(number)}) == number
    else:
        with pytest.raises(EvaluationError) as caught:
            program.evaluate({"x": mark(number)})
        assert caught.value.code == "overflow"


@given(FLOAT | st.floats())
def test_a_float_field_holds_the_nearest_float(number: float) -> None:
    found = value("Item{weight: x}.weight", {"x": number})
    assert found == Item(weight=number).weight or math.isnan(number)
