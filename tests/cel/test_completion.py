"""What could follow a text that is being typed, and whether it is finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.cel import Env, ext
from taskman_authz.cel.completion import completions, unfinished
from taskman_authz.errors import CompileError
from tests.cel.test_grammar import GRAMMATICAL, PIECES

ENV = Env(
    {"subject": "dyn", "tags": "list(string)", "count": "int", "now": "timestamp"},
    libraries=[make() for make in ext.LIBRARIES.values()],
)
VALUES = {"subject": {"id": "a", "roles": ["x"], "not a name": 1, "deep": {"label": "s"}}}


def offered(text):
    return completions(text, ENV, VALUES).words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("su", ["subject"]),
        ("count + co", ["count"]),
        ("f(su", ["subject"]),
        ("[su", ["subject"]),
        ("tr", ["true"]),
        ("ha", ["has("]),
        ("timest", ["timestamp("]),
        ("mat", ["matches(", "math."]),
        ("count ", ["in"]),
        ("tags.exists(tag, ta", ["tag", "tags"]),
        ("subject.i", ["id"]),
        ("subject.deep.", []),
        ("subject.deep.l", ["label"]),
        ("[subject.deep.l", ["label"]),
        ("subject.?d", ["deep"]),
        ("subject.deep.label.st", ["startsWith("]),
        ("tags[0].st", ["startsWith("]),
        ("tags.exi", ["exists(", "existsOne(", "exists_one("]),
        ("tags.filter(t, true).exi", ["exists(", "existsOne(", "exists_one("]),
        ("now.getH", ["getHours("]),
        ("count.", []),
        ("(1 + 2).", []),
        ("cel.b", ["bind(", "block("]),
        ("math.gr", ["greatest("]),
        ("lists.", ["range("]),
        ("optional.of(1).or", ["or(", "orValue("]),
        ("'a string su", []),
        ("// a comment su", []),
        ("1 2 su", []),
        ("1.", []),
    ],
)
def test_what_could_follow_is_offered(text, words):
    if text == "subject.deep.":
        assert "label" in offered(text)
        assert "startsWith(" not in offered(text)
    else:
        assert offered(text) == words


def test_the_place_of_what_is_offered_is_that_of_the_word():
    assert completions("f(subject.i", ENV, VALUES).start == len("f(subject.")


def test_no_function_is_called_to_find_fields():
    called = []
    env = Env({"x": "dyn"}, libraries=[_noting(called)])
    completions("note(x).", env, {"x": 1})
    assert called == []


def _noting(called):
    from taskman_authz.cel import function

    return function("note", "(dyn) -> dyn", called.append)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_typed_nothing_raises(text):
    found = completions(text, ENV, VALUES)
    assert 0 <= found.start <= len(text)
    unfinished(text, ENV)


@given(GRAMMATICAL)
def test_what_is_unfinished_does_not_parse(text):
    if unfinished(text, ENV):
        with pytest.raises(CompileError):
            ENV.parse(text)


@pytest.mark.parametrize("text", ["1 +", "f(1,", "[1,", "{1:", "'''a", 'r"""a', "a.", "a ? b", "!"])
def test_what_goes_on_is_unfinished(text):
    assert unfinished(text, ENV)


@pytest.mark.parametrize("text", ["", "  ", "// a", "1", "'a", "a b", "(a b", ")", "1 + +", "`a"])
def test_what_is_whole_or_wrong_is_not_unfinished(text):
    assert not unfinished(text, ENV)
