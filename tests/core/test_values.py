"""What the core's own values are, apart from what operators make of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.access import EntityValue
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import CelType, Fault, MixedMap, UInt, type_name


@dataclass
class Address:
    city: str


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null_type"),
        (True, "bool"),
        (1, "int"),
        (UInt(1), "uint"),
        (1.5, "double"),
        ("a", "string"),
        (b"a", "bytes"),
        ([], "list"),
        ((), "list"),
        ({}, "map"),
        (OrderedDict(), "map"),
        (MappingProxyType({}), "map"),
        (MixedMap([]), "map"),
        (EntityValue("user", "1", None, False), "map"),
        (Address("x"), "map"),
        (SimpleNamespace(), "map"),
        (CelType("int"), "type"),
        (Timestamp(0), "google.protobuf.Timestamp"),
        (Duration(0), "google.protobuf.Duration"),
    ],
)
def test_every_value_has_the_name_of_its_type(value, name):
    assert type_name(value) == name


def test_a_uint_is_an_int_that_shows_what_it_is():
    assert (UInt(7), repr(UInt(7)), hash(UInt(7))) == (7, "7u", hash(7))


def test_types_are_equal_by_name():
    assert CelType("int") == CelType("int") != CelType("uint")
    assert CelType("int") != "int"
    assert len({CelType("int"), CelType("int"), CelType("uint")}) == 2
    assert repr(CelType("int")) == "int"


def test_a_fault_shows_its_code_details_and_place():
    assert repr(Fault("no_such_key", ("a",), 3)) == "Fault('no_such_key', ('a',), 3)"


@given(st.lists(st.tuples(st.one_of(st.booleans(), st.integers(-2, 2), st.text(max_size=1)))))
def test_a_mixed_map_keeps_bools_and_numbers_apart(keys):
    pairs = [(key, number) for number, (key,) in enumerate(keys)]
    made = MixedMap(iter(pairs))
    expected = {(type(key) is bool, key): value for key, value in pairs}
    assert len(made) == len(expected)
    assert {(type(key) is bool, key): value for key, value in made.items()} == expected
    assert list(zip(made, made.values(), strict=True)) == made.items()
    assert made.keys() == list(made)
    for key in (True, False, 1, 0, "1"):
        assert (key in made) is ((type(key) is bool, key) in expected)
    for (is_bool, key), value in expected.items():
        assert made[bool(key) if is_bool else key] == value


def test_a_mixed_map_shows_its_entries():
    assert repr(MixedMap([(1, "b"), (True, "a")])) == "{True: 'a', 1: 'b'}"
