"""The library `strings` (but `format`): positions in code points, ASCII case, bounded results."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from taskman_authz.cel.ext import strings
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, implementations, value
from tests.core.strategies import TEXTS

ENV = env_of(ext.STRINGS)
FUNCTIONS = implementations(ext.STRINGS)
SMALL = implementations(ext.STRINGS, Limits(value_size=10))
WORDS = st.text("ab ", max_size=8)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("'🐱b'.charAt(0)", "🐱"),
        ("'ab'.charAt(2)", ""),
        ("'🐱🐱a'.indexOf('a')", 2),
        ("'abc'.indexOf('', 3)", 3),
        ("'abc'.indexOf('a', 3)", -1),
        ("''.indexOf('')", 0),
        ("''.indexOf('a')", -1),
        ("'abab'.lastIndexOf('ab', 1)", 0),
        ("'abab'.lastIndexOf('ab', 2)", 2),
        ("'abc'.lastIndexOf('a', 3)", 0),
        ("'abc'.lastIndexOf('', 1)", 1),
        ("'ÄÖ'.lowerAscii()", "ÄÖ"),
        ("'äß'.upperAscii()", "äß"),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("'abc'.replace('', '-', 2)", "-a-bc"),
        ("'aaa'.replace('a', 'b', -7)", "bbb"),
        ("'aaa'.replace('a', 'b', 0)", "aaa"),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.split('', 2)", ["a", "bc"]),
        ("'abc'.split('', 9)", ["a", "b", "c"]),
        ("''.split('')", []),
        ("''.split(',')", [""]),
        ("',a,'.split(',')", ["", "a", ""]),
        ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
        ("'abc'.substring(3)", ""),
        ("'\\u001c a \\u00a0'.trim()", "\x1c a"),
        ("strings.quote('\"\\\\')", '"\\"\\\\"'),
        ("strings.quote('\\u0000é')", '"\x00é"'),
        ("'a🐱'.reverse()", "🐱a"),
        ("[].join('-')", ""),
        ("['a'].join('-')", "a"),
        ("['a', '', 'b'].join('-')", "a--b"),
    ],
)
def test_value(text, expected):
    assert value(ENV, text) == expected


@pytest.mark.parametrize(
    "text, code",
    [
        ("'abc'.charAt(-1)", "index_out_of_range"),
        ("'abc'.charAt(4)", "index_out_of_range"),
        ("'abc'.indexOf('', 4)", "index_out_of_range"),
        ("'abc'.indexOf('a', -1)", "index_out_of_range"),
        ("'abc'.lastIndexOf('', 4)", "index_out_of_range"),
        ("'abc'.substring(1, 4)", "index_out_of_range"),
        ("'abc'.substring(2, 1)", "invalid_argument"),
        ("['a', dyn(1)].join()", "no_such_overload"),
        ("dyn(1).trim()", "no_such_overload"),
        ("dyn(true).charAt(1)", "no_such_overload"),
        ("'abc'.charAt(dyn(true))", "no_such_overload"),
        ("'abc'.charAt(dyn(1u))", "no_such_overload"),
    ],
)
def test_error(text, code):
    assert error(ENV, text) == code


def test_lone_surrogates_are_quoted_as_replacement_characters():
    assert FUNCTIONS["strings.quote", 1]("a\ud800b") == '"a\ufffdb"'


@given(st.text(max_size=20))
def test_quoted_text_is_a_literal_of_the_text(text):
    assert env_of().compile(strings.quote(text)).evaluate({}) == text


@given(st.text())
def test_trim_takes_what_unicode_calls_white_space(text):
    # Python's own strip() takes these four more.
    assert strings.trim(text) == text.strip() or set(text) & set("\x1c\x1d\x1e\x1f")


@given(TEXTS)
def test_case_is_that_of_ascii(text):
    octets = text.encode("utf-8", "surrogatepass")
    for ours, witness in ((strings.lower_ascii, bytes.lower), (strings.upper_ascii, bytes.upper)):
        assert ours(text) == witness(octets).decode("utf-8", "surrogatepass")


@given(WORDS, WORDS)
def test_positions_are_those_where_the_part_stands(text, part):
    everywhere = [at for at in range(len(text) + 1) if text[at : at + len(part)] == part]
    assert strings.index_of(text, part) == min(everywhere, default=-1)
    assert strings.last_index_of(text, part) == max(everywhere, default=-1)
    for start in range(len(text) + 1):
        behind = [at for at in everywhere if at >= start]
        before = [at for at in everywhere if at <= start]
        assert strings.index_of(text, part, start) == min(behind, default=-1)
        assert strings.last_index_of(text, part, start) == max(before, default=-1)


@given(WORDS, st.sampled_from(["", "a", "ab", " "]), st.integers(-2, 6))
def test_the_parts_of_a_split_join_to_the_text(text, separator, most):
    parts = strings.split(text, separator, most)
    assert most < 0 or len(parts) <= most
    assert most == 0 or separator.join(parts) == text
    if separator and most < 0:
        assert not any(separator in part for part in parts)


@given(WORDS, WORDS, WORDS, st.integers(-2, 6))
def test_results_are_bounded_and_otherwise_the_same(text, old, new, count):
    for name, values in (("replace", (text, old, new, count)), ("join", ([text, old], new))):
        call = name, len(values)
        free, bounded = FUNCTIONS[call](*values), SMALL[call](*values)
        if len(free) <= 10:
            assert bounded == free
        else:
            assert type(bounded) is Fault
            assert bounded.details == ("value_size", 10)


@given(st.text(max_size=12), st.integers(-2, 14), st.integers(-2, 14))
def test_a_substring_is_the_slice_or_an_error(text, start, end):
    found = strings.substring(text, start, end)
    if 0 <= start <= end <= len(text):
        assert found == text[start:end]
    else:
        assert type(found) is Fault
