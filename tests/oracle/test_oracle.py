"""We and independent implementations of the language say the same to whatever is generated.

`ORACLE_EXAMPLES=100000 pytest tests/oracle -rP` compares so many expressions, some 700 a second,
and says how many met which known disagreement, from a new seed at every run; `ORACLE_SEED` sets
it. Without either a thousand are compared, always the same.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from tests.cel.typed import EVERY_TEMPLATE, TYPES, expressions, inputs
from tests.oracle import generated
from tests.oracle.known import KNOWN, outcome
from tests.oracle.witnesses import celpy_says, cpp_says, ours

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "1000"))
SEARCHING = "ORACLE_EXAMPLES" in os.environ
SEED = os.environ.get("ORACLE_SEED") or (str(time.time_ns()) if SEARCHING else "0")
SHOWN = 10  # unexplained disagreements, after which a run ends
WITNESSES = {"cel-expr-python": cpp_says, "cel-python": celpy_says}
LEFT_OUT = frozenset(each for known in KNOWN["cel-python"] for each in known.without)


def explained(made, variables):
    """The known disagreement that a tree meets, or the least of it that none explains."""

    def says(tree):
        return tuple(each(str(tree), generated.TYPES, variables) for each in (ours, cpp_says))

    def differs(tree):
        first, second = says(tree)
        return first != second

    least = generated.reduced(made, differs)
    said = (*says(least), cpp_says(generated.unbound(least), generated.TYPES, variables))
    for known in KNOWN["cel-expr-python"]:
        if known.explains(str(least), *said):
            return known.example, ""
    read = {name: value for name, value in variables.items() if name in str(least)}
    return "", f"{least}\n  ours: {outcome(said[0])}\n  theirs: {outcome(said[1])}\n  with {read}"


def test_the_cpp_implementation_says_the_same():
    random = Random(SEED)
    known, unknown = Counter(), []
    start, done = time.monotonic(), 0
    while done < EXAMPLES and len(unknown) < SHOWN:
        done += 1
        made, variables = generated.expression(random), generated.inputs(random)
        text = str(made)
        if ours(text, generated.TYPES, variables) == cpp_says(text, generated.TYPES, variables):
            continue
        entry, least = explained(made, variables)
        known[entry] += 1
        unknown += [least] if least else []
    rate = done / (time.monotonic() - start)
    print(f"{done} expressions, seed {SEED}, {rate:.0f} a second; known disagreements:")
    print(*(f"{count:8} {entry}" for entry, count in known.most_common()), sep="\n")
    assert not unknown, "\n".join([f"seed {SEED}", *unknown])


@settings(
    max_examples=max(100, EXAMPLES // 10),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(expressions(without=LEFT_OUT), inputs())
def test_cel_python_says_the_same(text, variables):
    values = {name: variables[name] for name in TYPES}
    assert ours(text, TYPES, values) == celpy_says(text, TYPES, values)


# -- known disagreements -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("witness", "known"),
    [
        pytest.param(WITNESSES[name], each, id=f"{name}: {each.example}")
        for name, entries in KNOWN.items()
        for each in entries
    ],
)
def test_a_known_disagreement_is_still_one(witness, known):
    assert outcome(ours(known.example, {}, {})) == known.ours
    assert outcome(witness(known.example, {}, {})) == known.theirs
    assert known.decides and known.why and bool(known.where) != bool(known.without)
    assert EVERY_TEMPLATE.issuperset(known.without)
