"""What a caller passes becomes a value of the language or a fault, and is read lazily."""

from __future__ import annotations

import datetime as dt
import enum
import types
import uuid
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import access
from taskman_authz._fast.access import (
    EntityValue,
    adapt,
    entries,
    find,
    has,
    index,
    keys,
    missing,
    select,
    select_optional,
)
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    UINT_MAX,
    CelType,
    Fault,
    MixedMap,
    UInt,
    uint,
)
from tests.core.strategies import EDGES, KEYS, VALUES, is_fault, same

UTC = dt.UTC


class Level(enum.Enum):
    LOW = 1
    HIGH = "high"
    HUGE = 2**64


class Colour(enum.StrEnum):
    RED = "red"


class Rank(enum.IntEnum):
    FIRST = 1


class Name(str):
    def __str__(self):
        return "another"


class Number(int):
    pass


class Real(float):
    pass


class Octets(bytes):
    pass


Point = namedtuple("Point", "x y")


@dataclass
class Address:
    city: str
    _secret: str = "s"
    tags: list = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    city: str
    _secret: str = "s"


class Model(pydantic.BaseModel):
    city: str
    level: Level = Level.LOW


class Struct(msgspec.Struct):
    city: str


class Record:
    """As an object of a database mapper: a property that reads, one that fails, a method."""

    def __init__(self):
        self.city = "Rome"
        self._state = object()
        self.reads = 0

    @property
    def counted(self):
        self.reads += 1
        return self.reads

    @property
    def failing(self):
        raise RuntimeError("the connection is gone")

    def delete(self):
        raise AssertionError("nobody calls a method")


class Broken(Mapping):
    """A mapping whose every answer is an exception."""

    def __getitem__(self, key):
        raise RuntimeError("the connection is gone")

    def __iter__(self):
        raise RuntimeError("the connection is gone")

    def __len__(self):
        raise RuntimeError("the connection is gone")


OBJECTS = [
    Address("Rome"),
    Slotted("Rome"),
    Model(city="Rome"),
    Struct("Rome"),
    Record(),
    SimpleNamespace(city="Rome"),
    {"city": "Rome"},
    OrderedDict(city="Rome"),
    UserDict(city="Rome"),
    MappingProxyType({"city": "Rome"}),
    defaultdict(str, city="Rome"),
    MixedMap([("city", "Rome"), (True, 1)]),
    EntityValue("place", "1", {"city": "Rome"}, False),
    EntityValue("place", "1", Slotted("Rome"), False),
]


# -- what becomes what -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Level.LOW, 1),
        (Level.HIGH, "high"),
        (Colour.RED, "red"),
        (Rank.FIRST, 1),
        (Name("n"), "n"),
        (Number(7), 7),
        (Real(0.5), 0.5),
        (Octets(b"o"), b"o"),
        (bytearray(b"o"), b"o"),
        (memoryview(b"o"), b"o"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (dt.datetime(1970, 1, 1, 0, 0, 1, 2, UTC), Timestamp(1_000_002_000)),
        (dt.timedelta(seconds=-1), Duration(-1_000_000_000)),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"b": 1}.keys(), ["b"]),
        (Point(1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        (UserList([1]), [1]),
        (deque([1]), [1]),
    ],
)
def test_relatives_of_what_the_language_knows_become_that(value, expected):
    assert same(adapt(value), expected)


@given(VALUES)
def test_values_of_the_language_are_what_they_are(value):
    found = adapt(value)
    assert found is value or same(found, value)


@pytest.mark.parametrize("value", OBJECTS)
def test_objects_and_mappings_stay_themselves_and_are_maps(value):
    assert adapt(value) is value
    assert access.is_map(value)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Decimal("1.5"),
        complex(1, 2),
        dt.date(2026, 1, 1),
        dt.time(12),
        slice(1),
        iter([]),
        ...,
        NotImplemented,
        int,
        Address,
        len,
        test_relatives_of_what_the_language_knows_become_that,
        Record().delete,
        types,
    ],
)
def test_what_the_language_has_no_word_for_is_a_fault(value):
    assert is_fault(adapt(value), "unsupported_type", type(value).__name__)


def test_a_conversion_that_fails_is_a_fault():
    class Odd:
        __hash__ = object.__hash__

        def __str__(self):
            raise RuntimeError

    assert is_fault(adapt({Odd(), Odd()}), "unsupported_type", "set")


def test_a_fraction_is_an_object_like_any_other():
    assert select(Fraction(1, 2), "denominator") == 2


def test_a_time_without_a_zone_is_a_fault():
    assert type(adapt(dt.datetime(2026, 1, 1))) is Fault


