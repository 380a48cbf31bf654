"""Expressions for properties: texts that are valid, made of what the language has."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = st.sampled_from("a b c x1 _y subject resource inner truely".split())
FIELDS = st.one_of(NAMES, st.sampled_from(["for", "package", "`b-c`", "`in`", "`a b`"]))
NUMBERS = st.one_of(
    st.integers(0, 2**63 - 1).map(str),
    st.integers(0, 2**63 - 1).map(hex),
    st.integers(0, 2**64 - 1).map(lambda n: f"{n}u"),
    st.floats(allow_nan=False, allow_infinity=False, min_value=0).map(repr),
    st.sampled_from(["1e3", ".5", "1.5E-7", "0x1fU", "007", "9223372036854775807"]),
)
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\\\"'\r\n`")
ESCAPES = st.sampled_from([r"\n", r"\\", r"\'", r"\"", r"\`", r"\?", r"\x41", r"\101"])
UNICODE_ESCAPES = st.sampled_from([r"\u00e9", r"\U0001F600"])


def _quoted(inner):
    body = st.lists(inner, max_size=4).map("".join)
    quotes = st.sampled_from(["'", '"', "'''", '"""'])
    return st.builds(lambda quote, text: f"{quote}{text}{quote}", quotes, body)


STRINGS = _quoted(st.one_of(CHARACTERS, ESCAPES, UNICODE_ESCAPES))
RAW = _quoted(st.one_of(CHARACTERS, st.just("\\d"))).map(lambda text: f"r{text}")
BYTES = _quoted(st.one_of(CHARACTERS, ESCAPES)).map(lambda text: f"b{text}")
ATOMS = st.one_of(
    NAMES,
    NAMES.map(lambda name: f".{name}"),
    NUMBERS,
    NUMBERS.map(lambda number: f"-{number}" if not number.lower().endswith("u") else number),
    STRINGS,
    RAW,
    RAW.map(lambda text: f"B{text}"),
    BYTES,
    st.sampled_from(["true", "false", "null"]),
)
BINARY = st.sampled_from("&& && && || || || == != < <= > >= in + - * / %".split())
MACROS = st.sampled_from("all exists exists_one existsOne map filter".split())
MARK = st.sampled_from(["", "", "?"])


def _joined(texts):
    return st.lists(texts, max_size=3).map(", ".join)


def _composed(inner):
    operand = inner.map(lambda text: f"({text})")
    entry = st.builds("{}{}: {}".format, MARK, inner, inner)
    field = st.builds("{}{}: {}".format, MARK, FIELDS, inner)
    element = st.builds("{}{}".format, MARK, inner)
    return st.one_of(
        st.builds("{} {} {}".format, operand, BINARY, operand),
        st.lists(operand, min_size=2, max_size=9).map(" && ".join),
        st.lists(operand, min_size=2, max_size=9).map(" || ".join),
        st.builds("{} ? {} : {}".format, operand, operand, inner),
        st.builds("{}{}".format, st.sampled_from(["!", "-", "!!", "--", "---"]), operand),
        st.builds("{}.{}".format, operand, FIELDS),
        st.builds("{}.?{}".format, operand, FIELDS),
        st.builds("{}[{}{}]".format, operand, MARK, inner),
        st.builds("{}({})".format, NAMES, _joined(inner)),
        st.builds("{}.{}({})".format, operand, NAMES, _joined(inner)),
        _joined(element).map("[{}]".format),
        _joined(entry).map("{{{}}}".format),
        st.builds("{}.{}{{{}}}".format, NAMES, NAMES, _joined(field)),
        st.builds("has({}.{})".format, operand, FIELDS),
        st.builds("{}.{}({}, {})".format, operand, MACROS, NAMES, inner),
        st.builds("{}.map({}, {}, {})".format, operand, NAMES, inner, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, _composed, max_leaves=12)
