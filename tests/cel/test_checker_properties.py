from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.tree import Call, Expr, Ident, ListExpr, Select
from taskman_authz.cel import CelType, Env, UInt
from taskman_authz.cel.checker import check
from taskman_authz.cel.decls import VariableDecl
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.types import DYN, Kind, is_dyn, is_nullable
from taskman_authz.errors import CompileError, EvaluationError
from taskman_authz.issues import Issues
from tests.cel.checking import DECLARATIONS, VARIABLES, checked, type_of

ATOMS = st.sampled_from(
    [
        "null",
        "true",
        "1",
        "2u",
        "1.5",
        "'a'",
        "b'a'",
        "[]",
        "{}",
        "i",
        "s",
        "x",
        "wi",
        "ints",
        "ages",
    ]
    + ["task", "maybe", "nobody", "n", "now", "int", "optional.none()"]
)
SHAPES = (
    ["({0} + {1})", "({0} == {1})", "({0} && {1})", "({0} ? {1} : {0})", "[{0}, {1}]", "{0}.owner"]
    + ["{{{0}: {1}}}", "{0}[{1}]", "({0} in {1})", "{0}.map(n, {1})", "{0}.all(n, {1})", "-{0}"]
    + ["{0}.filter(n, {1})", "size({0})", "type({0})", "dyn({0})", "has({0}.b)", "{0}.?c", "!{0}"]
    + ["[?{0}]", "{0}.exists_one(m, m == {1})", "optional.of({0})", "{0}.size()", "{0}[?{1}]"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.builds(
        lambda shape, one, two: shape.format(one, two), st.sampled_from(SHAPES), inner, inner
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_checking_gives_a_type_to_what_it_accepts_and_never_raises(text):
    source = Source(text)
    try:
        tree = parse(source).expr
    except CompileError:
        return
    found = check(tree, source, DECLARATIONS)
    assert isinstance(found.issues, Issues)
    assert not found.type.generic
    assert found.types[tree.id] is found.type
    assert not any(type.generic for type in found.types.values())
    if found.type.kind.name == "ERROR":
        assert found.issues


@given(EXPRESSIONS)
def test_checking_twice_says_the_same(text):
    try:
        first, second = checked(text), checked(text)
    except CompileError:
        return
    assert (first.types, first.references, first.issues) == (
        second.types,
        second.references,
        second.issues,
    )


@given(EXPRESSIONS)
def test_an_expression_over_dyn_is_accepted_wherever_one_over_typed_variables_is(text):
    loose = DECLARATIONS.extended([VariableDecl(name, DYN) for name in (*VARIABLES, "task")])
    try:
        if checked(text).issues:
            return
    except CompileError:
        return
    assert not checked(text, loose).issues


VALUES = {
    "i": -3,
    "u": UInt(4),
    "d": 0.5,
    "s": "a",
    "b": True,
    "x": [1, "a"],
    "wi": None,
    "ints": [1, 2],
    "strings": ["a"],
    "ages": {"bob": 7},
    "now": datetime.fromisoformat("2026-01-01T00:00:00+00:00"),
    "attributes": {"owner": "a", "bob": [1.5]},
}
KINDS = {
    Kind.NULL: type(None),
    Kind.BOOL: bool,
    Kind.INT: int,
    Kind.UINT: UInt,
    Kind.DOUBLE: float,
    Kind.STRING: str,
    Kind.BYTES: bytes,
    Kind.TYPE: CelType,
}


def is_of(value, type):
    """Whether a plain value belongs to a type."""
    if is_dyn(type) or (value is None and is_nullable(type)):
        return True
    if type.kind is Kind.LIST:
        return isinstance(value, list) and all(is_of(one, type.parameters[0]) for one in value)
    if type.kind is Kind.MAP:
        keys, values = type.parameters
        return all(is_of(key, keys) and is_of(one, values) for key, one in value.items())
    if type.kind in (Kind.TIMESTAMP, Kind.DURATION):
        return isinstance(value, datetime if type.kind is Kind.TIMESTAMP else timedelta)
    return KINDS[type.kind] is value.__class__


EVALUATED = st.recursive(
    st.sampled_from([*VALUES, "null", "1", "2u", "1.5", "'bob'", "[]", "{}", "int", "true", "n"]),
    lambda inner: st.builds(
        lambda shape, one, two: shape.format(one, two),
        st.sampled_from([one for one in SHAPES if "?{" not in one and "optional" not in one]),
        inner,
        inner,
    ),
    max_leaves=12,
)


@given(EVALUATED)
def test_where_nothing_is_dyn_a_value_is_of_the_type_that_was_found(text):
    env = Env({name: type for name, type in VARIABLES.items() if name in VALUES})
    try:
        if any("dyn" in str(type) for type in env.check(text).types.values()):
            return
        program = env.compile(text)
        value = program.evaluate(VALUES)
    except (CompileError, EvaluationError):
        return
    assert is_of(value, program.type), (value, program.type)


# -- sizes -----------------------------------------------------------------------------------------


def test_a_type_that_doubles_with_each_macro_is_checked_at_once():
    text = "[1]" + ".map(n, {n: n})" * 60
    assert type_of(text).startswith("list(map(map(")


def test_type_parameters_that_double_with_each_level_are_checked_at_once():
    levels = 40
    left = "".join(f"{{x{n}: " for n in range(levels)) + "0" + "}" * levels
    right = "".join(f"{{{{x{n + 1}: x{n + 1}}}: " for n in range(levels)) + "0" + "}" * levels
    text = f"{left} == {right}"
    for number in range(levels, -1, -1):
        text = f"[].exists(x{number}, {text})"
    assert checked(text).type


@pytest.mark.parametrize(
    "deepen",
    [
        lambda tree, id: Select(id, 0, tree, "f"),
        lambda tree, id: Call(id, 0, "!_", None, (tree,)),
        lambda tree, id: Call(id, 0, "size", tree, ()),
        lambda tree, id: ListExpr(id, 0, (tree,)),
    ],
)
def test_a_tree_that_no_parser_has_bounded_is_an_issue_at_most(deepen):
    nodes: list[Expr] = [Ident(1, 0, "x")]
    for id in range(2, 20_000):
        nodes.append(deepen(nodes[-1], id))
    found = check(nodes[-1], Source("x"), DECLARATIONS)
    assert all(issue.code == "limit_exceeded" for issue in found.issues)
    del found
    while nodes:  # freed from the root down, one by one: not by a recursion in C
        nodes.pop()


@pytest.mark.parametrize("function", ["_?._", "_==_", "_?_:_", "_&&_", "_[_]", "!_", "size", "_+_"])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_an_operator_with_a_wrong_number_of_operands_is_an_issue_at_most(function, count):
    operands = tuple(Ident(id, 0, "s") for id in range(2, 2 + count))
    found = check(Call(1, 0, function, None, operands), Source("s"), DECLARATIONS)
    assert found.issues or function == "_&&_" or (function, count) == ("size", 1)
