"""Values are printed as CEL would write them, and as JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz import cel
from taskman_authz._fast.times import Duration, Timestamp
from taskman_authz._fast.values import CelType, UInt
from taskman_authz.cli.printing import cel_text, json_value

NOON = datetime(2026, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC)

CASES = [
    (None, "null", None),
    (True, "true", True),
    (False, "false", False),
    (0, "0", 0),
    (-(2**63), "-9223372036854775808", -(2**63)),
    (UInt(7), "7u", 7),
    (1.0, "1.0", 1.0),
    (math.inf, 'double("Infinity")', "Infinity"),
    (-math.inf, 'double("-Infinity")', "-Infinity"),
    (math.nan, 'double("NaN")', "NaN"),
    ('é "x"\n', '"é \\"x\\"\\n"', 'é "x"\n'),
    (b'a"\\\x00\xff', 'b"a\\"\\\\\\x00\\xff"', "YSJcAP8="),
    ([1, [UInt(2)]], "[1, [2u]]", [1, [2]]),
    ((1, 2), "[1, 2]", [1, 2]),
    ({"a": 1, 2: None}, '{"a": 1, 2: null}', {"a": 1, "2": None}),
    ({True: "x"}, '{true: "x"}', {"true": "x"}),
    (NOON, 'timestamp("2026-01-15T12:00:00.25Z")', "2026-01-15T12:00:00.25Z"),
    (timedelta(minutes=90), 'duration("5400s")', "5400s"),
    (Timestamp(1), 'timestamp("1970-01-01T00:00:00.000000001Z")', "1970-01-01T00:00:00.000000001Z"),
    (Duration(-1), 'duration("-0.000000001s")', "-0.000000001s"),
    (CelType("int"), "int", "int"),
    (cel.Optional.of(UInt(1)), "optional.of(1u)", 1),
    (cel.Optional.none(), "optional.none()", None),
    (
        [cel.Optional.of(NOON)],
        '[optional.of(timestamp("2026-01-15T12:00:00.25Z"))]',
        ["2026-01-15T12:00:00.25Z"],
    ),
]


@pytest.mark.parametrize(("value", "text", "plain"), CASES)
def test_a_value_is_printed(value, text, plain):
    assert cel_text(value) == text
    assert json_value(value) == plain


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(values)
def test_every_value_is_json(value):
    json.loads(json.dumps(json_value(value), allow_nan=False))


literals = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(0, 2**64 - 1).map(UInt)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))
)
written = st.recursive(
    literals,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(written)
def test_the_text_of_a_value_is_an_expression_that_has_it(value):
    found = cel.evaluate(cel_text(value))
    assert found == value
    assert cel_text(found) == cel_text(value)
