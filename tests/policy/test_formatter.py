"""Conditions laid out anew in their file: nothing else of it changes, and nothing that it means."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taskman_authz.cel import Source
from taskman_authz.cel.lexemes import lexemes
from taskman_authz.cel.parser import parse
from taskman_authz.errors import CompileError
from taskman_authz.policy.formatter import formatted_document
from taskman_authz.policy.loader import load
from tests.cel.expressions import EXPRESSIONS
from tests.cel.test_wrapping import remarked
from tests.cel.trees import shape

BEFORE = """\
# A comment: # kept, as are  its blanks\t

roles: [ {name:   developer} ]   # as it is
policies:
-   id: a   # odd indentation
    effect: "allow"
    actions: ['tasks:*']
    resources: ["*"]
"""
AFTER = """\
    # under the condition
    roles:   [developer]

  # the end
"""
LONG = "subject.department == 'engineering' && resource.owner == subject.id"


def indented(text, spaces):
    return "\n".join(" " * spaces + line if line else line for line in text.split("\n"))


STYLES = {
    "plain": lambda text: f" {text}",
    "single": lambda text: " '" + text.replace("'", "''") + "'",
    "double": lambda text: f" {json.dumps(text)}",
    "remarked": lambda text: " '" + text.replace("'", "''") + "' # why: a remark",
    "next line": lambda text: f"\n        {json.dumps(text)}",
    "anchored": lambda text: f" &condition {json.dumps(text)}",
    "block": lambda text: f" |\n{indented(text, 6)}",
    "block, stripped": lambda text: f" |-  # why\n{indented(text, 9)}\n",
    "block, kept": lambda text: f" |+\n{indented(text, 6)}\n\n",
    "block with an indentation": lambda text: f" |2\n{indented(text, 6)}",
    "folded": lambda text: f" >-\n{indented(text, 6)}",
}


def document(style, text, newline="\n"):
    content = f"{BEFORE}    condition:{STYLES[style](text)}\n{AFTER}"
    return content.replace("\n", newline)


def conditions(content):
    loaded = load([("a.yaml", content)])
    assert not loaded.issues
    return [policy.condition for document in loaded.documents for _, policy in document.policies]


def tree(condition):
    return shape(parse(Source(condition.rstrip())).expr)


def remarks(condition):
    return [r.text for lexeme in lexemes(condition) for r in lexeme.remarks if r.text]


@given(
    st.one_of(EXPRESSIONS, remarked()),
    st.sampled_from(sorted(STYLES)),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([20, 40, 80, 200]),
)
def test_only_a_condition_changes_and_not_what_it_means(text, style, newline, width):
    content = document(style, text.strip(), newline)
    loaded = load([("a.yaml", content)])
    assume(not loaded.issues and len(loaded.documents[0].policies) == 1)
    (condition,) = conditions(content)
    try:
        before = tree(condition)
    except CompileError:  # a comment in a folded block swallows the rest
        assume(False)
    once = formatted_document("a.yaml", content, width)
    (after,) = conditions(once)
    assert tree(after) == before
    assert remarks(after) == remarks(condition)
    begin, end = content.index("condition:"), content.index(AFTER.replace("\n", newline))
    assert once.startswith(content[:begin])
    assert once.endswith(content[end:])
    assert newline == "\r\n" or "\r" not in once or "\r" in text
    assert formatted_document("a.yaml", once, width) == once


@pytest.mark.parametrize("style", ["plain", "single", "double", "anchored", "block", "folded"])
def test_what_fits_keeps_its_style(style):
    content = document(style, LONG)
    assert formatted_document("a.yaml", content, 100) == content
    spread = document(style, LONG.replace(" && ", "   &&   "))
    assert formatted_document("a.yaml", spread, 100) == content


BROKEN = """\
    condition: |{}
      subject.department == 'engineering'
      && resource.owner == subject.id
