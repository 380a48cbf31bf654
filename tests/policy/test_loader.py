"""What is wrong with a document is told in our words, at its place, all at once."""

from __future__ import annotations

import pytest

from taskman_authz.policy.loader import load
from tests.policy.helpers import issues_of, pointed_at

GOOD = """
policies:
  - id: a
    effect: allow
    actions: ["tasks:edit"]
    resources: ["tasks/*"]
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "caret", "message", "hint"),
    [
        (changed("effect", "efect"), "id: a", "the key `effect` is missing", ""),
        (changed("effect", "efect"), "efect", "unknown key `efect`", "did you mean `effect`?"),
        (changed("allow", "Deny"), "Deny", "expected `allow` or `deny`, found `Deny`", "`deny`"),
        (changed("allow", "12"), "12", "expected `allow` or `deny`, found a number", ""),
        (changed("id: a", "id: 12"), "12", "expected a text, found a number", "quotes"),
        (changed("id: a", "id: true"), "true", "expected a text, found a boolean", "quotes"),
        (changed("id: a", "id: a b"), "a b", "`a b` contains white space", ""),
        (changed("id: a", "id: ''"), "''", "expected a text, found an empty one", ""),
        (changed("id: a", f"id: {'x' * 256}"), "xxx", "longer than 255 characters", ""),
        (
            changed('["tasks:edit"]', "tasks:edit"),
            "tasks",
            "expected a list, found a text",
            "[...]",
        ),
        (changed('["tasks:edit"]', "{a: b}"), "{a", "expected a list, found a map", ""),
        (changed('["tasks:edit"]', "[[a]]"), "[a]", "expected a text, found a list", ""),
        (changed('["tasks:edit"]', "[]"), "[]", "expected at least one entry", ""),
        (changed('["tasks:edit"]', ""), "", "expected a list, found nothing", ""),
        (changed("- id: a", "- 1\n  - id: a"), "1", "keys and values, found a number", ""),
        (GOOD + "    condition:\n", "", "expected a text, found nothing", ""),
        (GOOD + "    condition: true\n", "true", "expected a text, found a boolean", "quotes"),
        (GOOD + "    roles: [' x']\n", "' x'", "` x` begins or ends with white space", ""),
        (GOOD + '    roles: ["x\\ty"]\n', '"x', "`x y` contains a control character", ""),
        (GOOD + "company: 7\n", "7", "expected a text, found a number", "quotes"),
        (GOOD + "compny: x\n", "compny", "unknown key `compny`", "did you mean `company`?"),
        (GOOD + "roles: [{nme: x}]\n", "nme", "unknown key `nme`", "did you mean `name`?"),
        (GOOD + "roles:\n", "", "expected a list, found nothing", ""),
        ("- a\n", "- a", "expected a map of keys and values, found a list", ""),
    ],
)
def test_issue_is_told_in_our_words_at_its_place(
    text: str, caret: str, message: str, hint: str
) -> None:
    found = [issue for issue in issues_of(text) if message in issue.message]
    assert len(found) == 1, [issue.render() for issue in issues_of(text)]
    assert pointed_at(found[0], len(caret)) == caret
    assert hint in found[0].hint


def test_no_word_of_the_implementation_is_told() -> None:
    rendered = "\n".join(
        issue.render() for text in (changed("id: a", "id: 1"), "- a") for issue in issues_of(text)
    )
    for word in ("str", "dict", "pydantic", "int ", "NoneType", "Input", "PolicyDocument"):
        assert word not in rendered


def test_everything_that_is_wrong_with_all_files_is_told_at_once() -> None:
    found = issues_of(
        "a: [",
        changed("allow", "Deny"),
        GOOD.replace("id: a", "id: b").replace("tasks/*", "tasks"),
        GOOD.replace("id: a", "id: c") + "    condition: 1 +\n",
        GOOD.replace("id: a", "id: d") + "    condition: 1 + 1\n",
    )
    assert [(issue.place.source, issue.code) for issue in found] == [
        ("f0.yaml", "malformed_yaml"),
        ("f1.yaml", "bad_value"),
        ("f2.yaml", "bad_pattern"),
        ("f3.yaml", "syntax_error"),
        ("f4.yaml", "not_bool"),
    ]


def test_what_is_right_in_a_document_is_linked_beside_what_is_wrong() -> None:
    wrong = """
  - id: b
    effect: allow
    actions: ["a**"]
    resources: ["*"]
  - id: c
"""
    codes = [issue.code for issue in issues_of(GOOD.rstrip() + wrong)]
    assert codes == ["bad_pattern", "missing_key", "missing_key", "missing_key"]


def test_byte_order_mark_is_no_part_of_a_text() -> None:
    (issue,) = issues_of("\ufeffcompany: 7\n")
    assert (issue.place.line, issue.place.column) == (1, 10)


def test_documents_are_told_in_the_order_of_their_names() -> None:
    loaded = load([("b.yaml", "company: b"), ("a.yaml", "company: a\n---\ncompany: c")])
    assert [document.company for document in loaded.documents] == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("condition", "caret"),
    [
        ("condition: subject.a == 1 && nope", "nope"),
        ("condition: 'subject.a == ''é'' && nope'", "nope"),
        ('condition: "subject.a == \\"é\\" && nope"', "nope"),
        ("condition: |\n      subject.a == 1 &&\n\n        nope", "nope"),
        ("condition: >-\n      subject.a == 1 &&\n      nope", "nope"),
        ("condition: subject.a == 1 &&\n      nope", "nope"),
    ],
)
def test_caret_of_a_condition_points_into_the_file(condition: str, caret: str) -> None:
    (issue,) = issues_of(f"{GOOD}    {condition}\n")
    assert pointed_at(issue, len(caret)) == caret


def test_condition_behind_an_alias_is_told_at_the_alias() -> None:
    aliased = GOOD.replace("id: a", "id: b").replace("policies:", "").strip("\n")
    first, second = issues_of(f"{GOOD}    condition: &c nope\n{aliased}\n    condition: *c\n")
    assert pointed_at(first, 4) == "nope"
    assert pointed_at(second, 2) == "*c"
