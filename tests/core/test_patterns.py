"""A planned pattern answers as RE2 does, on every text; what RE2 refuses is a fault."""

from __future__ import annotations

import time

import pytest
import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taskman_authz._fast.automaton import Automaton
from taskman_authz._fast.patterns import PATTERNS_KEPT, Re2Matcher, matches, plan_pattern
from taskman_authz._fast.regular import plan as regular_plan
from taskman_authz._fast.shapes import plan_shape
from taskman_authz._fast.values import Fault

QUIET = re2.Options()
QUIET.log_errors = False


def witness(pattern: str, text: str) -> bool:
    """What the public door of RE2 answers."""
    return re2.compile(pattern, QUIET).search(text) is not None


# Texts and literals share a small alphabet, so that they often meet: newlines, a combining and a
# non-BMP character, and what is special in patterns.
LETTERS = "ab1-_.: \n\r\téß𝒳\u0301\x00kKsS\u212a\u017fA"
texts = st.text(st.sampled_from(LETTERS), max_size=8)

literals = st.sampled_from(["a", "b", "ab", "1", "-", ":", "_", "é", "𝒳", r"\.", r"\-", r"\n", " "])
classes = st.sampled_from(
    [".", r"\d", r"\w", r"\s", "[a-b]", "[ab1_-]", "[-a]", "[^a]", "[^:\n]", r"[\w.]", r"[\]a]"]
    + ["[é𝒳]", "[ -~]", "[^-a]", r"[\d\-]", "[a^]", "[.]", "[^ab1]", "[à-ÿ]"]
)
repetitions = st.sampled_from(
    ["", "", "+", "*", "?", "{1}", "{2}", "{0,2}", "{1,3}", "{2,}", "{0}"]
)
runs = st.tuples(classes, repetitions).map("".join)
words = st.lists(literals, max_size=3).map("".join)
groups = st.tuples(
    st.sampled_from(["(", "(?:"]),
    st.lists(words, min_size=1, max_size=3).map("|".join),
    st.sampled_from([")", ")", ")?"]),
).map("".join)
branches = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(words | groups | runs, max_size=3).map("".join),
    st.sampled_from(["", "$"]),
).map("".join)
patterns = branches | st.lists(branches, min_size=2, max_size=3).map("|".join)
scribbles = st.text(st.sampled_from("ab1-_.^$|()[]{}*+?\\dws02,n:é𝒳 \n&=P<ikpLB"), max_size=10)


@settings(max_examples=500)
@given(patterns, texts)
@example("^[^a]+$", "\n")
@example("^.*a.*$", "\na")
@example("a$", "a\n")
@example("^ab.*ba$", "aba")
@example("^(a|)$", "")
def test_a_planned_pattern_answers_as_re2(pattern, text):
    matcher = plan_pattern(pattern)
    assert matcher.match(text) is witness(pattern, text)


@settings(max_examples=500)
@given(scribbles, texts)
@example("a{,2}", "a")
@example("[]a]", "]")
@example("[a-]", "-")
@example("[a-b-1]", "-")
@example("^*a", "a")
@example("(?i)a", "A")
@example("[[:alpha:]]", "a")
@example("a{1001}", "a")
@example(".{2,1}", "a")
@example("x**", "")
@example("(a$)", "a\n")
def test_whatever_is_scribbled_is_answered_or_refused_as_re2_does(pattern, text):
    matcher = plan_pattern(pattern)
    try:
        expected = witness(pattern, text)
    except re2.error:
        assert isinstance(matcher, Fault)
        assert matcher.code == "invalid_regex"
    else:
        assert matcher.match(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "admin",
        "^tasks:",
        r"@example\.com$",
        "^task$",
        "^(GET|HEAD)$",
        "read|write",
        "^/api/(v1|v2)/",
        "^https?://",
        "^a$|^b$",
    ],
)
def test_words_are_looked_for_as_words(pattern):
    assert plan_shape(pattern) is not None


def nested(inner):
    """Patterns of patterns: put together, as alternatives, repeated."""
    joined = st.lists(inner, min_size=1, max_size=3)
    return (
        joined.map("".join)
        | joined.map("|".join)
        | st.tuples(inner, repetitions, st.sampled_from(["", "", "?"])).map(
            lambda parts: f"({parts[0]}){parts[1]}{parts[2] if parts[1] else ''}"
        )
    )


anchors = st.sampled_from(
    ["^", "$", r"\A", r"\z", "", "^", "$", r"\b", r"\b", r"\B", "(?i)", "(?i:aK)", "(?s:.)", r"\pL"]
    + [r"\P{Nd}", r"[\pN_]", "[[:alpha:]-]", "(?i)s", "[^k]"]
)
regular = st.recursive(literals | runs | anchors, nested, max_leaves=8)


