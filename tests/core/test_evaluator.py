"""A planned expression can be asked again and again, within itself too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import nodes
from taskman_authz._fast.activation import Path
from taskman_authz._fast.evaluator import Evaluator
from taskman_authz._fast.values import Fault
from tests.core.strategies import VALUES, constant, is_fault, same

X = nodes.Attribute(0, Path(0, "x", ()), 3)


class Shouting(Evaluator):
    """As a `Program` is: it says what becomes of what is not plain."""

    def finish(self, value):
        return ("finished", value)


@given(st.lists(VALUES, max_size=5))
def test_an_evaluation_forgets_the_one_before(values):
    program = Evaluator(X, 1, 0, 1)
    for value in values:
        assert same(program.value({"x": value}), value)
    assert is_fault(program.value({}), "no_such_attribute", "x", position=3)
    assert is_fault(program.evaluate(), "no_such_attribute", "x", position=3)


@given(VALUES)
def test_only_what_is_not_plain_is_finished(value):
    plain = value is None or type(value) in (bool, int, float, str)
    found = Shouting(X, 1, 0, 1).evaluate({"x": value})
    assert same(found, value) if plain else found[0] == "finished" and same(found[1], value)


def test_a_fault_is_finished():
    assert Shouting(X, 1, 0, 1).evaluate({})[0] == "finished"


def test_an_evaluation_within_an_evaluation_has_its_own_memory():
    inner = Evaluator(X, 1, 0, 1)

    def ask(x):
        return x if x == 0 else [x, outer.value({"x": x - 1}), inner.value({"x": -x})]

    outer = Evaluator(nodes.Call(ask, (X,), 0), 1, 0, 1)
    assert outer.value({"x": 2}) == [2, [1, 0, -1], -2]


def test_an_evaluation_that_is_interrupted_leaves_nothing_behind():
    def interrupt(x):
        if x == "stop":
            raise KeyboardInterrupt
        return x

    program = Evaluator(nodes.Call(interrupt, (X,), 0), 1, 0, 1)
    for _ in range(10):
        with pytest.raises(KeyboardInterrupt):
            program.value({"x": "stop"})
        assert program.value({"x": 1}) == 1
        assert type(program.value({})) is Fault


def test_it_shows_what_it_was_made_of():
    program = Evaluator(constant(1), 1, 2, 1)
    assert (type(program.node), program.slots, program.registers, program.roots) == (
        nodes.Constant,
        1,
        2,
        1,
    )
