"""YAML is read by the core schema of YAML 1.2, bounded, and never raises."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.limits import Limits
from taskman_authz.policy.yaml_reader import places, read


def only(text: str) -> Any:
    stream = read("f.yaml", text)
    assert not stream.issues, [issue.render() for issue in stream.issues]
    (document,) = stream.documents
    return document


def issue(text: str, limits: Limits | None = None) -> tuple[int, int, str, str]:
    """Line, column, code and hint of the only issue."""
    stream = read("f.yaml", text, limits or Limits())
    assert stream.documents == []
    (found,) = stream.issues
    assert found.place.source == "f.yaml"
    return found.place.line, found.place.column, found.code, found.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-0x1", "-0x1"),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5e3", 1500.0),
        ("-.inf", float("-inf")),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("null", None),
        ("", None),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("tasks:*", "tasks:*"),
    ],
)
def test_plain_scalar_is_what_yaml_1_2_says(text: str, value: Any) -> None:
    assert only(f"key: {text}") == {"key": value}


def test_number_of_thousands_of_digits_is_a_number() -> None:
    assert isinstance(only("key: " + "9" * 5_000)["key"], float)


def test_documents_of_a_stream_are_told_without_the_empty_ones() -> None:
    assert read("f", "---\n---\na: 1\n---\n# nothing\n---\nb: 2\n").documents == [
        {"a": 1},
        {"b": 2},
    ]


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n"])
def test_text_with_nothing_in_it_has_no_documents(text: str) -> None:
    assert read("f", text) == ([], [])


def test_alias_stands_for_what_its_anchor_marks() -> None:
    assert only("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("a: 1\na: 2", 2, 1, "duplicate_key"),
        ("é😀: 1\né😀: 2", 2, 1, "duplicate_key"),
        ("b:\n  - a: 1\n    a: 2", 3, 5, "duplicate_key"),
        ("a: *x", 1, 4, "unknown_alias"),
        ("&a [*a]", 1, 5, "unknown_alias"),
        ("a: &x 1\n---\nb: *x", 3, 4, "unknown_alias"),
        ("a: !has(x)", 1, 4, "unexpected_tag"),
        ("? [a]\n: 1", 1, 3, "bad_key"),
        ("a: \x01", 1, 4, "malformed_yaml"),
        ("a: \ud800", 1, 4, "malformed_yaml"),
        ("a: 'x", 1, 4, "malformed_yaml"),
        ("a: x ? b : c", 1, 10, "malformed_yaml"),
        ("a:\n\tb: c", 2, 1, "malformed_yaml"),
        ("a: @b", 1, 4, "malformed_yaml"),
        ("a: [*]", 1, 6, "malformed_yaml"),
        ("a: [1", 1, 6, "malformed_yaml"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, line: int, column: int, code: str) -> None:
    assert issue(text)[:3] == (line, column, code)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a:\n\tb: c", "spaces"),
        ("a: x ? b : c", "quotes"),
        ("a: [*]", "quotes"),
        ("a: @b", "quotes"),
        ("a: !has(x)", "quotes"),
    ],
)
def test_hint_tells_what_usually_helps(text: str, word: str) -> None:
    assert word in issue(text)[3]


def test_all_issues_of_a_text_are_told() -> None:
    assert len(read("f", "a: 1\na: 2\nb: *x\nc: !t 1\n").issues) == 3


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("[" * 100_000, Limits(), "document_too_deep"),
        ("a:\n" + "".join(" " * n + "a:\n" for n in range(1, 30)), Limits(), "document_too_deep"),
        ("a: 123456", Limits(document_bytes=8), "document_too_large"),
        ("[1, 2, 3, 4]", Limits(document_values=4), "document_too_large"),
    ],
)
def test_size_and_depth_are_bounded(text: str, limits: Limits, code: str) -> None:
    assert issue(text, limits)[2] == code


def test_aliases_that_multiply_are_refused_before_they_are_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert issue("\n".join(lines))[2] == "document_too_large"


@given(st.text(max_size=40))
def test_reading_any_text_tells_documents_or_issues(text: str) -> None:
    stream = read("f", text)
    assert not (stream.documents and stream.issues)


# Without the line breaks of YAML 1.1, which what dumps does not write as they are read.
texts = st.text(st.sampled_from("aO~19 \n'\"\\:#&*!|>-?{}[],%@`é😀"), max_size=6)
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 99), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=10,
)


@given(st.dictionaries(texts, plain, max_size=3))
def test_what_is_dumped_is_read_again(data: dict[str, Any]) -> None:
    assert only(yaml.safe_dump(data, allow_unicode=True)) == data


def test_places_are_those_of_keys_and_values() -> None:
    text = "a: 1\nb:\n  - x\n  - c: 'y'\n"
    found = places("f", text)
    assert text[found[(0, "b", 0)].start] == "x"
    extent = found[(0, "b", 1, "c")]
    assert (text[extent.start : extent.end], text[extent.key]) == ("'y'", "c")
    assert (extent.style, extent.value) == ("'", "y")
