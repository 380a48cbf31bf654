"""Texts are compared where they lie, with the answers, the faults and the steps of nodes whose
operands are read by the general way."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz._fast import calls, logic, native, nodes, relations
from taskman_authz._fast.activation import Activation
from taskman_authz._fast.activation import Path as Attributes
from taskman_authz._fast.values import Fault

from .strategies import VALUES, same

PATHS = [Attributes(0, "a", ("b",)), Attributes(0, "a", ("c",)), Attributes(1, "z", ("b",))]
ROOTS = {"a": Attributes(0, "a", ()), "z": Attributes(1, "z", ())}

# Of one length and of several, of each width that Python keeps characters in, and one that takes
# steps to compare.
WORDS = st.sampled_from(["", "a", "b", "ab", "bb", "é", "aé", "€", "a€", "😀", "a😀", "x" * 70])
HELD = st.one_of(WORDS, st.lists(WORDS, max_size=3), st.lists(VALUES, max_size=2), VALUES)
MEMBERS = st.dictionaries(st.sampled_from("bc"), HELD)
VARIABLES = st.dictionaries(st.sampled_from("az"), st.one_of(MEMBERS, MEMBERS, MEMBERS, VALUES))


def attribute(slot: int, kept: bool) -> nodes.Node:
    made = nodes.Attribute(slot, PATHS[slot], 3)
    made.kept = kept
    return made


def member(slot: int) -> nodes.Node:
    """The same, as a member of a variable: no attribute."""
    path = PATHS[slot]
    root = nodes.Attribute(slot, ROOTS[path.name], 3)
    root.kept = False
    return nodes.Member(root, path.members[0], 3)


def comparisons(first, second, third, text):
    """One of each node that looks where texts lie, over three operands."""
    return (
        relations.EqualText(first, text, False, 5),
        relations.EqualText(second, text, True, 5),
        relations.TextIn(text, first, 5),
        relations.TextIn(text, third, 5),
        relations.Equal(first, third, 5),
        relations.Equal(third, second, 5),
        calls.Contains(relations.member_of, first, nodes.Constant(text, 4), True, 5),
        calls.Contains(relations.member_of, third, second, True, 5),
    )


def evaluated(made, variables, steps=1000):
    """What nodes come to in one evaluation, and the steps that are left."""
    activation = Activation(len(PATHS), 0, len(ROOTS), steps)
    activation.read_from(variables)
    return [(nodes.evaluate(node, activation), activation.steps) for node in made]


@given(VARIABLES, WORDS, st.lists(st.booleans(), min_size=3, max_size=3), st.integers(0, 6))
@example({"a": {"b": ["a", 1], "c": "a"}, "z": {"b": ["b"]}}, "b", [True, False, True], 3)
def test_where_an_attribute_lies_changes_no_answer_and_no_steps(variables, text, kept, steps):
    near = comparisons(*map(attribute, range(3), kept), text)
    far = comparisons(*map(member, range(3)), text)
    for one, other in zip(
        evaluated(near, variables, steps), evaluated(far, variables, steps), strict=True
    ):
        assert same(one[0], other[0])
        assert one[1] == other[1]
        if type(other[0]) is Fault:
            assert (one[0].details, one[0].position) == (other[0].details, other[0].position)


@given(VARIABLES, WORDS)
def test_conditions_over_attributes_that_lie_there_are_those_over_others(variables, text):
    for join in (logic.And, logic.Or):
        near = join(comparisons(*(attribute(n, False) for n in range(3)), text)[:6], 0)
        far = join(comparisons(*(member(n) for n in range(3)), text)[:6], 0)
        assert same(evaluated([near], variables)[0][0], evaluated([far], variables)[0][0])


class Key:
    """Stands where "b" is looked for; once it is `ready`, to compare it runs something."""

    ready = False

    def __init__(self, run):
        self.run = run

    def __hash__(self):
        return hash("b")

    def __eq__(self, other):
        if Key.ready:
            self.run()
        return False


@pytest.fixture
def ready(monkeypatch):
    return lambda: monkeypatch.setattr(Key, "ready", True)


TEXT = "text"
OVER_ATTRIBUTES = comparisons(*(attribute(slot, False) for slot in range(3)), TEXT)


@pytest.mark.parametrize("number", range(len(OVER_ATTRIBUTES)))
def test_what_is_read_stays_while_a_key_takes_it_away(number, ready):
    variables = {}
    # Texts that nothing else holds.
    for name in "az":
        members = {Key(variables.clear): 0, "b": "".join(["te", "xt"]), "c": "".join(["te", "xt"])}
        variables[name] = members
    del members
    ready()
    ((found, _),) = evaluated([OVER_ATTRIBUTES[number]], variables)
    assert type(found) in (bool, Fault)
    if number == 0:
        assert found is True


@pytest.mark.parametrize("number", [0, 2, 3, 4, 5, 6, 7])  # number 1 reads what is beside no key
def test_what_a_key_raises_is_raised(number, ready):
    def fail():
        raise ZeroDivisionError

    variables = {"a": {Key(fail): 0, "b": "a", "c": "a"}, "z": {Key(fail): 0, "b": "a"}}
    ready()
    with pytest.raises(ZeroDivisionError):
        evaluated([OVER_ATTRIBUTES[number]], variables)


def test_both_sources_have_the_same_functions():
    path = Path(str(native.__file__))
    header = path.with_suffix(".pxd").read_text(encoding="utf-8")
    functions = [
        each.name
        for each in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(each, ast.FunctionDef)
    ]
    assert functions
    for name in functions:
        assert re.search(rf"^cdef inline [^\n]*\b{name}\(", header, re.M), name
