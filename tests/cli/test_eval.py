"""`eval`: an expression's value."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from taskman_authz.cli import main

DOCUMENTS_EXAMPLE = (
    "subject.department == 'engineering' && resource.owner == subject.id "
    "|| subject.roles.contains('admin')"
)
SUBJECT = '{"id":"user123","department":"engineering","roles":["developer"]}'


def evaluated(capsys, *arguments, status=0):
    assert main(["eval", *arguments]) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_the_example_of_the_users_document_is_true(capsys):
    variables = ("--var", f"subject={SUBJECT}", "--var", 'resource={"owner":"user123"}')
    assert evaluated(capsys, DOCUMENTS_EXAMPLE, *variables) == "true\n"


@pytest.mark.parametrize(
    ("expression", "text", "plain"),
    [
        ("1 + 2", "3", "3"),
        ("2u", "2u", "2"),
        ("{'a': 1}.?a", "optional.of(1)", "1"),
        ("{'a': 1}.?b", "optional.none()", "null"),
        ("cel.bind(x, 2, x * x)", "4", "4"),
        ("1.0", "1.0", "1.0"),
        ("'é' + 'b'", '"éb"', '"éb"'),
        ("[1, 2u]", "[1, 2u]", "[1, 2]"),
        ("{'a': null}", '{"a": null}', '{"a": null}'),
        ("b'a\\xff'", 'b"a\\xff"', '"Yf8="'),
        ("duration('1h30m')", 'duration("5400s")', '"5400s"'),
        (
            "timestamp('2026-01-15T10:30:00.000000001Z')",
            'timestamp("2026-01-15T10:30:00.000000001Z")',
            '"2026-01-15T10:30:00.000000001Z"',
        ),
        ("type(1)", "int", '"int"'),
        ("1.0 / 0.0", 'double("Infinity")', '"Infinity"'),
        ("[1, 2].contains(2)", "true", "true"),
    ],
)
def test_a_value_is_printed_as_cel_and_as_json(capsys, expression, text, plain):
    assert evaluated(capsys, expression) == f"{text}\n"
    assert evaluated(capsys, expression, "--format", "json") == f"{plain}\n"


def test_input_is_an_object_of_variables_that_options_override(capsys, tmp_path):
    path = tmp_path / "input.json"
    path.write_text('{"x": 1, "y": 2}')
    assert evaluated(capsys, "x + y", "--input", str(path), "--var", "y=40") == "41\n"


def test_input_is_read_from_standard_input(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"x": [1, 2]}')))
    assert evaluated(capsys, "size(x)", "--input", "-") == "2\n"


@pytest.mark.parametrize(("expression", "status"), [("true", 0), ("false", 1), ("1", 1)])
def test_the_value_can_be_the_status(capsys, expression, status):
    evaluated(capsys, "-e", expression, status=status)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["1 +"], "<expression>:1:"),
        (["x"], "undeclared"),
        (["'a' + 1"], "^"),
        (["1 / 0"], "division by zero"),
        (["x.y", "--var", "x={}"], "  | x.y\n"),
        (["x", "--var", "x"], "--var `x` is not of the form NAME=JSON"),
        (["x", "--var", "x=["], "--var x:1:2: error: not JSON"),
        (["x", "--var", "x-y=1"], "`x-y` cannot be the name of a variable"),
        (["x", "--input", "nowhere.json"], "nowhere.json: no such file or directory"),
        (["(" * 10_000], "error: "),
        (["a || " * 250_000], "error: "),
    ],
)
def test_an_error_is_2_and_told_with_its_place(capsys, arguments, words):
    assert main(["eval", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "Traceback" not in printed.err


def test_an_input_that_is_no_object_is_refused(capsys, tmp_path):
    path = tmp_path / "input.json"
    path.write_text("[1]")
    assert main(["eval", "x", "--input", str(path)]) == 2
    printed = f"{path}:1:1: error: expected a JSON object [invalid_json]\n  | [1]\n  | ^\n"
    assert capsys.readouterr().err.startswith(printed)
    assert main(["eval", "x", "--input", str(path), "--format", "json"]) == 2
    (error,) = json.loads(capsys.readouterr().err)["errors"]
    assert (error["file"], error["code"]) == (str(path), "invalid_json")


def test_a_failed_evaluation_is_told_as_what_does_not_compile_is(capsys):
    assert main(["eval", "1 + x", "--var", "x=9223372036854775807"]) == 2
    error = "<expression>:1:3: error: `+` overflows [overflow]\n  | 1 + x\n  |   ^\n"
    assert capsys.readouterr() == ("", error)


def test_a_shell_sees_the_value_and_the_status():
    command = [sys.executable, "-m", "taskman_authz.cli", "eval", "1 < 2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "true\n", "")


def test_what_evaluation_does_not_need_is_not_imported():
    program = (
        "import sys; from taskman_authz.cli import main; main(['eval', '1']); "
        "print([m for m in ('pydantic', 'yaml', 'lark', 'grpc', 'google.protobuf', 'redis')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "1\n[]\n"


NUMBERS = ("items.all(i, i > 0)", "--var", "items=[1, 2, 3]")


def test_a_budget_that_is_enough_changes_nothing(capsys):
    assert evaluated(capsys, *NUMBERS, "--budget", "17") == "true\n"


def test_a_budget_that_is_passed_is_an_error(capsys):
    assert main(["eval", *NUMBERS, "--budget", "16"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, "the limit `budget` of 16 is exceeded" in printed.err) == ("", True)


@pytest.mark.parametrize("budget", ["-1", "x", "1.5", "9" * 30])
def test_what_is_no_budget_is_refused(capsys, budget):
    assert main(["eval", *NUMBERS, f"--budget={budget}"]) == 2
    assert "is no budget" in capsys.readouterr().err


def test_the_cost_is_told_beside_the_value(capsys):
    assert main(["eval", *NUMBERS, "--cost"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "true\n"
    assert printed.err == "cost: 2 or more by the expression\ncost: 17 spent\n"


def test_the_cost_is_told_in_json(capsys):
    found = json.loads(evaluated(capsys, *NUMBERS, "--cost", "--format", "json"))
    assert found == {"value": True, "cost": {"spent": 17, "least": 2, "most": None}}
    found = json.loads(evaluated(capsys, "1 + 2", "--cost", "--format", "json"))
    assert found == {"value": 3, "cost": {"spent": 1, "least": 1, "most": 1}}


# -- declared types ------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {
        "resource": {"type": "object", "properties": {"owner": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return str(path)


def test_a_misspelt_property_of_a_schema_is_told_before_anything_is_evaluated(capsys, schema):
    question = "resource.ownr == 'ann'"
    given = ("--var", 'resource={"owner": "ann"}')
    assert main(["eval", question, "--schema", schema, *given]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"  | {question}\n  |          ^\n  hint: did you mean `owner`?" in printed.err
    assert main(["eval", "resource.owner == 'ann'", "--schema", schema, *given]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x + 'a'", "--declare", "x=int"], "no matching overload for `+`"),
        (["x", "--declare", "x=lst(int)"], "did you mean `list`?"),
        (["x", "--declare", "x=list(int"], "<type of x>:1:9: error: expected `,` or `)` but found"),
        (["x", "--declare", "x="], "<type of x>:1:1: error: expected a type but found the end"),
        (["x", "--declare", "x"], "--declare `x` is not of the form NAME=TYPE"),
        (["x", "--declare", "x-y=int"], "`x-y` cannot be the name of a variable"),
        (["s.matches('(')", "--declare", "s=string"], "invalid regular expression"),
        (["x", "--declare", "x=int"], "no such attribute: `x`"),
    ],
)
def test_an_expression_that_does_not_fit_its_declarations_is_2(capsys, arguments, words):
    assert main(["eval", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_declaration_comes_before_the_schema_and_the_value(capsys, schema):
    given = ("--schema", schema, "--var", 'resource={"ownr": "ann"}')
    declared = ("--declare", "resource=map(string, string)")
    assert evaluated(capsys, "resource.ownr == 'ann'", *given, *declared) == "true\n"


@pytest.mark.parametrize(
    ("type", "given", "expression", "value"),
    [
        ("timestamp", '"2026-01-15T10:30:00Z"', "x.getFullYear()", "2026"),
        ("duration", '"1h30m"', "x.getMinutes()", "90"),
        ("bytes", '"aGk="', "x == b'hi'", "true"),
        ("uint", "3", "x + 1u", "4u"),
        ("double", "3", "x + 0.5", "3.5"),
        ("int", "3.0", "x + 1", "4"),
        ("wrapper(uint)", "null", "x == null", "true"),
        ("list(uint)", "[1]", "x[0] == 1u", "true"),
        ("map(int, timestamp)", '{"1": "2026-01-15T10:30:00Z"}', "x[1].getFullYear()", "2026"),
        ("dyn", '"aGk="', "x", '"aGk="'),
    ],
)
def test_a_value_is_what_its_variable_is_declared_to_be(capsys, type, given, expression, value):
    printed = evaluated(capsys, expression, "--declare", f"x={type}", "--var", f"x={given}")
    assert printed == f"{value}\n"


@pytest.mark.parametrize(
    ("type", "given", "words"),
    [
        ("int", '"secret"', "<x>:1:1: error: expected `int`, found a text [invalid_value]"),
        ("int", "1.5", "expected `int`, found a number"),
        ("uint", "-1", "expected `uint`, found a number"),
        ("double", "1" * 400, "expected `double`, found a number"),
        ("bool", "null", "expected `bool`, found null"),
        ("string", "true", "expected `string`, found a bool"),
        ("timestamp", '"secret"', "expected `timestamp`, found a text that is none"),
        ("duration", "1", "hint: a text such as `1h30m`"),
        ("bytes", '"secret"', "expected `bytes`, found a text that is none"),
        ("list(int)", "{}", "expected `list(int)`, found an object"),
        ("map(string, list(int))", '{"k": [1, []]}', "<x['k'][1]>:1:1: error: expected `int`"),
        ("map(uint, int)", '{"k": 1}', "<key of x>:1:1: error: expected `uint`, found a text"),
    ],
)
def test_a_value_that_is_not_what_it_is_declared_to_be_is_refused(capsys, type, given, words):
    assert main(["eval", "true", "--declare", f"x={type}", "--var", f"x={given}"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "secret" not in printed.err


def test_a_value_that_does_not_fit_the_schema_is_refused(capsys, schema):
    given = ("--var", 'resource={"owner": 5, "other": 6}')
    assert main(["eval", "true", "--schema", schema, *given]) == 2
    assert "<resource.owner>:1:1: error: expected `string`, found a" in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"type": "string"}', '{"properties": {"x": {"type": "no"}}}'])
def test_a_schema_that_is_none_of_an_object_is_2(capsys, tmp_path, content):
    path = tmp_path / "schema.json"
    path.write_text(content)
    assert main(["eval", "1", "--schema", str(path)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"{path}:1:1: error: `#")
    assert "invalid_schema" in printed
