"""`taskman-authz eval`: evaluate an expression."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from ..errors import CompileError
from .frame import command_parser, errors_in
from .reading import VARIABLE, given_variables, read_file, variable_options

if TYPE_CHECKING:
    from ..cel import Explanation

DESCRIPTION = """\
Evaluate a CEL expression, as a policy condition would be: with the standard library, `contains`
on lists, optional values and `cel.bind`. Its variables are those that --var and --input give, and
those that --declare and --schema declare, which are checked by their types. JSON lacks some types:
where one is declared, a text is a timestamp, a duration or bytes (in base64), and a number is a
uint or a double."""

NOTES = """\
examples:
  taskman-authz eval '1 + 2 == 3'
  taskman-authz eval "subject.department == 'engineering'" \\
      --var subject='{"department": "engineering"}'
  taskman-authz eval 'size(items)' --input request.json
  taskman-authz eval 'tags.exists(t, t == "urgent") || level > 3' --explain \\
      --var tags='["new"]' --var level=4
  taskman-authz eval 'items.all(i, i > 0)' --input request.json --budget 1000 --cost
  taskman-authz eval "resource.owner == 'ann'" --schema task.json --input request.json
  taskman-authz eval 'tags.exists(t, t == role)' --declare 'tags=list(string)' --input x.json
  taskman-authz eval 'now.getFullYear() > 2025' --declare now=timestamp \\
      --var now='"2026-01-15T10:30:00Z"'
  echo '{"x": [1, 2]}' | taskman-authz eval 'x.map(i, i * 2)' --input - --format json

an expression that begins with `-` stands behind `--`: taskman-authz eval --var x=1 -- -x

output: the value as CEL writes it (`true`, `1u`, `"text"`, `timestamp("…")`), or as JSON; with
--cost, what it cost on standard error, or as JSON with the value: {"value": …, "cost": {"spent",
"least", "most"}}, where most is null if there is no most

errors: text on standard error; with --format json one object there, {"errors": [{"file", "line",
"column", "code", "message", "hint"}]}, and nothing on standard output

exit status: 0 a value, 1 with -e where the value is not `true`, 2 an error"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or with `-e` 1 where the value is not true."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.explain and (options.cost or options.budget is not None):
        parser.error("--explain cannot be combined with --cost or --budget")
    with errors_in(options.format):
        variables = given_variables(parser, options)
        return _evaluated(variables, _types(parser, options), options)


def _evaluated(
    variables: dict[str, Any], types: dict[str, Any], options: argparse.Namespace
) -> int:
    """Print the value of the expression. Returns the exit status."""
    from ..cel import functions, stdlib
    from ..cel.env import Env, declared_type, policy_libraries
    from .declared import as_declared
    from .printing import cel_text, json_value

    env = Env(
        {**dict.fromkeys(variables, "dyn"), **types},
        libraries=policy_libraries(),
        strict_constants=True,
        declarations=stdlib.POLICY,
        implementations=functions.POLICY,
    )
    program = env.compile(options.expression)
    variables = variables | {
        name: as_declared(name, declared_type(name, type), variables[name])
        for name, type in types.items()
        if name in variables
    }
    if options.explain:
        return _explained(program.explain(variables), options)
    if options.cost:
        # What is dear to measure is told before it is measured.
        estimate = program.cost
        in_text = options.format == "text"
        if in_text:
            print(f"cost: {estimate} by the expression", file=sys.stderr)
        value, spent = program.measure(variables, budget=options.budget)
        if in_text:
            print(f"cost: {spent} spent", file=sys.stderr)
    else:
        value = program.evaluate(variables, budget=options.budget)
    if options.format == "json":
        written = json_value(value)
        if options.cost:
            most = estimate.most if estimate.bounded else None
            cost = {"spent": spent, "least": estimate.least, "most": most}
            written = {"value": written, "cost": cost}
        print(json.dumps(written, ensure_ascii=False))
    else:
        print(cel_text(value))
    return 1 if options.exit_status and value is not True else 0


def _explained(explanation: Explanation, options: argparse.Namespace) -> int:
    """Print every part with its value; then an error is one, as without explanation."""
    from .explaining import explanation_json, explanation_text

    if options.format == "json":
        print(json.dumps(explanation_json(explanation), ensure_ascii=False))
    else:
        print(explanation_text(explanation, sys.stdout))
    if explanation.error is not None:
        raise explanation.error
    return 1 if options.exit_status and explanation.value is not True else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz eval", DESCRIPTION, NOTES)
    parser.add_argument("expression", metavar="EXPR", help="the expression")
    variable_options(parser)
    parser.add_argument(
        "--explain", action="store_true", help="show the value of every part of the expression"
    )
    parser.add_argument(
        "--declare",
        dest="declared",
        metavar="NAME=TYPE",
        action="append",
        default=[],
        help="the type of a variable, such as `list(string)`; dyn where not declared",
    )
    parser.add_argument(
        "--schema",
        metavar="FILE",
        help="a JSON Schema of an object whose properties are the variables",
    )
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument(
        "--budget",
        metavar="N",
        type=_budget,
        help="what it may cost; where it costs more, that is an error",
    )
    parser.add_argument(
        "--cost", action="store_true", help="tell what it can cost, and what it did cost"
    )
    parser.add_argument(
        "-e", "--exit-status", action="store_true", help="exit with 1 where the value is not true"
    )
    return parser


def _budget(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"`{text}` is no budget: expected a number from 0")
    return int(text)


def _types(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, Any]:
    """The types of the schema, and over them those of the options."""
    from ..cel.schemas import schema_variables

    types: dict[str, Any] = {}
    if options.schema is not None:
        schema = read_file(options.schema)
        try:
            types |= schema_variables(schema)
        except CompileError as error:
            raise CompileError(error.issues.within(options.schema)) from None
    for given in options.declared:
        name, equals, text = given.partition("=")
        if not equals:
            parser.error(f"--declare `{given}` is not of the form NAME=TYPE")
        types[name] = text
    return _named(parser, types)


def _named(parser: argparse.ArgumentParser, variables: dict[str, Any]) -> dict[str, Any]:
    for name in variables:
        if not VARIABLE.fullmatch(name):
            parser.error(f"`{name}` cannot be the name of a variable")
    return variables
