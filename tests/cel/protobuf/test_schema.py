"""What an embedder may name as messages, and what that makes known."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from google.protobuf import field_mask_pb2, struct_pb2

from taskman_authz import cel
from taskman_authz.errors import CompileError
from tests.cel.protobuf.shop import FILES, POOL, Customer, Item, Order, error_code, value

SHOP = POOL.FindFileByName("shop/shop.proto")


@pytest.mark.parametrize(
    "source",
    [
        Order,
        Order(),
        Order.DESCRIPTOR,
        SHOP,
        SHOP.enum_types_by_name["Status"],
        SimpleNamespace(DESCRIPTOR=SHOP),  # as a generated module has it
        FILES,
        FILES.SerializeToString(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_any_of_them_stands_for_its_whole_file(source: object) -> None:
    within = cel.Env(messages=[source], container="shop")
    assert value("Order{items: [Item{sku: 'a'}]}.items[0].sku", within=within) == "a"
    assert value("Status.PAID", within=within) == 1


def test_well_known_types_come_along() -> None:
    within = cel.Env(messages=())
    assert value("google.protobuf.FieldMask{paths: ['a']}.paths", within=within) == ["a"]
    assert value("google.protobuf.Int32Value{value: 3} + 1", within=within) == 4
    assert error_code("google.protobuf.Int32Value{}", within=cel.Env()) == "undeclared_reference"


@pytest.mark.parametrize("source", [5, "shop.Order", b"\xff\xff", None])
def test_what_describes_no_messages_is_refused(source: object) -> None:
    with pytest.raises(CompileError, match="FileDescriptorSet"):
        cel.Env(messages=[source])


def test_set_without_its_imports_is_refused() -> None:
    part = type(FILES)()
    part.file.add(name="a.proto", dependency=["missing.proto"])
    with pytest.raises(CompileError, match="cannot be read"):
        cel.Env(messages=[part])


def test_sets_may_come_in_any_order() -> None:
    turned = type(FILES)()
    first = turned.file.add(name="z.proto", package="z", dependency=["a.proto"])
    first.message_type.add(name="M").field.add(
        name="n", number=1, type=11, label=1, type_name=".a.N"
    )
    turned.file.add(name="a.proto", package="a").message_type.add(name="N")
    assert value("z.M{n: a.N{}} == z.M{}", within=cel.Env(messages=[turned])) is False


def test_any_holds_what_the_environment_names() -> None:
    """Not what else the process has imported: a decision does not depend on that."""
    order = Order()
    order.payload.Pack(Item(sku="a"))
    assert value("o.payload.sku", {"o": order}) == "a"
    assert value("x[0].payload.sku", {"x": [order]}) == "a"
    within = cel.Env({"o": "dyn"}, messages=())
    assert error_code("o.payload", {"o": order}, within) == "unknown_message"
    # Without any named, the message's own pool is asked.
    assert cel.evaluate("o.payload.sku", {"o": order}) == "a"


def test_variables_named_like_messages_hide_them() -> None:
    within = cel.Env({"shop.Order": "int"}, messages=[Order])
    assert value("shop.Order + 1", {"shop.Order": 1}, within) == 2


def test_functions_are_given_messages() -> None:
    named = cel.function("name_of", "(shop.Customer) -> string", lambda c: c.name + str(type(c)))
    made = cel.function("renamed", "(shop.Customer) -> shop.Customer", lambda c: Customer(name="z"))
    within = cel.Env({"c": "shop.Customer"}, messages=[Order], libraries=[named, made])
    assert value("name_of(c)", {"c": Customer(name="n")}, within) == f"n{Customer}"
    assert value("renamed(c).name", {"c": Customer(name="n")}, within) == "z"


def test_struct_and_list_values_are_maps_and_lists_anywhere() -> None:
    struct = struct_pb2.Struct()
    struct.update({"a": [1, None]})
    assert cel.evaluate("s.a[0] + 1.0", {"s": struct}) == 2.0
    assert cel.evaluate("s['a'][1] == null", {"s": struct}) is True
    assert cel.evaluate("'b' in s", {"s": struct}) is False
    assert cel.evaluate("size(l)", {"l": struct["a"]}) == 2
    assert cel.evaluate("type(m)", {"m": field_mask_pb2.FieldMask()}).name == (
        "google.protobuf.FieldMask"
    )


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def test_language_does_not_import_protobuf() -> None:
    program = (
        "import sys\n"
        "from taskman_authz import cel\n"
        "cel.Env({'x': 'int'}).compile('x > 1').evaluate({'x': 2})\n"
        "cel.evaluate('x.a', {'x': {'a': 1}})\n"
        "print('google.protobuf' in sys.modules)"
    )
    assert run(program) == "False"


def test_missing_protobuf_is_said_in_words() -> None:
    program = (
        "import sys\n"
        "sys.modules['google.protobuf'] = None\n"
        "from taskman_authz import cel\n"
        "cel.Env(messages=[])"
    )
    assert "pip install 'taskman-authz[protobuf]'" in run(program)
