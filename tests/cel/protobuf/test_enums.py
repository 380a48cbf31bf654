"""Enums in both modes: as ints, and as types of their own."""

from __future__ import annotations

import pytest

from taskman_authz import cel
from taskman_authz.cel.protobuf import EnumValue
from tests.cel.protobuf.shop import ENV, STRONG, Order, error_code, value

PAID = EnumValue("shop.Status", 1)


def strong(text: str, variables: object = None, check: bool = True) -> object:
    return value(text, variables, STRONG, check)


def test_constants_are_ints() -> None:
    assert value("Status.PAID + 1 == Status.SHIPPED") is True
    assert value(".shop.Status.PAID") == 1
    assert str(ENV.check("Status.PAID").type) == "int"
    assert error_code("Status.NOPE") == "undeclared_reference"
    assert error_code("Status(1)") == "undeclared_reference"


def test_strong_constants_have_their_type() -> None:
    assert strong("Status.PAID") == PAID
    assert strong("type(Status.PAID) == Status") is True
    assert str(STRONG.check("Status.PAID").type) == "shop.Status"
    assert str(strong("type(o.status)", {"o": Order()})) == "shop.Status"


def test_strong_fields_have_their_type() -> None:
    order = Order(status=1, history=[0, 1, 77])
    for wrapped, path in ((order, "x"), ([order], "x[0]"), ({"o": order}, "x.o")):
        assert strong(f"{path}.status", {"x": wrapped}) == PAID
    found = strong("o.history", {"o": order})
    assert found == [EnumValue("shop.Status", number) for number in (0, 1, 77)]
    assert strong("o.history.exists(s, s == Status.PAID)", {"o": order}) is True


def test_strong_values_equal_values_of_their_type_only() -> None:
    assert strong("Status.PAID == Status.PAID") is True
    assert strong("dyn(Status.PAID) == 1") is False
    assert strong("dyn(1) == Status.PAID") is False
    assert strong("dyn(Status.PAID) == legacy.Kind.PLAIN") is False
    assert error_code("Status.PAID == 1", within=STRONG) == "no_matching_overload"


@pytest.mark.parametrize("check", [True, False])
def test_strong_values_convert_from_and_to_int(check: bool) -> None:
    assert strong("int(Status.SHIPPED)", check=check) == 2
    assert strong("Status(1)", check=check) == PAID
    assert strong("Status(-5)", check=check) == EnumValue("shop.Status", -5)
    assert strong("Status('PAID')", check=check) == PAID
    assert error_code("Status('NOPE')", within=STRONG, check=check) == "invalid_argument"
    assert error_code("Status(2147483648)", within=STRONG, check=check) == "overflow"
    assert strong("int('7') + int(7.0) + int(7u)", check=check) == 21


@pytest.mark.parametrize(
    "text", ["Status.PAID + 1", "Status.PAID < Status.SHIPPED", "Status(true)", "int(Status)"]
)
def test_strong_values_have_no_other_operations(text: str) -> None:
    assert error_code(text, within=STRONG) == "no_matching_overload"
    assert error_code(text, within=STRONG, check=False) == "no_such_overload"


def test_strong_fields_take_values_of_their_type_only() -> None:
    assert strong("Order{status: Status.PAID}") == Order(status=1)
    assert strong("Order{status: Status(99)}") == Order(status=99)
    assert error_code("Order{status: 1}", within=STRONG) == "type_mismatch"
    assert error_code("Order{status: dyn(1)}", within=STRONG) == "type_mismatch"
    assert error_code("Order{status: dyn(legacy.Kind.PLAIN)}", within=STRONG) == "type_mismatch"


def test_strong_values_have_the_json_of_their_name() -> None:
    assert strong("Order{extra: [Status.PAID, Status(99)]}.extra") == ["PAID", 99.0]
    assert error_code("Order{payload: Status.PAID}", within=STRONG) == "type_mismatch"


def test_null_is_null_in_both_modes() -> None:
    for within in (ENV, STRONG):
        assert value("o.nothing", {"o": Order()}, within) is None
        assert value("google.protobuf.Value{null_value: google.protobuf.NullValue.NULL_VALUE}",
                     {}, within) is None  # fmt: skip


def test_values_can_be_passed() -> None:
    assert value("int(x) + 1", {"x": PAID}, STRONG) == 2
    assert value("x == o.status", {"x": PAID, "o": Order(status=1)}, STRONG) is True
    assert value("Order{status: x}.status", {"x": PAID}) == 1
    assert int(PAID) == 1 and repr(PAID) == "shop.Status(1)" and len({PAID, PAID}) == 1


def test_modes_do_not_disturb_each_other() -> None:
    order = Order(status=1)
    assert [value("o.status", {"o": order}, within) for within in (ENV, STRONG, ENV)] == [
        1,
        PAID,
        1,
    ]
    assert cel.evaluate("o.status", {"o": order}) == 1
