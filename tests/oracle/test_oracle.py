"""We and independent implementations of the language say the same to whatever is generated.

What is generated is new at every run; `ORACLE_EXAMPLES=10000` searches for minutes instead of
seconds.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.cel.typed import DYNAMIC, EVERY_TEMPLATE, TYPES, expressions, inputs
from tests.oracle.known import CEL_PYTHON, CPP, without
from tests.oracle.witnesses import celpy_says, cpp_says, ours

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "100"))
WITNESSES = {"cel-expr-python": (cpp_says, CPP), "cel-python": (celpy_says, CEL_PYTHON)}

compared = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def only(types, variables):
    return {name: variables[name] for name in types}


@compared
@given(expressions(), inputs())
def test_the_cpp_implementation_says_the_same(text, variables):
    values = only(TYPES, variables)
    assert ours(text, TYPES, values) == cpp_says(text, TYPES, values)


@compared
@given(expressions("bool", dynamic=True, without=without(CPP)), inputs())
def test_the_cpp_implementation_says_the_same_where_types_go_wrong(text, variables):
    values = only(DYNAMIC, variables)
    assert ours(text, DYNAMIC, values) == cpp_says(text, DYNAMIC, values)


@compared
@given(expressions(without=without(CEL_PYTHON)), inputs())
def test_cel_python_says_the_same(text, variables):
    values = only(TYPES, variables)
    assert ours(text, TYPES, values) == celpy_says(text, TYPES, values)


# -- known disagreements -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("witness", "known"),
    [
        pytest.param(says, each, id=f"{name}: {each.expression}")
        for name, (says, known) in WITNESSES.items()
        for each in known
    ],
)
def test_a_known_disagreement_is_still_one(witness, known):
    assert ours(known.expression, {}, {}) == known.ours
    assert witness(known.expression, {}, {}) == known.theirs
    assert known.section and known.why
    assert known.without <= EVERY_TEMPLATE
