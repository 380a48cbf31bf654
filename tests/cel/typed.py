"""Well-typed expressions over a few variables, and values for these: what most of the language does
when it is evaluated, errors of the evaluation included.

The forms of a type are templates: `{int}` stands for any expression of that type, `{e}` for the
variable of a loop. Everything is in parentheses, so that precedence is nobody's question here.
"""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from taskman_authz._fast.values import INT_MAX, INT_MIN, UINT_MAX, UInt
from taskman_authz.cel.literals import literal_text

TYPES = {
    "v_i": "int",
    "v_j": "int",
    "v_u": "uint",
    "v_d": "double",
    "v_s": "string",
    "v_t": "string",
    "v_b": "bool",
    "v_l": "list(int)",
    "v_w": "list(string)",
    "v_m": "map(string, int)",
}
DYNAMIC = {**TYPES, "v_x": "dyn"}

INTS = st.one_of(
    st.integers(-3, 3), st.sampled_from([INT_MIN, INT_MAX, 2**31, -(2**31)]), st.integers(-99, 99)
)
UINTS = st.one_of(st.integers(0, 3), st.just(UINT_MAX), st.integers(0, 99)).map(UInt)
DOUBLES = st.sampled_from([0.0, -0.0, 0.5, -1.5, 1.0, 2.0, 3.0, 1e300, -7.25])
TEXTS = st.text("abé", max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "v_i": INTS,
    "v_j": INTS,
    "v_u": UINTS,
    "v_d": DOUBLES,
    "v_s": TEXTS,
    "v_t": TEXTS,
    "v_b": st.booleans(),
    "v_l": st.lists(INTS, max_size=3),
    "v_w": st.lists(TEXTS, max_size=3),
    "v_m": st.dictionaries(TEXTS, INTS, max_size=3),
    "v_x": st.one_of(
        st.none(), st.booleans(), INTS, UINTS, DOUBLES, TEXTS, st.lists(INTS, max_size=2)
    ),
}

LEAVES = {
    "int": ["0", "1", "2", "-1", "7", "9223372036854775807", "v_i", "v_j", "v_i"],
    "uint": ["0u", "1u", "7u", "18446744073709551615u", "v_u", "v_u"],
    "double": ["0.0", "1.0", "-0.5", "2.5", "v_d", "v_d"],
    "string": ["''", "'a'", "'ab'", "'é'", "v_s", "v_t", "v_s"],
    "bool": ["true", "false", "v_b", "v_b"],
    "ints": ["[1, 2]", "v_l", "v_l"],
    "strings": ["['a', 'ab']", "v_w", "v_w"],
    "map": ["{'a': 1}", "{'a': 1, 'b': 2}", "v_m", "v_m"],
}
FORMS = {
    "int": """({int} + {int}) | ({int} - {int}) | ({int} * {int}) | ({int} / {int}) | -({int})
        ({int} % {int}) | ({bool} ? {int} : {int}) | size({string}) | size({ints}) | {map}.size()
        ({ints})[{int}] | ({map})[{string}] | {map}.a | int({uint}) | int({double}) | [{int}][0]""",
    "uint": """({uint} + {uint}) | ({uint} - {uint}) | ({uint} * {uint}) | ({uint} / {uint})
        ({uint} % {uint}) | ({bool} ? {uint} : {uint}) | uint({int})""",
    "double": """({double} + {double}) | ({double} - {double}) | ({double} * {double})
        ({double} / {double}) | -({double}) | ({bool} ? {double} : {double}) | double({int})""",
    "string": """({string} + {string}) | ({bool} ? {string} : {string}) | string({int})
        string({bool}) | ({strings})[{int}] | string({uint})""",
    "bool": """({int} < {int}) | ({int} <= {int}) | ({int} > {int}) | ({int} >= {int})
        ({int} == {int}) | ({int} != {int}) | ({uint} < {uint}) | ({uint} == {uint})
        ({double} < {double}) | ({double} >= {double}) | ({double} == {double})
        ({string} == {string}) | ({string} != {string}) | ({string} < {string})
        ({string} == 'a') | ('ab' != {string}) | ({string} in ['a', 'b']) | ({bool} == {bool})
        ({bool} && {bool}) | ({bool} || {bool}) | ({bool} && {bool} && {bool}) | !({bool})
        ({bool} || {bool} || {bool}) | ({bool} ? {bool} : {bool})
        ({int} in {ints}) | ({string} in {strings}) | ({string} in {map}) | has(({map}).a)
        ({ints} == {ints}) | ({map} == {map}) | ({strings} != {strings})
        {string}.startsWith({string}) | {string}.endsWith({string}) | {string}.contains({string})
        {string}.matches('^a') | {string}.matches('b|é$') | {string}.matches({string})
        {ints}.exists({e}, {bool}) | {ints}.all({e}, {bool}) | {ints}.exists_one({e}, {bool})
        {strings}.exists({e}, {e} == {string}) | {map}.all({e}, {bool})
        {map}.map({e}, {map}[{e}]).exists({e}, {e} > 1) | (size({map}.filter({e}, {bool})) == 1)""",
    "ints": """({ints} + {ints}) | [{int}] | [{int}, {int}] | ({bool} ? {ints} : {ints})
        {ints}.map({e}, {int}) | {ints}.filter({e}, {bool}) | {ints}.map({e}, {bool}, {int})
        {strings}.map({e}, size({e}))""",
    "strings": """({strings} + {strings}) | [{string}]
        {ints}.map({e}, {string}) | {strings}.filter({e}, {bool})""",
    "map": """{{{string}: {int}}} | {{'a': {int}, 'b': {int}}} | ({bool} ? {map} : {map})""",
}
# Where types are not known before: the same operators, and everything may be a fault.
MIXED = """({any} == {any}) | ({any} != {any}) | ({any} < {any}) | ({any} >= {any})
    (dyn({any}) < {any}) | (dyn({any}) >= {any}) | ({any} in {any}) | (v_x && {bool})
    ({bool} || v_x) | (v_x ? true : {bool}) | !(v_x) | (v_x == 'a') | (v_x in ['a', 'b'])
    (dyn({any}) + {any} == {any}) | (({any})[{any}] == {any}) | (size(dyn({any})) > {int})
    v_x.exists({e}, {e} == {any}) | (type({any}) == type({any})) | has(v_x.a) | (v_x.a == {any})
    dyn({any}).startsWith('a') | v_x.matches('a')"""


