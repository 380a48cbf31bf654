"""Expressions made at random of the forms in `forms.txt`, and values for their variables.

What is made is a tree, so that one over which two implementations disagree can be reduced to the
least of it that they still disagree over. Numbers of a `random.Random` choose: the same seed makes
the same expressions, some thousand a second.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from taskman_authz._fast.values import UInt

PARTS = re.compile(r"\{(\^?)([eb]:)?([a-z]+)\}")
Scope = dict[str, str]  # the names that loops and bindings give, and the kinds of their values


class Form(NamedTuple):
    """A form: its text, and for each of its parts whether it is outside of what is named before it,
    the letter of its name if it is one, and its kind. `pieces` is the text around them."""

    text: str
    pieces: tuple[str, ...]
    parts: tuple[tuple[bool, str, str], ...]


class Made(NamedTuple):
    """A form with its parts filled in: trees, or the names of variables. A leaf has none."""

    kind: str
    form: Form
    parts: tuple[Made | str, ...]

    def __str__(self) -> str:
        pairs = zip(self.form.pieces, map(str, self.parts), strict=False)
        return "".join(map("".join, pairs)) + self.form.pieces[-1]

    def trees(self) -> Iterator[Made]:
        """This tree and all in it."""
        yield self
        for part in self.parts:
            if isinstance(part, Made):
                yield from part.trees()


def form_of(text: str) -> Form:
    found = list(PARTS.finditer(text))
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    pieces = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
    return Form(text, pieces, tuple((bool(m[1]), (m[2] or "")[:1], m[3]) for m in found))


class Forms(NamedTuple):
    """What a kind may be."""

    leaves: list[Form]
    forms: list[Form]


def read(path: Path) -> dict[str, Forms]:
    """The table of forms in a file."""
    table: dict[str, Forms] = {}
    for line in path.read_text("utf-8").splitlines():
        if re.fullmatch(r"\[[a-z]+\]", line):
            kind = table[line[1:-1]] = Forms([], [])
        elif line.startswith("= "):
            kind.leaves.extend(Form(leaf, (leaf,), ()) for leaf in line[2:].split())
        elif line and not line.startswith("# "):
            kind.forms.append(form_of(line))
    return table


TABLE = read(Path(__file__).with_name("forms.txt"))
KINDS = ("bool", "int", "uint", "double", "string", "bytes", "ints", "strings", "map", "dyns")


def leaf(random: Random, kind: str, scope: Scope) -> Made:
    """The least expression of a kind: a literal, a variable, or a name that is in scope."""
    leaves = TABLE[kind].leaves
    if not leaves:
        return make(random, kind, 0, scope)
    named = [name for name, its in scope.items() if its == kind]
    if named and random.random() < 0.5:
        name = random.choice(named)
        return Made(kind, Form(name, (name,), ()), ())
    return Made(kind, random.choice(leaves), ())


def make(random: Random, kind: str, depth: int, scope: Scope) -> Made:
    """An expression of a kind with at most `depth` forms inside of each other."""
    forms = TABLE[kind].forms
    if not forms or (depth <= 0 and TABLE[kind].leaves) or (depth < 3 and random.random() < 0.25):
        return leaf(random, kind, scope) if TABLE[kind].leaves else fill(random, kind, depth, scope)
    return fill(random, kind, depth, scope)


def fill(random: Random, kind: str, depth: int, scope: Scope) -> Made:
    form = random.choice(TABLE[kind].forms)
    inner = scope
    parts: list[Made | str] = []
    for outside, letter, its in form.parts:
        if letter:
            name = name_for(random, letter, inner, parts)
            parts.append(name)
            inner = {**inner, name: its}
        else:
            parts.append(make(random, its, depth - 1, scope if outside else inner))
    if len(parts) == 1 and form.pieces == ("", ""):  # a kind that stands for others
        return parts[0]  # type: ignore[return-value]
    return Made(kind, form, tuple(parts))


def name_for(random: Random, letter: str, scope: Scope, taken: list[Made | str]) -> str:
    """A name for a loop or a binding. That of a loop may hide another, or a variable."""
    if letter == "b":  # the C++ witness mixes up what is bound and loops of the same name
        return f"b{random.randrange(10**9)}"
    hidden = random.choice([*scope, "v_i"])
    return hidden if hidden not in taken and random.random() < 0.1 else f"e{len(scope)}"


def expression(random: Random) -> Made:
    """An expression of some kind, more often a bool than anything else."""
    kind = "bool" if random.random() < 0.4 else random.choice(KINDS)
    return make(random, kind, random.choice((1, 2, 2, 3, 3, 4)), {})


def unbound(made: Made | str) -> str:
    """The text of a tree with what is bound in the place of its name, which is nowhere else."""
    if isinstance(made, str):
        return made
    if made.form.text.startswith("cel.bind("):
        name, bound, body = map(unbound, made.parts)
        return re.sub(rf"\b{name}\b", lambda _: f"({bound})", body)
    said = "".join(map("".join, zip(made.form.pieces, map(unbound, made.parts), strict=False)))
    return said + made.form.pieces[-1]


# -- reducing ----------------------------------------------------------------------------------


def smaller(made: Made) -> Iterator[Made]:
    """What stands in for a tree and is less: a part, a leaf, or itself with a smaller part."""
    seen = set()
    for tree in list(made.trees())[1:]:
        if str(tree) not in seen and tree.kind != "optional":  # which no witness gives back
            seen.add(str(tree))
            yield tree
    yield from less(made)


def less(made: Made) -> Iterator[Made]:
    for index, part in enumerate(made.parts):
        if not isinstance(part, Made):
            continue
        same = [tree for tree in part.trees() if tree is not part and tree.kind == part.kind]
        leaves = [Made(part.kind, form, ()) for form in TABLE[part.kind].leaves]
        for other in (*same, *(leaves if part.parts else ()), *less(part)):
            yield made._replace(parts=(*made.parts[:index], other, *made.parts[index + 1 :]))


def reduced(made: Made, differs: Callable[[Made], bool], steps: int = 2_000) -> Made:
    """The least tree that still differs, as far as `steps` trials find it."""
    found = True
    while found:
        found = False
        for other in smaller(made):
            steps -= 1
            if steps < 0:
                return made
            if len(str(other)) < len(str(made)) and differs(other):
                made, found = other, True
                break
    return made


# -- values ------------------------------------------------------------------------------------

TYPES = {
    "v_i": "int",
    "v_j": "int",
    "v_u": "uint",
    "v_d": "double",
    "v_s": "string",
    "v_t": "string",
    "v_b": "bool",
    "v_y": "bytes",
    "v_l": "list(int)",
    "v_w": "list(string)",
    "v_k": "list(dyn)",
    "v_m": "map(string, int)",
    "v_g": "map(dyn, dyn)",
    "v_p": "timestamp",
    "v_q": "duration",
    "v_x": "dyn",
    "v_z": "dyn",
}
INTS = (0, 1, 2, 3, -1, -3, 7, 63, 64, 99, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
UINTS = tuple(map(UInt, (0, 1, 2, 7, 63, 64, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)))
DOUBLES = (
    *(0.0, -0.0, 0.5, -1.5, 1.0, 2.0, 3.0, -7.25, 0.1, 1e300, -1e300, 5e-324, 2.0**53, 2.0**63),
    *(-(2.0**63), 2.0**64, 1e21, 123456789.125, float("inf"), float("-inf"), float("nan")),
)
TEXTS = (
    *("", "a", "b", "ab", "ba", "abab", "é", "e\u0301", "😀", "a😀b", "\U0001f468\u200d\U0001f469"),
    *("\n", "a b", " a ", "\u00a0a\u2003", "A", "É", "ß", "%s", "0", "1.5", "true", "10s"),
    *("2020-01-01T00:00:00Z", "(", "YWI=", "YWI", "\ufeff", "\uffff"),
)
BYTES = (b"", b"a", b"ab", b"\xff", b"\x01\x80", "é😀".encode(), b"\xed\xa0\x80", b"YQ==")
UTC = datetime.UTC
TIMES = (
    datetime.datetime(1970, 1, 1, tzinfo=UTC),
    datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC),
    datetime.datetime(2021, 3, 14, 7, 30, tzinfo=UTC),
    datetime.datetime(1700, 1, 1, tzinfo=UTC),
    datetime.datetime(2250, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime.datetime(2000, 12, 31, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=-9))),
)
SPANS = tuple(
    datetime.timedelta(**each)
    for each in (
        *({}, {"seconds": 1}, {"microseconds": -1}, {"days": 1, "seconds": 3_661}, {"hours": -36}),
        *({"milliseconds": 1_500}, {"days": 106_000}, {"minutes": 90}),
    )
)


def dynamic(random: Random, depth: int = 2) -> Any:
    """A value of any type that the C++ witness can be told: neither a time nor a uint that an int
    could be. (Expressions make those.)"""
    kind = random.randrange(9 if depth else 6)
    if kind < 6:
        return random.choice((INTS, INTS, DOUBLES, TEXTS, BYTES, (None, True, False))[kind])
    if kind == 6:
        return [dynamic(random, depth - 1) for _ in range(random.randrange(4))]
    keys = ("a", "b", "é") if kind == 7 else (*INTS, *TEXTS)
    return {random.choice(keys): dynamic(random, depth - 1) for _ in range(random.randrange(4))}


def some(random: Random, pool: tuple[Any, ...]) -> list[Any]:
    return [random.choice(pool) for _ in range(random.randrange(5))]


MAKERS: dict[str, Callable[[Random], Any]] = {
    "int": lambda random: random.choice(INTS),
    "uint": lambda random: random.choice(UINTS),
    "double": lambda random: random.choice(DOUBLES),
    "string": lambda random: random.choice(TEXTS),
    "bool": lambda random: random.random() < 0.5,
    "bytes": lambda random: random.choice(BYTES),
    "list(int)": lambda random: some(random, INTS),
    "list(string)": lambda random: some(random, TEXTS),
    "list(dyn)": lambda random: [dynamic(random, 1) for _ in range(random.randrange(4))],
    "map(string, int)": lambda random: {key: random.choice(INTS) for key in some(random, TEXTS)},
    "map(dyn, dyn)": lambda random: {
        key: dynamic(random, 1) for key in some(random, (*INTS, *TEXTS))
    },
    "timestamp": lambda random: random.choice(TIMES),
    "duration": lambda random: random.choice(SPANS),
    "dyn": dynamic,
}


def inputs(random: Random) -> dict[str, Any]:
    """A value for every variable."""
    return {name: MAKERS[type](random) for name, type in TYPES.items()}