@given(
    st.one_of(st.integers(), st.sampled_from(EDGES), st.integers(-3, 3).map(lambda n: 2**63 + n))
)
def test_an_int_is_within_64_bits_or_a_fault(number):
    expected = number if INT_MIN <= number <= INT_MAX else Fault("overflow", ("int",))
    for value in (number, Number(number)):
        assert same(adapt(value), expected)
    assert access.fits(number) is (type(expected) is int)
    assert access.fits(-number) is (INT_MIN <= -number <= INT_MAX)


@pytest.mark.parametrize("number", [-1, INT_MIN, UINT_MAX + 1, 2**200])
def test_a_uint_out_of_its_range_is_a_fault(number):
    assert is_fault(adapt(uint(number)), "overflow", "uint")  # made without asking


def test_an_enum_is_as_its_value_is():
    assert is_fault(adapt(Level.HUGE), "overflow", "int")


# -- members -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", OBJECTS)
def test_members_are_read_by_name(value):
    assert select(value, "city") == index(value, "city") == find(value, "city") == "Rome"
    assert has(value, "city") is True


@pytest.mark.parametrize("value", OBJECTS)
@pytest.mark.parametrize("name", ["absent", "_secret", "_state", "__class__", "__dict__"])
def test_what_is_absent_or_private_is_no_such_key(value, name):
    assert is_fault(select(value, name), "no_such_key", name)
    assert is_fault(index(value, name), "no_such_key", name)
    assert find(value, name) is access.missing()
    assert has(value, name) is False


def test_a_mapping_may_have_keys_that_begin_with_an_underscore():
    assert select({"_id": 1}, "_id") == select(MappingProxyType({"_id": 1}), "_id") == 1


def test_a_mapping_with_a_default_has_no_more_than_its_keys():
    value = defaultdict(list, a=1)
    assert is_fault(select(value, "b"), "no_such_key", "b")
    assert is_fault(index(value, "b"), "no_such_key", "b")
    assert is_fault(index(Counter("a"), "b"), "no_such_key", "b")
    assert has(value, "b") is False
    assert list(value) == ["a"]


def test_attributes_are_read_when_they_are_asked_for_and_only_then():
    value = Record()
    assert has(value, "city") is True
    select(value, "city")
    keys(value)
    assert value.reads == 0
    assert select(value, "counted") == 1


def test_what_the_callers_own_code_fails_at_is_a_fault():
    assert is_fault(select(Record(), "failing"), "unreadable", "failing")
    assert is_fault(has(Record(), "failing"), "unreadable", "failing")
    assert is_fault(index(Record(), "failing"), "unreadable", "failing")


@pytest.mark.parametrize(
    "read",
    [
        lambda value: select(value, "a"),
        lambda value: has(value, "a"),
        lambda value: index(value, "a"),
        lambda value: index(value, 1),
        lambda value: find(value, True),
        entries,
        keys,
    ],
)
def test_a_mapping_that_fails_is_a_fault(read):
    assert is_fault(read(Broken()), "unreadable")


@pytest.mark.parametrize("read", [lambda value: select(value, "a"), entries, keys])
def test_an_entity_whose_attributes_fail_is_a_fault(read):
    assert is_fault(read(EntityValue("user", "1", Broken(), False)), "unreadable")


def test_methods_are_no_attributes():
    assert has(Record(), "delete") is False
    assert is_fault(select(Record(), "delete"), "no_such_key", "delete")
    assert is_fault(index(Record(), "delete"), "no_such_key", "delete")
    assert select_optional(Record(), "delete") is NONE
    assert find(Record(), "delete") is missing()


def test_an_attribute_that_holds_a_function_is_no_value():
    value = Record()
    value.hook = print
    assert has(value, "hook") is True
    assert is_fault(select(value, "hook"), "unsupported_type", "builtin_function_or_method")


@pytest.mark.parametrize("value", [None, True, 1, UInt(1), 1.5, "a", b"a", [], (), Timestamp(0)])
def test_values_without_members_say_so(value):
    for read in (select, has):
        found = read(value, "a")
        assert found.code == "no_such_overload" and found.details[0] == ".a"


@given(VALUES)
def test_a_fault_stays_that_fault(key):
    fault = Fault("overflow", ("int",), 3)
    assert select(fault, "a") is has(fault, "a") is index(fault, "a") is fault
    assert index(key, fault) is fault
    assert adapt(fault) is fault


