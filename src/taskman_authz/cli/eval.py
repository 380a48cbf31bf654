"""`taskman-authz eval`: evaluate an expression."""

from __future__ import annotations

import argparse
import json

from .frame import command_parser
from .reading import given_variables, variable_options

DESCRIPTION = """\
Evaluate a CEL expression, as a policy condition would be: with the standard library, `contains`
on lists, optional values and `cel.bind`. Its variables are those that --var and --input give."""

NOTES = """\
examples:
  taskman-authz eval '1 + 2 == 3'
  taskman-authz eval "subject.department == 'engineering'" \\
      --var subject='{"department": "engineering"}'
  taskman-authz eval 'size(items)' --input request.json
  echo '{"x": [1, 2]}' | taskman-authz eval 'x.map(i, i * 2)' --input - --format json

output: the value as CEL writes it (`true`, `1u`, `"text"`, `timestamp("…")`), or as JSON

exit status: 0 a value, 1 with -e where the value is not `true`, 2 an error"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0, or with `-e` 1 where the value is not true."""
    parser = _parser()
    options = parser.parse_args(arguments)
    variables = given_variables(parser, options)
    from ..cel import functions, stdlib
    from ..cel.env import Env, policy_libraries
    from .printing import cel_text, json_value

    env = Env(
        dict.fromkeys(variables, "dyn"),
        libraries=policy_libraries(),
        declarations=stdlib.POLICY,
        implementations=functions.POLICY,
    )
    value = env.compile(options.expression).evaluate(variables)
    if options.format == "json":
        print(json.dumps(json_value(value), ensure_ascii=False))
    else:
        print(cel_text(value))
    return 1 if options.exit_status and value is not True else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("taskman-authz eval", DESCRIPTION, NOTES)
    parser.add_argument("expression", metavar="EXPR", help="the expression")
    variable_options(parser)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument(
        "-e", "--exit-status", action="store_true", help="exit with 1 where the value is not true"
    )
    return parser
