"""A caret under a character of a scalar stands under that character in the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz.policy.scalars import offsets
from taskman_authz.policy.yaml_reader import places

CASES = [
    ("plain", "a: b == 1 && c"),
    ("plain over lines", "a: b == 1 &&\n   c == 2\n"),
    ("single quotes", "a: 'x == ''y'' &&\n  z'"),
    ("literal", "a: |\n  x == 'é😀' &&\n\n    y\n"),
    ("literal with a comment", "a: |-  # x y\n  x && y\n"),
    ("literal with indentation", "a: |2\n    x &&\n  y\n"),
    ("folded", "a: >-\n  x &&\n  y\n\n  z\n\n   && w\n"),
    ("anchored and tagged", "a: !!str &x |\n  x && y\n"),
    ("carriage returns", "a: |\r\n  x &&\r\n  y\r\n"),
]


@pytest.mark.parametrize("text", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_character_is_told_where_it_stands(text: str) -> None:
    extent = places("f", text)[(0, "a")]
    found = offsets(text, extent)
    assert len(found) == len(extent.value) + 1
    for offset, character in zip(found, extent.value, strict=False):
        assert character.isspace() or text[offset] == character


def test_escapes_are_told_where_they_begin() -> None:
    text = 'a: "x\\ty == \\"z\\" \\x41\\u00e9 \\\n   w"'
    extent = places("f", text)[(0, "a")]
    found = dict(zip(extent.value, offsets(text, extent), strict=False))
    for character, written in (("x", "x"), ("y", "y"), ("z", "z"), ("w", "w")):
        assert text[found[character]] == written
    assert text[found["A"] :].startswith("\\x41")
    assert text[found["é"] :].startswith("\\u00e9")


@given(
    st.text(st.sampled_from("ab '\"\\\n\té😀:#|>-"), max_size=30),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.integers(10, 80),
)
def test_offsets_grow_and_stay_within_the_scalar(value: str, style: str | None, width: int) -> None:
    text = yaml.safe_dump({"a": value}, default_style=style, width=width, allow_unicode=True)
    extent = places("f", text).get((0, "a"))
    if extent is None or extent.value != value:  # the style quotes the key, or reads otherwise
        return
    found = offsets(text, extent)
    assert len(found) == len(value) + 1
    assert found == sorted(found)
    assert all(extent.start <= offset <= extent.end for offset in found)
    if style != '"':
        for offset, character in zip(found, value, strict=False):
            assert character.isspace() or text[offset] in (character, "\\")
