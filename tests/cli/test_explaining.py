"""`eval --explain`: the value of every part, for people and for programs."""

from __future__ import annotations

import io
import json

import pytest

from taskman_authz import cel
from taskman_authz.cli import main
from taskman_authz.cli.explaining import explanation_text

VARIABLES = (
    *("--var", 'subject={"id": "ann", "roles": ["developer", "admin"]}'),
    *("--var", 'resource={"owner": "bob", "level": 2}'),
)


def explained(capsys, expression, *arguments, status=0):
    assert main(["eval", expression, "--explain", *VARIABLES, *arguments]) == status
    return capsys.readouterr()


def test_every_part_is_a_line_with_its_value_below_the_whole(capsys):
    printed = explained(
        capsys,
        "resource.owner == subject.id || subject.roles.exists(r, r == 'admin') || resource.x",
    )
    assert (
        printed.out
        == """\
resource.owner == subject.id || subject.roles.exists(r, r == 'admin') || resource.x  -> true
  resource.owner == subject.id  -> false
    resource.owner  -> "bob"
    subject.id  -> "ann"
  subject.roles.exists(r, r == 'admin')  -> true
    subject.roles  -> ["developer", "admin"]
    r = "developer":  r == 'admin'  -> false
    r = "admin":  r == 'admin'  -> true
  resource.x  (not evaluated)
"""
    )
    assert printed.err == ""


def test_a_bound_name_and_an_optional_value_are_shown(capsys):
    printed = explained(
        capsys, "cel.bind(n, resource.?name.orValue('none'), n == 'none' && n != '')"
    )
    assert (
        printed.out
        == """\
cel.bind(n, resource.?name.orValue('none'), n == 'none' && n != '')  -> true
  n = resource.?name.orValue('none')  -> "none"
    resource.?name  -> optional.none()
  n == 'none' && n != ''  -> true
    n == 'none'  -> true
    n != ''  -> true
"""
    )


def test_an_error_stands_where_it_came_about_and_is_an_error(capsys):
    printed = explained(capsys, "resource.team == 'x' && true", status=2)
    assert (
        printed.out
        == """\
resource.team == 'x' && true  -> error
  resource.team == 'x'  -> error
    resource.team  -> error: no such key: `'team'`
"""
    )
    assert "error: no such key: `'team'` [no_such_key]" in printed.err


def test_turns_that_are_left_out_are_counted(capsys):
    printed = explained(capsys, "[1,2,3,4,5,6,7,8,9,10,11,12,13].all(i, i < 13)")
    assert printed.out.splitlines()[9:] == [
        "  i = 9:  i < 13  -> true",
        "  ... 3 more turns",
        "  i = 13:  i < 13  -> false",
    ]


def test_several_parts_of_a_turn_are_below_its_variables(capsys):
    printed = explained(capsys, "[1, 2].map(i, i > 1, i * 2)")
    assert (
        printed.out
        == """\
[1, 2].map(i, i > 1, i * 2)  -> [4]
  i = 1
    i > 1  -> false
    i * 2  (not evaluated)
  i = 2
    i > 1  -> true
    i * 2  -> 4
"""
    )


def test_long_values_are_shortened_for_people_only(capsys):
    long = "x" * 500
    assert explained(capsys, "a", "--var", f'a="{long}"').out == f'a  -> "{"x" * 96}...\n'
    printed = explained(capsys, "a", "--var", f'a="{long}"', "--format", "json")
    assert json.loads(printed.out)["value"] == long


def test_json_is_the_same_tree(capsys):
    printed = explained(capsys, "2 > 3 && 1 > 0 || resource.x", "--format", "json", status=2)
    error = {"code": "no_such_key", "message": "no such key: `'x'`"}
    assert json.loads(printed.out) == {
        "text": "2 > 3 && 1 > 0 || resource.x",
        "line": 1,
        "column": 16,
        "evaluated": True,
        "error": error,
        "parts": [
            {
                "text": "2 > 3 && 1 > 0",
                "line": 1,
                "column": 7,
                "evaluated": True,
                "value": False,
                "parts": [
                    {"text": "2 > 3", "line": 1, "column": 3, "evaluated": True, "value": False},
                    {"text": "1 > 0", "line": 1, "column": 12, "evaluated": False},
                ],
            },
            {
                "text": "resource.x",
                "line": 1,
                "column": 28,
                "evaluated": True,
                "error": error,
            },
        ],
    }


def test_json_has_the_turns_of_loops(capsys):
    printed = explained(capsys, "[1].all(i, i > 0)", "--format", "json")
    made = json.loads(printed.out)
    assert made["turn_count"] == 1
    assert [(turn["number"], turn["variables"]) for turn in made["turns"]] == [(1, {"i": 1})]
    assert [part["text"] for part in made["turns"][0]["parts"]] == ["i > 0"]


@pytest.mark.parametrize(("expression", "status"), [("1 > 2", 1), ("2 > 1", 0)])
def test_the_exit_status_is_that_of_the_value(capsys, expression, status):
    explained(capsys, expression, "-e", status=status)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    explanation = cel.Env().compile("1 > 2 || 2 > 1 || 1 / 0 > 1").explain()
    assert "\x1b[32mtrue\x1b[0m" in explanation_text(explanation, Terminal())
    assert "\x1b" not in explanation_text(explanation, io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in explanation_text(explanation, Terminal())
