"""Messages are equal field by field; NaN equals nothing; an Any is what it holds."""

from __future__ import annotations

import pytest

from tests.cel.protobuf.shop import FILES, Item, Order, env, value

ITEM = b"\x0a\x01s\x10\x02"  # sku: s, count: 2
ITEM_TURNED = b"\x10\x02\x0a\x01s"
UNKNOWN = b"\xa2\x06\x03abc"  # field 100


def packed(url: str, data: bytes) -> Order:
    order = Order()
    order.payload.type_url, order.payload.value = url, data
    return order


def item(data: bytes) -> Item:
    return Item.FromString(data)


def equal(one: object, other: object) -> object:
    left, right = value("x == y", {"x": one, "y": other}), value("y == x", {"x": one, "y": other})
    assert left is right
    assert value("x != y", {"x": one, "y": other}) is not left
    return left


@pytest.mark.parametrize(
    "text",
    [
        "Order{}",
        "Order{id: 'a', items: [Item{sku: 'x'}], tags: {'p': 1, 'q': 2}, rank: 0}",
        "Order{slots: {1: Item{count: 1u}}, payload: Item{}, extra: {'a': [1]}}",
        "legacy.Base{`shop.legacy.weight`: 1}",
        "Order{ratio: double('inf'), placed: timestamp(1)}",
    ],
)
def test_the_same_literals_are_equal(text: str) -> None:
    assert value(f"{text} == {text}") is True
    assert value(f"{text} in [{text}]") is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order{}", "Order{rank: 0}"),
        ("Order{}", "Order{customer: Customer{}}"),
        ("Order{id: 'a'}", "Order{id: 'b'}"),
        ("Order{id: 'a'}", "Order{small: 1}"),
        ("Order{items: [Item{}]}", "Order{items: [Item{}, Item{}]}"),
        ("Order{history: [1, 2]}", "Order{history: [2, 1]}"),
        ("Order{tags: {'a': 1}}", "Order{tags: {'b': 1}}"),
        ("Order{tags: {'a': 1}}", "Order{tags: {'a': 2}}"),
        ("Order{slots: {1: Item{}}}", "Order{slots: {1: Item{sku: 'x'}}}"),
        ("Order{cash: false}", "Order{card: ''}"),
        ("legacy.Base{count: 7}", "legacy.Base{}"),
        ("Order{payload: Item{sku: 'a'}}", "Order{payload: Item{}}"),
        ("Order{payload: Item{}}", "Order{payload: Customer{}}"),
        ("dyn(Order{})", "Item{}"),
        ("dyn(Order{})", "null"),
        ("dyn(Order{})", "{}"),
        ("dyn([Order{}])", "[1]"),
    ],
)
def test_messages_that_differ_in_a_field_are_not(one: str, other: str) -> None:
    assert value(f"{one} == {other}") is False
    assert value(f"{other} == {one}") is False


@pytest.mark.parametrize(
    "text",
    [
        "Order{ratio: double('nan')}",
        "Order{items: [Item{price: double('nan')}]}",
        "Order{payload: double('nan')}",
        "Order{slots: {1: Item{weight: double('nan')}}}",
    ],
)
def test_nan_equals_nothing(text: str) -> None:
    assert value(f"{text} == {text}") is False
    made = value(text)
    assert equal(made, made) is False


def test_unknown_fields_count() -> None:
    assert equal(item(ITEM + UNKNOWN), item(ITEM_TURNED + UNKNOWN)) is True
    assert equal(item(ITEM + UNKNOWN), item(ITEM)) is False
    assert equal(item(ITEM + UNKNOWN), item(ITEM + UNKNOWN[:-1] + b"d")) is False
    # A group among them, and the order of fields of different numbers.
    group = b"\xa3\x06\x08\x01\xa4\x06"
    assert equal(item(group + b"\xa8\x06\x01"), item(b"\xa8\x06\x01" + group)) is True
    assert equal(item(group), item(b"\xa3\x06\x08\x02\xa4\x06")) is False


def test_any_is_compared_by_what_it_holds() -> None:
    url = "type.googleapis.com/shop.Item"
    assert equal(packed(url, ITEM), packed(url, ITEM_TURNED)) is True
    assert equal(packed(url, ITEM), packed("other.host/shop.Item", ITEM_TURNED)) is True
    assert equal(packed(url, ITEM), packed(url, b"")) is False


def test_any_of_unknown_type_is_compared_by_its_bytes() -> None:
    for url in ("", "type.googleapis.com/shop.Nothing"):
        assert equal(packed(url, ITEM), packed(url, ITEM)) is True
        assert equal(packed(url, ITEM), packed(url, ITEM_TURNED)) is False
    url = "type.googleapis.com/shop.Item"
    assert equal(packed(url, b"\xff"), packed(url, b"\xff")) is True
    assert equal(packed(url, b"\xff"), packed(url, ITEM)) is False


def test_messages_of_two_pools_are_compared_alike() -> None:
    other = env(messages=[FILES])
    order = Order(id="a", items=[Item(sku="s")], tags={"t": 1})
    text = "o == Order{id: 'a', items: [Item{sku: 's'}], tags: {'t': 1}}"
    assert value(text, {"o": order}, other) is True
    assert value(text, {"o": Order(id="a")}, other) is False
