"""The library `regex`: groups, empty matches and bounds; `re` and RE2's wrapper are witnesses."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value

ENV = env_of(ext.REGEX, ext.OPTIONALS)
FUNCTIONS = implementations(ext.REGEX)
PATTERNS = st.one_of(
    st.text("ab.*+?|()[]^$\\é", max_size=6),
    st.sampled_from(["a*", "(a)|b", "(a*)b", r"\b", "^", "$", "(?:a|b)*?", "(é)?a", "[^a]+", "x?"]),
)
TEXTS = st.text("ab é\n🐱", max_size=8)


@pytest.mark.parametrize("text", [
    "regex.replace('abc', '^', 'x') == 'xabc'",
    "regex.replace('abc', '$', 'x') == 'abcx'",
    r"regex.replace('a-b', r'\b', '|') == '|a|-|b|'",
    "regex.replace('abc', 'x*', '-') == '-a-b-c-'",
    "regex.replace('baac', 'a*', '-') == '-b-c-'",
    "regex.replace('🐱é', 'x*', '-') == '-🐱-é-'",
    r"regex.replace('foo bar', '(fo)o (ba)r', r'\2 \1') == 'ba fo'",
    r"regex.replace('foo bar', r'\w+', r'<\0>') == '<foo> <bar>'",
    r"regex.replace('ac', 'a(b)?c', r'[\1]') == '[]'",
    r"regex.replace('a', 'a', r'\\') == r'\ '.substring(0, 1)",
    r"regex.replace('a', '(a)', r'\\1\1\\\1') == r'\1a\a'",
    "regex.replace('a', '(?P<n>a)', '${n} $1') == '${n} $1'",
    "regex.replace('banana', 'a', 'x', 2) == 'bxnxna'",
    "regex.replace('banana', 'a', 'x', 0) == 'banana'",
    "regex.replace('banana', 'a', 'x', -5) == 'bxnxnx'",
    "regex.replace('banana', '(', 'x', 0) == 'banana'",
    "regex.replace('', 'a', 'x') == ''",
    r"regex.replace('', 'a', r'\9') == ''",
    "regex.extract('hello world', 'hello(.*)').value() == ' world'",
    r"regex.extract('item-A, item-B', r'item-\w').value() == 'item-A'",
    "!regex.extract('HELLO', 'hello').hasValue()",
    "!regex.extract('val=', 'val=(.*)').hasValue()",
    "regex.extract('', 'a*').value() == ''",
    "regex.extractAll('id:1, id:22', 'x') == []",
    r"regex.extractAll('id:1, id:22', r'id:(\d+)') == ['1', '22']",
    "regex.extractAll('val=a, val=, val=c', 'val=([^,]*)') == ['a', 'c']",
    "regex.extractAll('banananana', '(ana)') == ['ana', 'ana']",
    "regex.extractAll('ab', 'x*') == ['', '', '']",
])  # fmt: skip
def test_holds(text):
    assert value(env_of(ext.REGEX, ext.OPTIONALS, ext.STRINGS), text) is True


@pytest.mark.parametrize("text, code", [
    ("regex.replace('a', '(', '')", "invalid_regex"),
    ("regex.extract('a', '[a')", "invalid_regex"),
    ("regex.extractAll('a', '(?=a)')", "invalid_regex"),
    (r"regex.replace('a', 'a', r'\1')", "invalid_argument"),
    (r"regex.replace('a', 'a', r'x\y')", "invalid_argument"),
    (r"regex.replace('a', 'a', '\\')", "invalid_argument"),
    ("regex.extract('ab', '(a)(b)')", "invalid_argument"),
    ("regex.extractAll('ab', '(a)(b)')", "invalid_argument"),
    ("regex.extract(dyn(1), 'a')", "no_such_overload"),
    ("regex.replace('a', 'a', dyn(1))", "no_such_overload"),
])  # fmt: skip
def test_error(text, code):
    assert error(ENV, text) == code


def test_only_texts_are_taken():
    assert refused(ENV, "regex.replace('abc', '^', 1)") == {"no_matching_overload"}
    assert refused(ENV, "regex.extract('abc', 1)") == {"no_matching_overload"}


def test_patterns_and_results_are_bounded():
    bounded = implementations(ext.REGEX, Limits(regex_length=3, value_size=10))
    for name, arguments in (
        ("extract", ("a", "aaaa")),
        ("extractAll", ("a", "aaaa")),
        ("replace", ("a", "aaaa", "")),
    ):
        fault = bounded[f"regex.{name}", len(arguments)](*arguments)
        assert fault.details == ("regex_length", 3)
    assert bounded["regex.replace", 3]("aaaaa", "a", "éé") == "éé" * 5
    assert bounded["regex.replace", 3]("aaaaa", "a", "ééé").details == ("value_size", 10)
    assert bounded["regex.replace", 3]("a" * 100, "a", "x" * 100).details == ("value_size", 10)


@pytest.mark.parametrize(
    "arguments", [("\ud800", "a", "b"), ("a", "\ud800", "b"), ("a", "a", "\ud800")]
)
def test_what_is_not_unicode_is_an_error(arguments):
    assert type(FUNCTIONS["regex.replace", 3](*arguments)) is Fault
    if arguments[2] == "b":
        assert type(FUNCTIONS["regex.extract", 2](*arguments[:2])) is Fault
        assert type(FUNCTIONS["regex.extractAll", 2](*arguments[:2])) is Fault


def compiled(pattern):
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


@given(PATTERNS, TEXTS)
def test_matches_are_those_of_the_wrapper_around_re2(pattern, text):
    witness = compiled(pattern)
    found = FUNCTIONS["regex.replace", 3](text, pattern, r"<\0>")
    if witness is None:
        assert found.code == "invalid_regex"
        return
    # The wrapper counts an empty match that begins where the one before it ended.
    expected, end, before = "", 0, -1
    for match in witness.finditer(text):
        if match.start() != match.end() or match.start() != before:
            expected += text[end : match.start()] + f"<{match[0]}>"
            end = match.end()
        before = match.end()
    assert found == expected + text[end:]


@given(st.sampled_from(["a", "ab?", "[ab]+", "b|é", "(?:a|b)é", "."]), TEXTS, st.integers(-1, 3))
def test_replacing_what_is_not_empty_is_that_of_re(pattern, text, count):
    expected = text if count == 0 else re.sub(pattern, "-", text, count=max(count, 0))
    assert FUNCTIONS["regex.replace", 4](text, pattern, "-", count) == expected


@given(PATTERNS, TEXTS)
def test_what_is_extracted_first_is_the_first_of_all(pattern, text):
    first = FUNCTIONS["regex.extract", 2](text, pattern)
    every = FUNCTIONS["regex.extractAll", 2](text, pattern)
    if type(first) is Fault:
        assert first.code == every.code
    elif first.present:
        assert first.content == every[0]
