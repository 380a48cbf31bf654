"""Limits: whatever is too long, too deep or too large is refused by name, and nothing crashes."""

from __future__ import annotations

import sys

import msgspec
import pytest

from taskman_authz.cel import ext
from taskman_authz.cel.macros import STANDARD_MACROS, MacroTable
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.unparser import unparse
from taskman_authz.errors import CompileError
from taskman_authz.limits import DEFAULT
from tests.cel.trees import height

DEPTH = DEFAULT.expression_depth


def outcome(text, limits=DEFAULT, macros=STANDARD_MACROS):
    """ "" where a text is accepted; the names of the limits that it passes."""
    try:
        parse(Source(text), macros, limits)
    except CompileError as error:
        return " ".join(issue.message.split("`")[1] for issue in error.issues)
    return ""


# Each gives a text that is nested, or whose tree is, so many levels deep.
DEEP = {
    "parentheses": lambda n: "(" * (n - 1) + "a" + ")" * (n - 1),
    "lists": lambda n: "[" * (n - 1) + "a" + "]" * (n - 1),
    "maps": lambda n: "{1:" * (n - 1) + "a" + "}" * (n - 1),
    "messages": lambda n: "A{b:" * (n - 1) + "a" + "}" * (n - 1),
    "calls": lambda n: "f(" * (n - 1) + "a" + ")" * (n - 1),
    "member calls": lambda n: "a.f(" * (n - 1) + "a" + ")" * (n - 1),
    "sums": lambda n: "a" + " + a" * (n - 1),
    "products": lambda n: "a" + " * a" * (n - 1),
    "relations": lambda n: "a" + " == a" * (n - 1),
    "members": lambda n: "a" + ".b" * (n - 1),
    "optional members": lambda n: "a" + ".?b" * (n - 1),
    "indices": lambda n: "a" + "[0]" * (n - 1),
    "chained calls": lambda n: "a" + ".f()" * (n - 1),
    "ternaries": lambda n: "a ? b : " * (n - 1) + "c",
    "signs": lambda n: "-(" * ((n - 1) // 1) + "a" + ")" * (n - 1),
    "nested indices": lambda n: "a[" * (n - 1) + "a" + "]" * (n - 1),
}


@pytest.mark.parametrize("kind", DEEP)
def test_depth_is_bounded_exactly(kind):
    assert outcome(DEEP[kind](DEPTH)) == ""
    assert outcome(DEEP[kind](DEPTH + 1)) == "expression_depth"


@pytest.mark.parametrize("kind", DEEP)
def test_far_too_deep_is_one_issue(kind):
    assert outcome(DEEP[kind](10_000)) in ("expression_depth", "expression_length")


@pytest.mark.parametrize("opening", ["(", "[", "{", "{1:", "f(", "a.f(", "A{b:", "a[", "-(", "!("])
def test_brackets_that_are_never_closed_are_one_issue(opening):
    assert outcome(opening * 10_000) == "expression_depth"


def test_ten_thousand_parentheses_are_one_issue():
    assert outcome("(" * 10_000 + "1" + ")" * 10_000) == "expression_depth"


def test_a_megabyte_of_operators_is_one_issue():
    assert outcome("||" * 500_000) == "expression_length"
    assert outcome("a" + "||a" * 400_000) == "expression_length"


def test_a_long_chain_of_logic_is_shallow():
    parsed = parse(Source(" || ".join(["a"] * 10_000)))
    assert height(parsed.expr) == 15
    assert outcome(" && ".join(["a"] * 10_000)) == ""


def test_signs_are_no_levels():
    assert outcome("!" * 9_999 + "a") == ""
    assert outcome("-" * 9_999 + "a") == ""


def test_the_length_is_bounded_exactly():
    limits = msgspec.structs.replace(DEFAULT, expression_length=10)
    assert outcome("a" * 10, limits) == ""
    assert outcome("a" * 11, limits) == "expression_length"
    assert outcome("é" * 11, limits) == "expression_length"


def test_the_number_of_nodes_is_bounded():
    limits = msgspec.structs.replace(DEFAULT, expression_nodes=100)
    assert outcome(f"[{'a,' * 98}]", limits) == ""
    assert outcome(f"[{'a,' * 101}]", limits) == "expression_nodes"
    assert outcome("a.map(x, x)" + ".map(x, x)" * 20, limits) == "expression_nodes"


def test_macros_that_multiply_are_bounded():
    def doubled(expansion, target, args):
        fresh = [expansion.ident("x") for _ in range(1_000)]
        return expansion.list_of(*fresh, *args)

    table = MacroTable({("many", 1, False): doubled})
    assert outcome("many(" * 20 + "a" + ")" * 20, macros=table) == ""
    limits = msgspec.structs.replace(DEFAULT, expression_nodes=10_000)
    assert outcome("many(" * 20 + "a" + ")" * 20, limits, table) == "expression_nodes"


def test_macros_count_with_the_levels_that_they_become():
    limits = msgspec.structs.replace(DEFAULT, comprehension_depth=DEPTH)
    nested = "a"
    for _ in range(DEPTH // 2 - 2):
        nested = f"a.filter(x, {nested})"
    assert outcome(nested, limits) == ""
    assert outcome(f"a.filter(x, {nested})", limits) == "expression_depth"


def test_issues_are_bounded():
    limits = msgspec.structs.replace(DEFAULT, issues=7)
    with pytest.raises(CompileError) as raised:
        parse(Source(f"[{'1z, ' * 50}]"), STANDARD_MACROS, limits)
    assert len(raised.value.issues) == 7


@pytest.mark.parametrize("kind", DEEP)
def test_the_deepest_text_is_read_and_written_under_three_hundred_frames(kind):
    text = DEEP[kind](DEPTH)

    def below(frames):
        if frames:
            return below(frames - 1)
        return unparse(parse(Source(text)))

    used = 0
    frame = sys._getframe()
    while frame is not None:
        used += 1
        frame = frame.f_back
    assert below(max(0, 300 - used))


@pytest.mark.parametrize("opening", ["(", "[", "{1:", "f(", "a.f(", "a||(", "a?(", "-(", "a+b*("])
def test_too_deep_is_refused_under_three_hundred_frames(opening):
    def below(frames):
        return below(frames - 1) if frames else outcome(opening * 400)

    assert below(240) == "expression_depth"


def loops(depth, body="true"):
    for number in range(depth):
        body = f"[1].exists(e{number}, {body})"
    return body


def test_loops_in_loops_are_bounded():
    most = DEFAULT.comprehension_depth
    assert outcome(loops(most)) == ""
    assert outcome(loops(most + 1)) == "comprehension_depth"
    assert outcome(f"{loops(most)} && {loops(most)}") == ""
    assert outcome(f"[{loops(most)}].all(e, e)") == ""  # gone over once


def test_the_loop_that_lies_too_deep_is_shown():
    with pytest.raises(CompileError) as caught:
        parse(
            Source(loops(3)),
            STANDARD_MACROS,
            msgspec.structs.replace(DEFAULT, comprehension_depth=2),
        )
    assert str(caught.value).splitlines()[1:] == [
        "  | [1].exists(e2, [1].exists(e1, [1].exists(e0, true)))",
        "  |                                   ^",
    ]


def test_names_for_values_are_no_loops():
    text = "cel.bind(a, 1, " * 30 + "a" + ")" * 30
    assert ext.BINDINGS.macros.find("bind", 3, True) is not None
    assert outcome(text, macros=STANDARD_MACROS | ext.BINDINGS.macros) == ""