"""


@pytest.mark.parametrize(
    ("style", "header"),
    [
        ("plain", ""),
        ("single", ""),
        ("double", ""),
        ("next line", ""),
        ("block", ""),
        ("remarked", " # why: a remark"),
    ],
)
def test_what_does_not_fit_becomes_a_block(style, header):
    once = formatted_document("a.yaml", document(style, LONG), 60)
    assert once == BEFORE + BROKEN.format(header) + AFTER


def test_a_folded_block_stays_one():
    once = formatted_document("a.yaml", document("folded", LONG), 60)
    assert once == BEFORE + BROKEN.format("").replace("|", ">-") + AFTER


def test_a_plain_text_that_can_be_plain_no_more_is_put_in_quotes():
    once = formatted_document("a.yaml", document("plain", "a=={'a':1}"), 80)
    assert once == document("double", "a == {'a': 1}")


def test_in_braces_a_condition_stays_on_its_line():
    content = (
        "policies: [{id: a, effect: allow, actions: ['*'], resources: ['*'], condition: %s}]\n"
    )
    once = formatted_document("a.yaml", content % f"{LONG}&&true", 40)
    assert once == content % f"{LONG} && true"
    remarked = content % '"a  // why\\n && b"'
    assert formatted_document("a.yaml", remarked, 40) == remarked


def test_comments_of_an_expression_stay():
    text = "// who may\nsubject.id == 'a' // the owner\n|| subject.id=='b'"
    once = formatted_document("a.yaml", document("block", text), 80)
    expected = "// who may\nsubject.id == 'a'  // the owner\n|| subject.id == 'b'"
    assert once == document("block", expected)


def test_what_an_alias_stands_for_stays_one_text():
    other = "-   {id: b, effect: deny, actions: ['*'], resources: ['*'], condition: *same}\n"
    content = f"{BEFORE}    condition: &same subject.id=='a'\n{other}"
    once = formatted_document("a.yaml", content)
    assert once == content.replace("=='a'", " == 'a'")


def test_what_another_field_says_too_is_refused_rather_than_changed():
    content = BEFORE + "    condition: &same subject.id=='a'\n    description: *same\n"
    with pytest.raises(CompileError, match="it would mean something else"):
        formatted_document("a.yaml", content)


def test_all_that_is_wrong_is_told_with_its_place():
    content = document("plain", "subject.id ==") + "-   {id: b}\n"
    with pytest.raises(CompileError) as raised:
        formatted_document("a.yaml", content)
    said = str(raised.value)
    assert "a.yaml:9:29: error: " in said
    assert "the key `effect` is missing" in said


def test_a_byte_order_mark_stays():
    content = "\ufeff" + document("plain", "subject.id  == 'a'")
    once = formatted_document("a.yaml", content)
    assert once == "\ufeff" + document("plain", "subject.id == 'a'")


def test_variables_and_conditions_of_derived_roles_are_laid_out_too():
    text = (
        "variables:\n"
        "  mine: resource.owner==subject.id   # kept\n"
        f"  long: {LONG}&&{LONG}\n"
        "constants: {a: 'x==y'}\n"
        "derived_roles:\n"
        "  - {name: owner, roles: [dev], condition: mine&&a==a}\n"
    )
    assert formatted_document("f.yaml", text, 80) == (
        "variables:\n"
        "  mine: resource.owner == subject.id   # kept\n"
        "  long: |\n"
        "    subject.department == 'engineering'\n"
        "    && resource.owner == subject.id\n"
        "    && subject.department == 'engineering'\n"
        "    && resource.owner == subject.id\n"
        "constants: {a: 'x==y'}\n"
        "derived_roles:\n"
        "  - {name: owner, roles: [dev], condition: mine && a == a}\n"
    )


def test_schema_is_left_as_it_is():
    text = "context:   {a: int}\n"
    assert formatted_document("p/schema.yaml", text) == text
