"""Message literals: what a field takes, what it refuses, and what a caller is given."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import MessageToDict

from taskman_authz import cel
from taskman_authz.cel import ext
from taskman_authz.errors import CompileError
from tests.cel.protobuf.shop import ENV, Base, Item, Order, env, error_code, value


@pytest.mark.parametrize(
    ("fields", "json"),
    [
        ("", {}),
        ("id: 'a'", {"id": "a"}),
        ("customer: Customer{name: 'b'}", {"customer": {"name": "b"}}),
        ("items: [Item{sku: 'c'}, Item{}]", {"items": [{"sku": "c"}, {}]}),
        ("status: Status.SHIPPED", {"status": "SHIPPED"}),
        ("status: 99", {"status": 99}),
        ("tags: {'x': 1}", {"tags": {"x": "1"}}),
        ("slots: {1: Item{count: 2u}}", {"slots": {"1": {"count": 2}}}),
        ("quotas: {1u: 4294967295u}", {"quotas": {"1": 4294967295}}),
        ("placed: timestamp('2026-01-02T03:04:05.5Z')", {"placed": "2026-01-02T03:04:05.500Z"}),
        ("wait: duration('-1.5s')", {"wait": "-1.500s"}),
        ("limit: 0", {"limit": "0"}),
        ("limits: [1u, 2u]", {"limits": [1, 2]}),
        ("rank: 0", {"rank": 0}),
        ("small: 0", {}),
        ("card: 'v', cash: true", {"cash": True}),
        ("nothing: null", {}),
        ("nothing: google.protobuf.NullValue.NULL_VALUE", {}),
        ("customer: null, placed: null, limit: null", {}),
        ("mask: google.protobuf.FieldMask{paths: ['a_b']}", {"mask": "aB"}),
        ("history: [Status.PAID, 7]", {"history": ["PAID", 7]}),
    ],
)
def test_fields_take_values_of_their_type(fields: str, json: object) -> None:
    assert MessageToDict(value(f"Order{{{fields}}}")) == json


@pytest.mark.parametrize(
    ("written", "json"),
    [
        ("null", None),
        ("true", True),
        ("1", 1.0),
        ("9007199254740991", 9007199254740991.0),
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("18446744073709551615u", "18446744073709551615"),
        ("1.5", 1.5),
        ("double('nan')", "NaN"),
        ("-double('inf')", "-Infinity"),
        ("b'\\xff'", "/w=="),
        ("[1, ['a', null]]", [1.0, ["a", None]]),
        ("{'a': {'b': 1u}}", {"a": {"b": 1.0}}),
        ("timestamp(0)", "1970-01-01T00:00:00Z"),
        ("duration('1.5s')", "1.500s"),
        ("google.protobuf.FieldMask{paths: ['foo_bar', 'x']}", "fooBar,x"),
        ("google.protobuf.Empty{}", {}),
        ("Item{sku: 's', count: 2u}", {"sku": "s", "count": 2.0}),
        ("[Item{}]", [{}]),
        ("google.protobuf.Int64Value{value: 3}", 3.0),
    ],
)
def test_value_takes_whatever_has_json(written: str, json: object) -> None:
    assert value(f"Order{{extra: {written}}}.extra") == json
    assert value(f"google.protobuf.ListValue{{values: [{written}]}}") == [json]


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("null", None),
        ("true", True),
        ("1", 1),
        ("1u", cel.UInt(1)),
        ("1.0", 1.0),
        ("'s'", "s"),
        ("b's'", b"s"),
        ("[1, 'a']", [1.0, "a"]),
        ("{'a': 1}", {"a": 1.0}),
        ("Item{sku: 'i'}", Item(sku="i")),
        ("timestamp(7)", None),
        ("duration('7s')", None),
    ],
)
def test_any_holds_whatever_a_message_holds(written: str, held: object) -> None:
    if held is not None:
        found = value(f"Order{{payload: {written}}}.payload")
        assert found == held and type(found) is type(held)
    assert value(f"Order{{payload: {written}}}.payload == {written}") is True
    assert value(f"Order{{parts: [{written}]}}.parts.size()") == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("small: 2147483648", "overflow"),
        ("small: -2147483649", "overflow"),
        ("items: [Item{count: 4294967296u}]", "overflow"),
        ("quotas: {1u: 4294967296u}", "overflow"),
        ("limits: [4294967296u]", "overflow"),
        ("status: 2147483648", "overflow"),
        ("id: dyn(1)", "type_mismatch"),
        ("small: dyn(1u)", "type_mismatch"),
        ("small: dyn(1.0)", "type_mismatch"),
        ("ratio: dyn(1)", "type_mismatch"),
        ("total: dyn(1)", "type_mismatch"),
        ("digest: dyn('a')", "type_mismatch"),
        ("customer: dyn(Item{})", "type_mismatch"),
        ("customer: dyn({'name': 'a'})", "type_mismatch"),
        ("items: dyn(Item{})", "type_mismatch"),
        ("items: [dyn(null)]", "type_mismatch"),
        ("items: dyn(null)", "type_mismatch"),
        ("tags: dyn(null)", "type_mismatch"),
        ("tags: {dyn(1): 1}", "type_mismatch"),
        ("facts: dyn(null)", "type_mismatch"),
        ("notes: dyn(null)", "type_mismatch"),
        ("facts: dyn({1: 'a'})", "type_mismatch"),
        ("extra: {1: 'a'}", "type_mismatch"),
        ("extra: int", "type_mismatch"),
        ("extra: [int]", "type_mismatch"),
        ("payload: int", "type_mismatch"),
        ("placed: dyn('2026-01-01T00:00:00Z')", "type_mismatch"),
        ("wait: dyn(1)", "type_mismatch"),
        ("id: dyn(null)", "type_mismatch"),
        ("nothing: dyn(1)", "type_mismatch"),
        ("tags: {'a': 1 / 0}", "division_by_zero"),
    ],
)
def test_fields_refuse_what_does_not_fit(fields: str, code: str) -> None:
    assert error_code(f"Order{{{fields}}}") == code


@pytest.mark.parametrize("text", ["Order{id: 1}", "Order{nope: 1}", "Order{id: 'a', id: 'b'}"])
def test_what_is_wrong_in_every_evaluation_does_not_compile(text: str) -> None:
    with pytest.raises(CompileError):
        ENV.compile(text)
    assert error_code(text, check=False) in ("type_mismatch", "no_such_field", "duplicate_field")


def test_unknown_type_is_an_error() -> None:
    assert error_code("Nothing{}") == "undeclared_reference"
    assert error_code("Nothing{}", check=False) == "no_such_overload"
    assert error_code("Nothing{}", within=cel.Env(), check=False) == "no_such_overload"
    assert error_code("Status{}") == "undeclared_reference"


def test_closed_enum_takes_its_own_numbers_only() -> None:
    assert value("legacy.Base{kind: 2}.kind") == 2
    assert error_code("legacy.Base{kind: 3}") == "invalid_field"


def test_group_is_written_as_a_message() -> None:
    made = value("legacy.Base{detail: legacy.Base.Detail{text: 'x'}}")
    assert made.detail.text == "x"


def test_extensions_are_written_by_full_name() -> None:
    made = value("legacy.Base{`shop.legacy.weight`: 3, `shop.legacy.labels`: ['a', 'b']}")
    text = "[b.`shop.legacy.weight`, b.`shop.legacy.labels`.size()]"
    assert value(text, {"b": made}) == [3, 2]


def test_extensions_are_read_by_macros() -> None:
    within = env(libraries=[ext.PROTOS])
    made = value("legacy.Base{`shop.legacy.weight`: 3}")
    assert value("proto.getExt(b, shop.legacy.weight)", {"b": made}, within) == 3
    assert value("proto.hasExt(b, shop.legacy.weight)", {"b": made}, within) is True
    assert value("proto.hasExt(b, shop.legacy.Scope.flag)", {"b": made}, within) is False
    assert error_code("proto.getExt(b, 'weight')", within=within) == "macro_argument"
    assert error_code("proto.getExt(b, shop.legacy.nope)", within=within) == "undefined_field"


def test_optional_entries_are_left_out_where_nothing_is_there() -> None:
    within = env(libraries=[ext.OPTIONALS])
    text = "Order{?id: optional.of('a'), ?small: optional.none(), ?limit: {'l': 3}[?'l']}"
    assert value(text, within=within) == Order(id="a", limit=value("Order{limit: 3}").limit)
    assert error_code("Order{?id: dyn('a')}", within=within) == "type_mismatch"
    assert value("optional.ofNonZeroValue(Order{}).hasValue()", within=within) is False
    assert value("optional.ofNonZeroValue(Order{rank: 0}).hasValue()", within=within) is True
    assert value("Order{}.?customer.?name.hasValue()", within=within) is False


def test_result_is_a_message_of_the_callers_own() -> None:
    program = ENV.compile("Order{id: 'a', items: [Item{}]}")
    first = program.evaluate({})
    first.items[0].sku = "changed"
    assert program.evaluate({}).items[0].sku == ""
    part = ENV.compile("Order{customer: Customer{name: 'n'}}.customer")
    part.evaluate({}).name = "changed"
    assert part.evaluate({}).name == "n"


def test_a_callers_message_is_given_back_and_never_changed() -> None:
    order = Order(id="a")
    order.customer.name = "n"
    before = order.SerializeToString()
    assert value("o", {"o": order}) is order
    assert value("Order{parent: o, id: 'b'}.parent == o", {"o": order}) is True
    assert value("[o.parent.parent.id, string(o.items.size())]", {"o": order}) == ["", "0"]
    assert value("has(o.parent)", {"o": order}) is False
    assert order.SerializeToString() == before


def test_message_nested_too_deep_is_an_error() -> None:
    text = "[" * 120 + "]" * 120
    assert value(f"size(Order{{extra: {text}}}.extra)") == 1
    assert error_code(f"Order{{payload: {text}}}.payload") in ("limit_exceeded", "invalid_message")


def test_text_that_is_no_utf8_is_refused() -> None:
    assert error_code("Order{id: x}", {"x": "\ud800"}) == "invalid_field"


def test_faults_stand_where_the_field_is_written() -> None:
    with pytest.raises(Exception, match="`int32` overflows") as caught:
        value("Order{id: 'a', small: 5000000000}")
    assert caught.value.place.column == 16


def test_literals_of_proto2_keep_presence() -> None:
    assert value("has(legacy.Base{count: 7}.count)") is True
    assert value("legacy.Base{count: 7} == legacy.Base{}") is False
    assert value("legacy.Base{}") == Base()
