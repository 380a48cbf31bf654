"""The standard functions of strings, and size, on the types they take and on no other."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.texts import FUNCTIONS
from taskman_authz._fast.values import Fault, MixedMap

STRING_FUNCTIONS = ("contains", "startsWith", "endsWith", "matches")


@pytest.mark.parametrize(
    "value, expected",
    [
        ("", 0),
        ("πέντε", 5),
        ("🐱😀😛", 3),
        (b"\xc3\xbf", 2),
        ([1, 2, 3], 3),
        ((), 0),
        ({"a": 1}, 1),
        (MappingProxyType({"a": 1, "b": 2}), 2),
        (MixedMap([(True, 1), (1, 2)]), 2),
    ],
)
def test_size_counts_code_points_bytes_elements_and_entries(value, expected):
    assert FUNCTIONS["size", 1](value) == expected


@pytest.mark.parametrize("value, name", [(1, "int"), (None, "null_type"), (1.5, "double")])
def test_nothing_else_has_a_size(value, name):
    fault = FUNCTIONS["size", 1](value)
    assert (fault.code, fault.details) == ("no_such_overload", ("size", name))


@pytest.mark.parametrize(
    "function, text, part, expected",
    [
        ("contains", "Straße", "aß", True),
        ("contains", "hello", "ol", False),
        ("contains", "", "", True),
        ("startsWith", "🐱😀😛", "🐱", True),
        ("startsWith", "", "foo", False),
        ("endsWith", "forté", "té", True),
        ("endsWith", "foobar", "foo", False),
        ("matches", "grey", "gr(a|e)y", True),
        ("matches", "mañana", "a+ñ+a+", True),
        ("matches", "🐱😀😀", "(a|😀){2}", True),
        ("matches", "cows", "", True),
    ],
)
def test_a_string_function_looks_at_code_points(function, text, part, expected):
    assert FUNCTIONS[function, 2](text, part) is expected


@given(st.text(), st.text(), st.text())
def test_a_concatenation_starts_with_contains_and_ends_with_its_parts(first, middle, last):
    whole = first + middle + last
    assert FUNCTIONS["startsWith", 2](whole, first) is True
    assert FUNCTIONS["contains", 2](whole, middle) is True
    assert FUNCTIONS["endsWith", 2](whole, last) is True
    assert FUNCTIONS["size", 1](whole) == len(first) + len(middle) + len(last)


@pytest.mark.parametrize("function", STRING_FUNCTIONS)
@pytest.mark.parametrize(
    "left, right, names",
    [
        (1, "a", ("int", "string")),
        ("a", None, ("string", "null_type")),
        (b"a", b"a", ("bytes", "bytes")),
        (["a"], "a", ("list", "string")),
    ],
)
def test_string_functions_take_strings_only(function, left, right, names):
    fault = FUNCTIONS[function, 2](left, right)
    assert (type(fault), fault.code) == (Fault, "no_such_overload")
    assert fault.details == (function, *names)