def _split(table: str) -> list[str]:
    # `||` is an operator, and the `|` in a pattern is its own.
    return [form for line in table.splitlines() for form in re.split(r" \| ", line.strip()) if form]


TEMPLATES = {kind: _split(table) for kind, table in FORMS.items()}
MIXED_TEMPLATES = _split(MIXED)
EVERY_TEMPLATE = frozenset(MIXED_TEMPLATES).union(*TEMPLATES.values())
KINDS = ("int", "uint", "double", "string", "bool", "ints", "strings", "map")
PART = re.compile(r"\{(int|uint|double|string|bool|ints|strings|map|any|e)\}")


@st.composite
def expressions(
    draw: st.DrawFn,
    kind: str = "any",
    depth: int = 3,
    dynamic: bool = False,
    without: frozenset[str] = frozenset(),
    loops: int = 0,
) -> str:
    """An expression of a kind with at most `depth` forms inside of each other, but none of those
    in `without`; with `dynamic`, types may go wrong when it is evaluated. What it means does not
    depend on the order of a map's keys."""
    if kind == "any":
        kind = draw(st.sampled_from(KINDS))
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        loop_variables = [f"e{number}" for number in range(loops)] if kind == "int" else []
        return draw(st.sampled_from(LEAVES[kind] + loop_variables * 2))
    templates = TEMPLATES[kind]
    if dynamic and kind == "bool":
        templates = templates + MIXED_TEMPLATES * 2
    template = draw(st.sampled_from([each for each in templates if each not in without]))
    # Only where it goes over numbers may the body of a loop use its variable as one.
    inner = loops + 1 if template.startswith("{ints}.") and "{e}" in template else loops

    def part(found: re.Match[str]) -> str:
        if found[1] == "e":
            return f"e{loops}"
        behind = loops if found.start() == 0 else inner
        return draw(expressions(found[1], depth - 1, dynamic, without, behind))

    return PART.sub(part, template).replace("{{", "{").replace("}}", "}")


@st.composite
def inputs(draw: st.DrawFn) -> dict[str, Any]:
    """A value for every variable."""
    return {name: draw(values) for name, values in VALUES.items()}


def written(value: Any) -> str:
    """The literal of a value."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        pairs = (f"{written(key)}: {written(member)}" for key, member in value.items())
        return f"{{{', '.join(pairs)}}}"
    return f"({literal_text(value)})"


def with_constants(text: str, variables: dict[str, Any]) -> str:
    """The expression with the values of the variables in their place."""
    return re.sub(r"\bv_\w\b", lambda name: written(variables[name[0]]), text)
