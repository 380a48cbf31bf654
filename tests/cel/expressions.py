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


SIGNS = st.sampled_from(["!", "-", "!!", "--", "---"])

# `0` to `4` are expressions, `a` and `b` atoms.
FORMS = st.sampled_from(
    [
        "({0}) {operator} ({1})",
        "{a} {operator} {b}",
        "({0}) && {a} && ({1}) && {b} && {a}",
        "({0}) || {a} || ({1})",
        "({0}) ? ({1}) : {2}",
        "{sign}({0})",
        "({0}).{field}",
        "({0}).?{field}",
        "({0})[{mark}{1}]",
        "{name}({0}, {1})",
        "{name}()",
        "({0}).{name}({1})",
        "[{mark}{0}, {1}]",
        "{{{mark}{0}: {1}}}",
        "[{0},{mark}{1},]",
        "{{{0}:{1},}}",
        "{name}{{{field}:{0},}}",
        "{name}.{name}{{{mark}{field}: {0}}}",
        "has(({0}).{field})",
        "({0}).{macro}({name}, {1})",
        "({0}).map({name}, {1}, {2})",
    ]
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """A valid expression with at most `depth` forms inside of each other."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(ATOMS)
    form = draw(FORMS)
    parts = {
        "a": ATOMS,
        "b": ATOMS,
        "operator": BINARY,
        "sign": SIGNS,
        "field": FIELDS,
        "mark": MARK,
        "name": NAMES,
        "macro": MACROS,
    }
    found = {name: draw(part) for name, part in parts.items() if f"{{{name}}}" in form}
    return form.format(*(draw(expressions(depth - 1)) for _ in range(count(form))), **found)


def count(form: str) -> int:
    """How many expressions a form takes."""
    return sum(f"{{{index}}}" in form for index in range(5))


EXPRESSIONS = expressions()
