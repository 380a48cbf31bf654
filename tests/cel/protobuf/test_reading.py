"""Messages as inputs: fields, presence, defaults and the messages that are something else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf import struct_pb2, wrappers_pb2

from taskman_authz import cel
from taskman_authz.errors import CompileError
from tests.cel.protobuf.shop import (
    ENV,
    FILES,
    Base,
    Customer,
    Item,
    Order,
    env,
    error_code,
    message_class,
    value,
)

FULL = Order(
    id="o-1",
    customer=Customer(name="ann", id=7),
    items=[Item(sku="a", count=2, weight=0.5, price=1.25), Item(sku="b")],
    status=1,
    tags={"red": 1, "blue": -2},
    digest=b"\x00\xff",
    total=2**64 - 1,
    rank=0,
    card="visa",
    slots={3: Item(sku="c")},
    quotas={5: 6},
    history=[0, 2, 9],
)
FULL.placed.FromDatetime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
FULL.wait.FromTimedelta(timedelta(seconds=-1.5))
FULL.extra.list_value.extend([1, None, {"a": True}])
FULL.facts.update({"n": 1, "deep": {"x": [1.5]}})
FULL.notes.extend(["a", None])
FULL.limit.value = 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o.id", "o-1"),
        ("o.customer.name", "ann"),
        ("o.items[0].sku + o.items[1].sku", "ab"),
        ("o.items.map(i, i.count)", [cel.UInt(2), cel.UInt(0)]),
        ("o.items[0].weight + o.items[0].price", 1.75),
        ("o.tags", {"red": 1, "blue": -2}),
        ("o.tags.red", 1),
        ("o.slots[3].sku", "c"),
        ("o.slots[dyn(3u)].sku", "c"),
        ("o.quotas", {cel.UInt(5): cel.UInt(6)}),
        ("o.digest", b"\x00\xff"),
        ("o.total", cel.UInt(2**64 - 1)),
        ("o.status", 1),
        ("o.history", [0, 2, 9]),
        ("o.placed", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("o.wait", timedelta(seconds=-1.5)),
        ("o.placed + o.wait", datetime(2026, 1, 2, 3, 4, 3, 500_000, tzinfo=UTC)),
        ("o.extra", [1.0, None, {"a": True}]),
        ("o.facts", {"n": 1.0, "deep": {"x": [1.5]}}),
        ("o.facts.deep.x[0]", 1.5),
        ("o.notes", ["a", None]),
        ("o.limit + 1", 6),
        ("o.card", "visa"),
        ("o.cash", False),
    ],
)
def test_fields_read_as_values_of_the_language(text: str, expected: object) -> None:
    found = value(text, {"o": FULL})
    assert found == expected
    assert type(found) is type(expected) or not isinstance(expected, (int, float, str, list, dict))


def test_uints_stay_uints() -> None:
    assert all(type(n) is cel.UInt for n in value("o.items.map(i, i.count)", {"o": FULL}))
    assert type(value("o.total", {"o": FULL})) is cel.UInt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o.id", ""),
        ("o.customer.name", ""),
        ("o.parent.parent.parent.customer.id", 0),
        ("o.items", []),
        ("o.tags", {}),
        ("o.status", 0),
        ("o.placed", datetime(1970, 1, 1, tzinfo=UTC)),
        ("o.wait", timedelta()),
        ("o.extra", None),
        ("o.facts", {}),
        ("o.notes", []),
        ("o.limit", None),
        ("o.nothing", None),
        ("o.rank", 0),
        ("b.count", 7),
        ("b.kind", 1),
        ("b.detail.text", ""),
        ("b.`shop.legacy.weight`", 0),
        ("b.`shop.legacy.labels`", []),
        ("b.`shop.legacy.inner`.count", 7),
    ],
)
def test_unset_fields_read_as_their_default(text: str, expected: object) -> None:
    assert value(text, {"o": Order(), "b": Base()}) == expected


def test_unset_message_is_an_empty_message() -> None:
    assert value("o.customer == Customer{}", {"o": Order()}) is True
    assert value("o.customer", {"o": Order()}) == Customer()


@pytest.mark.parametrize(
    "text",
    "o.id o.customer o.items o.status o.tags o.placed o.extra o.facts o.limit o.rank o.card "
    "o.digest o.total o.history o.slots b.count b.kind b.detail b.`shop.legacy.weight` "
    "b.`shop.legacy.labels` b.`shop.legacy.inner` b.`shop.legacy.Scope.flag`".split(),
)
def test_has_says_whether_a_field_is_set(text: str) -> None:
    base = Base(count=7, kind=1)
    base.detail.SetInParent()
    pool = base.DESCRIPTOR.file.pool
    for name, set_to in (("weight", 0), ("Scope.flag", False)):
        base.Extensions[pool.FindExtensionByName(f"shop.legacy.{name}")] = set_to
    base.Extensions[pool.FindExtensionByName("shop.legacy.labels")].append("")
    base.Extensions[pool.FindExtensionByName("shop.legacy.inner")].SetInParent()
    assert value(f"has({text})", {"o": FULL, "b": base}) is True
    assert value(f"has({text})", {"o": Order(), "b": Base()}) is False


def test_field_without_presence_is_set_when_it_is_not_the_default() -> None:
    assert value("has(o.small)", {"o": Order(small=0)}) is False
    assert value("has(o.rank)", {"o": Order(rank=0)}) is True
    assert value("has(o.ratio)", {"o": Order(ratio=0.0)}) is False
    assert value("has(o.ratio)", {"o": Order(ratio=-0.0)}) is True


def test_one_of_a_oneof_is_set() -> None:
    order = Order(cash=False)
    assert value("[has(o.cash), has(o.card)]", {"o": order}) == [True, False]


def test_unknown_field_is_an_error() -> None:
    assert error_code("o.nope", {"o": FULL}) == "undefined_field"
    assert error_code("o.nope", {"o": FULL}, check=False) == "no_such_field"
    assert error_code("has(o.nope)", {"o": FULL}, check=False) == "no_such_field"
    # An extension of another message, and one that nobody knows.
    assert error_code("o.`shop.legacy.weight`", {"o": FULL}, check=False) == "no_such_field"
    assert error_code("b.`shop.legacy.nope`", {"b": Base()}, check=False) == "no_such_field"


def test_messages_are_no_maps() -> None:
    for text in ("x['id']", "'id' in x", "x.all(k, true)", "size(x)", "x + x", "x < x"):
        assert error_code(text, {"x": FULL}) == "no_such_overload", text


def test_wrappers_read_as_what_they_hold() -> None:
    wrapped = [
        (wrappers_pb2.BoolValue(value=True), True),
        (wrappers_pb2.UInt32Value(value=3), cel.UInt(3)),
        (wrappers_pb2.StringValue(), ""),
        (struct_pb2.Value(), None),
        (struct_pb2.Value(number_value=2), 2.0),
    ]
    for message, expected in wrapped:
        found = cel.evaluate("x", {"x": message})
        assert found == expected and type(found) is type(expected)


def test_any_reads_as_what_it_holds() -> None:
    order = Order()
    order.payload.Pack(Item(sku="q"))
    assert value("o.payload.sku", {"o": order}) == "q"
    order.payload.Pack(wrappers_pb2.Int64Value(value=4))
    assert value("o.payload + 1", {"o": order}) == 5
    inner = Order().payload
    inner.Pack(Item(sku="deep"))
    order.payload.Pack(inner)
    assert value("o.payload.sku", {"o": order}) == "deep"


def test_any_that_cannot_be_read_is_an_error() -> None:
    order = Order()
    assert error_code("o.payload", {"o": order}) == "unknown_message"
    order.payload.type_url = "type.googleapis.com/shop.Nothing"
    assert error_code("o.payload", {"o": order}) == "unknown_message"
    order.payload.type_url, order.payload.value = "type.googleapis.com/shop.Item", b"\xff"
    assert error_code("o.payload", {"o": order}) == "invalid_message"
    order.parts.add().Pack(Item(sku="good"))
    order.parts.add()
    assert value("o.parts.exists(p, p.sku == 'good')", {"o": order}) is True
    assert error_code("o.parts.all(p, p.sku == 'good')", {"o": order}) == "unknown_message"


def test_any_nested_without_end_is_read_without_recursion() -> None:
    packed = Order().payload
    packed.Pack(Item(sku="core"))
    for _ in range(3_000):
        outer = type(packed)()
        outer.Pack(packed)
        packed = outer
    assert value("o.payload.sku", {"o": Order(payload=packed)}) == "core"


def test_struct_nested_beyond_reason_is_an_error_and_no_crash() -> None:
    order = Order()
    inner = order.extra
    for _ in range(2_000):  # by hand: bytes nested this deep are refused by protobuf itself
        inner = inner.list_value.values.add()
    assert error_code("o.extra == null", {"o": order}) == "limit_exceeded"
    assert error_code("o == x", {"o": order, "x": order}) == "limit_exceeded"
    assert error_code("x", {"x": order.extra}) == "limit_exceeded"


def test_time_out_of_range_is_an_error() -> None:
    order = Order()
    order.placed.seconds = 10**15
    assert error_code("o.placed", {"o": order}) == "overflow"


@pytest.mark.parametrize(
    ("path", "given"),
    [("x", FULL), ("x[0]", [FULL]), ("x.m", {"m": FULL}), ("x[0].m", [{"m": FULL}])],
)
def test_message_needs_no_declaration(path: str, given: object) -> None:
    assert cel.evaluate(f"{path}.customer.id + 1", {"x": given}) == 8
    assert cel.evaluate(f"has({path}.customer)", {"x": given}) is True
    assert str(cel.evaluate(f"type({path})", {"x": given})) == "shop.Order"


def test_messages_of_another_pool_are_read_alike() -> None:
    """The environment's descriptors and the message's are different objects."""
    other = cel.Env({"o": "shop.Order", "b": "shop.legacy.Base"}, messages=[FILES])
    base = Base()
    weight = base.DESCRIPTOR.file.pool.FindExtensionByName("shop.legacy.weight")
    base.Extensions[weight] = 4
    assert value("o.items[0] == shop.Item{sku: 'a', count: 2u, weight: 0.5, price: 1.25}",
                 {"o": FULL}, other) is True  # fmt: skip
    assert value("b.`shop.legacy.weight`", {"b": base}, other) == 4
    assert value("shop.Order{customer: o.customer}.customer.name", {"o": FULL}, other) == "ann"


def test_type_of_a_message_is_its_name() -> None:
    assert value("type(o) == Order && type(o) != Item", {"o": FULL}) is True
    assert str(value("type(o.customer)", {"o": FULL})) == "shop.Customer"


def test_types_are_deduced_from_descriptors() -> None:
    expected = {
        "o.id": "string",
        "o.items": "list(shop.Item)",
        "o.tags": "map(string, int)",
        "o.quotas": "map(uint, uint)",
        "o.status": "int",
        "o.limit": "wrapper(int)",
        "o.extra": "dyn",
        "o.facts": "map(string, dyn)",
        "o.payload": "google.protobuf.Any",
        "o.placed": "google.protobuf.Timestamp",
        "b.detail": "shop.legacy.Base.Detail",
        "b.`shop.legacy.labels`": "list(string)",
    }
    assert {text: str(ENV.check(text).type) for text in expected} == expected


def test_a_class_types_a_variable() -> None:
    named = cel.Env({"o": Order, "c": message_class("google.protobuf.Int64Value")})
    assert str(named.check("o.customer").type) == "shop.Customer"
    assert str(named.check("c").type) == "wrapper(int)"
    assert value("o.customer == shop.Customer{name: 'ann', id: 7}", {"o": FULL}, named) is True


def test_misspelt_names_are_suggested() -> None:
    cases = {
        "o.custoner": "did you mean `customer`?",
        "Oder{}": "did you mean `Order`?",
        "Order{custoner: null}": "did you mean `customer`?",
    }
    for text, hint in cases.items():
        with pytest.raises(CompileError) as caught:
            env().check(text)
        assert [issue.hint for issue in caught.value.issues] == [hint]