@settings(max_examples=1_000)
@given(regular | scribbles, texts)
@example("(a|ab)(c|bcd)*$", "abcd")
@example("(^a|b)+$", "bab")
@example("(a$|b)*c", "abc")
@example("(a*)*b", "aab")
@example("((a{2}){2}){2}", "a" * 8)
@example("(?P<x>a)(?:b|)c", "ac")
@example("[^a]b", "éb")
@example("^a?$", "")
@example("($|^)a", "a")
@example(r"\b^a", "a")
@example(r"a\b", "a")
@example(r"a\B", "ab")
@example(r"^\B$", "")
@example(r"\B", "sé_")
@example(r"\b(a|-)+\b", "-a-")
@example("(?i)k", "\u212a")
@example("(?i)[^k]", "K")
@example("(?i)(a|b(?i)c)d", "BCD")
@example("((?i)a)b", "AB")
@example("(?i)a|b", "B")
@example("[a-\u00e9]", "z")
@example("(?s).", "\n")
def test_an_automaton_answers_as_re2(pattern, text):
    try:
        expected = witness(pattern, text)
    except re2.error:
        return
    table = regular_plan(pattern)
    if table is not None:
        assert Automaton(table, Re2Matcher(pattern), 0).match(text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(a|b)+c", "^[a-z]+-[0-9]+$", "a.c", "^[a-z.]+@example[.]com$", "^v[0-9]+([.][0-9]+){0,2}$"]
    + [
        "^[a-z0-9_-]+$",
        "^user-[0-9]{1,8}$",
        r"^[^@]+@example\.com$",
        "[A-Z]",
        "^.*proj.*$",
        ".*p.*",
    ]
    + ["(?i)admin|x", r"\bword\b", r"^\pL+-\pN+$", "^[a-z]*(é|x)+$", "(?is:a.b)", "[[:alpha:]]+"]
    + [r"^(\d{1,3}\.){3}\d{1,3}$", "^[A-Z]{2,5}-[0-9]+( .*)?$", "a(b|c)*d?$", r"^\w+( \w+)*$"],
)
def test_what_is_regular_needs_no_engine_either(pattern):
    assert type(plan_pattern(pattern)) is Automaton


@pytest.mark.parametrize(
    "pattern", ["(?m)^a$", r"\Qa.b\E", r"^\p{Greek}+$", "(?-i)a", "(a|b)*a(a|b){9}"]
)
def test_the_rest_is_left_to_re2(pattern):
    assert type(plan_pattern(pattern)) is Re2Matcher


def test_an_automaton_is_small_or_is_not_made():
    for pattern in ("(a|b)*a(a|b){9}", "a{999}", "((a{50}){50}){50}", "(" * 100 + "a" + ")" * 100):
        assert regular_plan(pattern) is None
    assert regular_plan("(" + "|".join(f"word{n}" for n in range(60)) + ")+x") is None


@pytest.mark.parametrize("pattern", ["(", "a**", "[b-a]", r"\1", "(?=a)", "a{2000}", "\ud800"])
def test_a_refused_pattern_is_a_fault_that_says_why(pattern):
    fault = plan_pattern(pattern)
    assert (fault.code, len(fault.details)) == ("invalid_regex", 1)
    assert matches("a", pattern).code == "invalid_regex"


def test_a_refused_pattern_writes_nothing_to_standard_error(capfd):
    plan_pattern("(")
    assert capfd.readouterr().err == ""


def test_a_pattern_longer_than_the_limit_is_refused():
    fault = plan_pattern("a" * 11, 10)
    assert (fault.code, fault.details) == ("limit_exceeded", ("regex_length", 10))
    assert matches("a", "a" * 11, 10).code == "limit_exceeded"
    assert plan_pattern("a" * 10, 10).match("a" * 10) is True


@pytest.mark.parametrize("pattern", ["a.c", "^[^b]+$", "^.*a.*$", "(?i)ak"])
def test_a_lone_surrogate_is_a_fault_where_it_would_have_to_be_read(pattern):
    assert plan_pattern(pattern).match("a\ud800").code == "invalid_argument"


def test_matches_takes_strings_only():
    assert matches("hubba", "ubb") is True
    assert matches(1, "a").details == ("matches", "int", "string")
    assert matches("a", b"a").details == ("matches", "string", "bytes")


def test_patterns_that_are_no_constants_are_remembered_within_a_bound():
    for number in range(3 * PATTERNS_KEPT):
        assert matches(f"x{number}", f"(x)+{number}") is True


def test_a_pattern_that_makes_backtracking_engines_hang_is_answered_at_once():
    begin = time.perf_counter()
    assert plan_pattern("^(a+)+$").match("a" * 10_000 + "!") is False
    assert time.perf_counter() - begin < 1
