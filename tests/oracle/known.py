"""Where a witness is known to disagree with the language definition, and with us.

Each has an example, which a test evaluates with both, so that an entry that is no longer true is
found out; the section of the language definition that decides; and the templates of
`tests.cel.typed` that a comparison leaves out, because what they make may meet it.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.cel.typed import EVERY_TEMPLATE
from tests.oracle.witnesses import ERROR, REFUSED, Form


class Disagreement(NamedTuple):
    """`expression` is `ours` for us and `theirs` for the witness."""

    expression: str
    ours: Form
    theirs: Form
    section: str
    why: str
    without: frozenset[str]


CPP = (
    Disagreement(
        "1 < 2.0",
        ("bool", True),
        REFUSED,
        "Ordering",
        "numbers of different types are ordered; its checker has no overload for it",
        frozenset({"({any} < {any})", "({any} >= {any})"}),
    ),
)
CEL_PYTHON = (
    Disagreement(
        "-1.0 / 0.0",
        ("double", "-inf"),
        ("double", "inf"),
        "Numeric Values",
        "doubles are those of IEEE 754; it divides by zero by rules of its own",
        frozenset({"({double} / {double})"}),
    ),
    Disagreement(
        "int(-9223372036854775808.0)",
        ERROR,
        ("int", -(2**63)),
        "Overflow",
        "a double cannot tell the lowest int from what lies below it",
        frozenset({"int({double})"}),
    ),
    Disagreement(
        "string(true)",
        ("string", "true"),
        ("string", "True"),
        "List of Standard Definitions, string",
        "a bool is written as its literal is",
        frozenset({"string({bool})"}),
    ),
    Disagreement(
        "[1, 2][-1]",
        ERROR,
        ("int", 2),
        "Field Selection",
        "a list is indexed from zero; it counts from the end as Python does",
        frozenset({"({ints})[{int}]", "({strings})[{int}]"}),
    ),
    Disagreement(
        "{'a': 1 / 0}",
        ERROR,
        ("map", frozenset({(("string", "a"), ERROR)})),
        "Evaluation",
        "a map with an error in it is an error; it gives a map that holds the error",
        frozenset({"{{{string}: {int}}}", "{{'a': {int}, 'b': {int}}}"}),
    ),
    Disagreement(
        "[1].map(x, x > 0, x)",
        ("list", (("int", 1),)),
        ("crash", "ValueError"),
        "Macros",
        "`map` takes a predicate too",
        frozenset({"{ints}.map({e}, {bool}, {int})"}),
    ),
    Disagreement(
        "false && [1].map(x, 1 / 0) == [1]",
        ("bool", False),
        ERROR,
        "Logical Operators",
        "false decides whatever the other operand is; it does not absorb the errors of macros",
        frozenset(
            each
            for each in EVERY_TEMPLATE
            if any(macro in each for macro in (".map(", ".filter(", ".exists_one("))
        ),
    ),
)


def without(known: tuple[Disagreement, ...]) -> frozenset[str]:
    """The templates that a comparison leaves out."""
    return frozenset().union(*(each.without for each in known))
