"""JSON text is read strictly, and how deep it is nested is told before anything is built."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.json_text import NotJSONError, is_deeper, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.sampled_from('a"\\[]{}/\u00e9\U0001f600')),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
)


def depth(value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.booleans())
def test_what_was_written_is_read_and_its_depth_told(value, ascii):
    text = json.dumps(value, ensure_ascii=ascii)
    assert parse(text) == value
    levels = depth(value)
    assert not is_deeper(text.encode(), levels)
    assert levels == 0 or is_deeper(text.encode(), levels - 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "`c` twice in one object"),
        ("[NaN]", "`NaN` is no JSON number"),
        ("-Infinity", "`-Infinity` is no JSON number"),
        ("1e999", "a number that is larger than any double"),
        ("9" * 5_000, "a number with thousands of digits"),
        (r'"\ud83d"', "half of a surrogate pair"),
        (r'"\\\udc00"', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ("", "expecting value"),
        ("{} {}", "extra data"),
        ("{'a': 1}", "expecting property name enclosed in double quotes"),
        ('"\t"', "invalid control character at"),
    ],
)
def test_what_is_no_json_is_refused(text, why):
    with pytest.raises(NotJSONError, match=f"^{re.escape(why)}$"):
        parse(text)


def test_a_hostile_text_is_looked_at_in_linear_time():
    for text in (b'"' + b'\\"' * 500_000, b"[]" * 500_000, b'"\\' * 500_000):
        assert not is_deeper(text, 32)
    assert is_deeper(b"[" * 1_000_000, 32)
