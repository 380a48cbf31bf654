"""`explain`: which clause decided, and what would flip the answer."""

from __future__ import annotations

import json

import pytest

from taskman_authz.cli import main

THEIRS = '{"type": "notes", "id": "n1", "owner": "2"}'


def explain(*arguments):
    return main(["explain", *arguments])


def test_a_denied_edit_names_the_clause_and_the_attribute_and_applying_it_allows(policies, capsys):
    assert explain("user:1", "notes:write", THEIRS) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "denied"
    clause = lines.index("    resource.owner == subject.id  -> false")
    assert lines[clause - 1].startswith("  allow owners-write  (policies/notes.yaml:2): not met")
    assert lines[clause + 1 : clause + 3] == [
        '      resource.owner  -> "2"',
        '      subject.id  -> "1"',
    ]
    assert lines[-3:] == [
        "what would allow it, with 1 attribute:",
        '  resource.owner  "2" -> "1"',
        "  then: allowed by policy `owners-write` [allowed_by_policy]",
    ]
    assert main(["check", "user:1", "notes:write", THEIRS.replace('"2"', '"1"')]) == 0


def test_json_holds_the_same(policies, capsys):
    assert explain("user:1", "notes:write", THEIRS, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    (rule,) = found["rules"]
    assert (found["allowed"], rule["policy"], rule["outcome"]) == (False, "owners-write", "not_met")
    assert [clause["text"] for clause in rule["deciding"]] == ["resource.owner == subject.id"]
    assert rule["condition"]["value"] is False
    assert found["change"]["attributes"] == [
        {"path": "resource.owner", "before": "2", "after": "1"}
    ]
    assert found["change"]["decision"]["allowed"] is True


def test_what_is_not_there_has_no_value_in_json(policies, capsys):
    assert explain("user:1", "notes:write", "notes/1", "--format", "json") == 1
    change = json.loads(capsys.readouterr().out)["change"]
    assert change["attributes"] == [{"path": "resource.owner", "after": "1"}]


def test_all_tells_why_other_policies_do_not_apply(policies, capsys):
    assert explain("user:1", "notes:write", THEIRS) == 1
    assert "members-read-by-day" not in capsys.readouterr().out
    assert explain("user:1", "notes:write", THEIRS, "--all") == 1
    out = capsys.readouterr().out
    assert "    action: notes:read; found notes:write\n    role: member; found none\n" in out
    assert explain("user:1", "notes:write", THEIRS, "--all", "--format", "json") == 1
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert [(rule["policy"], rule["applies"]) for rule in rules] == [
        ("owners-write", True),
        ("members-read-by-day", False),
    ]
    assert rules[1]["mismatches"][1] == {"field": "role", "asked": ["member"], "found": []}


def test_tree_shows_every_part(policies, capsys):
    request = ('{"type": "user", "id": "2", "roles": ["member"]}', "notes:read", "notes/1")
    assert explain(*request, "--tree", "--now", "2027-01-01T00:00:00Z") == 1
    assert "context.ip.startsWith('10.')  (not evaluated)" in capsys.readouterr().out


def test_nothing_found_is_said(policies, capsys):
    assert explain("user:1", "a:b", "c/d") == 1
    out = capsys.readouterr().out
    assert "no policy applies" in out
    assert "no change was found that would allow it: 0 changes of attributes and roles" in out


def test_an_allowed_one_is_explained_too(policies, capsys):
    assert explain("user:2", "notes:write", THEIRS) == 0
    out = capsys.readouterr().out
    assert "its condition is met, and decides" in out
    assert 'what would deny it, with 1 attribute:\n  resource.owner  "2" -> "x"' in out


@pytest.mark.parametrize("arguments", [(), ("user:1", "a:b", "c/d", "e"), ("nobody", "a:b", "c/d")])
def test_a_bad_question_is_2(policies, capsys, arguments):
    assert explain(*arguments) == 2
    assert capsys.readouterr().out == ""
