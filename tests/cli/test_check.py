"""`check`: 0 is allowed, 1 is denied, 2 is neither."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from taskman_authz.cli import main

OWN = '{"type": "notes", "id": "n1", "owner": "1"}'
MEMBER = '{"type": "user", "id": "2", "roles": ["member"]}'


def check(*arguments):
    return main(["check", *arguments])


def test_allowed_is_0(policies, capsys):
    assert check("user:1", "notes:write", OWN) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("allowed\n")
    assert "owners-write" in printed.out
    assert printed.err == ""


def test_denied_is_1(policies, capsys):
    assert check("user:2", "notes:write", OWN) == 1
    assert capsys.readouterr().out.startswith("denied\n")


def test_parts_are_given_by_options_too(policies):
    assert check("--subject", "user:1", "--action", "notes:write", "--resource", OWN) == 0


def test_places_are_those_that_options_leave(policies):
    assert check("--action", "notes:write", "user:1", OWN) == 0


def test_context_and_time_are_read(policies):
    request = (MEMBER, "notes:read", "notes/1")
    office = ("--context", '{"ip": "10.0.0.7"}')
    assert check(*request, *office, "--now", "2026-01-01T17:59:59.999999999Z") == 0
    assert check(*request, *office, "--now", "2026-01-01T18:00:00Z") == 1
    assert check(*request, "--now", "2026-01-01T12:00:00Z") == 1


def test_company_is_read(policies):
    (policies / "acme.yaml").write_text(
        "company: acme\n"
        "policies: [{id: all, effect: allow, roles: ['*'], actions: ['*'], resources: ['*']}]\n"
    )
    assert check("user:9", "a:b", "c/d") == 1
    assert check("user:9", "a:b", "c/d", "--company", "acme") == 0


def test_json_from_a_file_and_from_standard_input(policies, tmp_path, monkeypatch):
    (tmp_path / "task.json").write_text(OWN)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"type":"user","id":"1"}')))
    assert check("-", "notes:write", "@task.json") == 0


def test_json_output_is_one_object(policies, capsys):
    assert check("user:1", "notes:write", OWN, "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["allowed"], answer["effect"]) == (True, "allow")
    assert answer["reasons"][0]["policy"] == "owners-write"
    assert re.fullmatch("[0-9a-f]{32}", answer["revision"])


def test_quiet_says_nothing(policies, capsys):
    assert check("-q", "user:1", "notes:write", OWN) == 0
    assert check("-q", "user:2", "notes:write", OWN) == 1
    assert capsys.readouterr() == ("", "")


def test_policies_are_found_by_option_then_variable_then_place(policies, tmp_path, monkeypatch):
    allow_all = "policies: [{id: a, effect: allow, roles: ['*'], actions: ['*'], resources: ['*']}]"
    (tmp_path / "other.yaml").write_text(allow_all)
    request = ("user:2", "notes:write", OWN)
    assert check(*request) == 1
    monkeypatch.setenv("TASKMAN_AUTHZ_POLICIES", "other.yaml")
    assert check(*request) == 0
    assert check(*request, "--policies", str(policies)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["user:1", "notes:write"], "no resource was given"),
        ([], "no subject was given"),
        (["user:1", "notes:write", OWN, "more"], "`more` is one too many"),
        (["user1", "notes:write", OWN], "subject: expected `type:id`"),
        (["user:1", "notes:write", "n1"], "resource: expected `kind/id`"),
        (["{", "notes:write", OWN], "subject:1:2: error: not JSON"),
        (['{"type": "user"}', "notes:write", OWN], "subject.id: expected a string, found nothing"),
        (["@nowhere.json", "notes:write", OWN], "nowhere.json: no such file or directory"),
        (["user:1", "notes:write", OWN, "--context", "[]"], "context:1:1: error: expected a JSON"),
        (["user:1", "notes:write", OWN, "--now", "today"], "now: expected a time"),
        (["-", "notes:write", "-"], "only one of subject, action, resource and context"),
        (["user:1", "notes:write", OWN, "--policies", "nowhere"], "nowhere"),
    ],
)
def test_an_error_is_2_and_told_on_standard_error(policies, capsys, arguments, words):
    assert check(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "Traceback" not in printed.err


def test_policies_that_do_not_compile_are_told_with_all_their_issues(policies, capsys):
    (policies / "bad.yaml").write_text(
        "policies:\n  - {id: a, effect: maybe, actions: [x], resources: ['*'], condition: '1 +'}\n"
    )
    assert check("user:1", "notes:write", OWN) == 2
    error = capsys.readouterr().err
    assert "bad.yaml:2:" in error
    assert "  | " in error and "^" in error