def test_members_are_adapted():
    value = {"big": 2**63, "level": Level.LOW, "list": [Level.HIGH]}
    assert is_fault(select(value, "big"), "overflow")
    assert select(value, "level") == 1
    assert index(select(value, "list"), 0) == "high"


# -- entities ----------------------------------------------------------------------------------


def test_an_entity_is_a_map_of_its_type_id_and_attributes():
    subject = EntityValue("user", "1", {"id": "other", "type": "other", "city": "Rome"}, False)
    assert (select(subject, "type"), select(subject, "id")) == ("user", "1")
    assert entries(subject) == {"id": "1", "type": "user", "city": "Rome"}
    assert sorted(keys(subject)) == ["city", "id", "type"]
    assert is_fault(select(subject, "name"), "no_such_key", "name")
    assert is_fault(index(subject, 1), "no_such_key", 1)


def test_an_action_has_a_name():
    action = EntityValue("", "tasks:edit", None, True)
    assert select(action, "name") == "tasks:edit"
    assert has(action, "id") is has(action, "type") is False
    assert entries(action) == {"name": "tasks:edit"}


def test_an_entity_without_attributes_has_none():
    subject = EntityValue("user", "1", None, False)
    assert is_fault(select(subject, "city"), "no_such_key", "city")
    assert entries(subject) == {"id": "1", "type": "user"}


def test_an_entity_whose_attributes_are_no_map_is_a_fault():
    assert type(select(EntityValue("user", "1", 5, False), "city")) is Fault
    assert type(entries(EntityValue("user", "1", 5, False))) is Fault


# -- keys and indices --------------------------------------------------------------------------


@given(st.dictionaries(KEYS, st.integers(-9, 9), max_size=5), KEYS)
def test_a_key_finds_what_is_stored_under_an_equal_one(value, key):
    found = index(value, key)
    assert found == value[key] if key in value else is_fault(found, "no_such_key", key)


@pytest.mark.parametrize("stored", [1, UInt(1), 1.0])
@pytest.mark.parametrize("key", [1, UInt(1), 1.0])
def test_numbers_are_one_key_across_types(stored, key):
    assert index({stored: "x"}, key) == "x"
    assert index(MappingProxyType({stored: "x"}), key) == "x"


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("kind", [int, UInt, float])
def test_a_bool_is_no_number(number, kind):
    assert is_fault(index({bool(number): "x"}, kind(number)), "no_such_key")
    assert is_fault(index({kind(number): "x"}, bool(number)), "no_such_key")
    assert index({bool(number): "x"}, bool(number)) == "x"
    mixed = MixedMap([(bool(number), "bool"), (kind(number), "number")])
    assert index(mixed, bool(number)) == "bool"
    assert index(mixed, kind(number)) == "number"


@pytest.mark.parametrize("key", [None, b"a", [], {}, Timestamp(0), CelType("int")])
def test_other_types_are_no_keys(key):
    assert is_fault(index({"a": 1}, key), "no_such_overload")
    assert find({"a": 1}, key) is access.missing()


@given(st.lists(st.integers(-9, 9), max_size=4), st.integers(-6, 6))
def test_a_list_is_indexed_from_zero_and_never_from_its_end(members, number):
    inside = 0 <= number < len(members)
    for value in (members, tuple(members)):
        for key in (number, float(number), *([UInt(number)] if number >= 0 else [])):
            found = index(value, key)
            if inside:
                assert found == members[number]
            else:
                assert is_fault(found, "index_out_of_range", number, len(members))


@pytest.mark.parametrize("key", [1.5, float("nan"), float("inf"), "1", True, None])
def test_a_list_is_indexed_by_whole_numbers_only(key):
    assert is_fault(index([1, 2], key), "no_such_overload")


# -- all of a map ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", OBJECTS)
def test_the_entries_of_a_map_are_what_can_be_read(value):
    found = entries(value)
    assert type(found) in (dict, MixedMap)
    assert keys(value) == list(found)
    for name, member in found.items():
        assert find(value, name) == member
        assert not str(name).startswith("_")


@pytest.mark.parametrize("value", [None, 5, "a", [1], Fault("overflow")])
def test_what_is_no_map_is_none(value):
    assert not access.is_map(value)


def test_a_number_is_found_without_going_over_the_keys():
    asked = []

    class Key(int):
        def __eq__(self, other: object) -> bool:
            asked.append(other)
            return int(self) == other

        __hash__ = int.__hash__

    members: dict[object, str] = {**{Key(number): "" for number in range(2, 50)}, 1: "one"}
    assert access.find(members, 1) == "one"
    assert access.find(members, UInt(1)) == "one"
    assert access.find(members, True) is access.missing()
    assert asked == []
