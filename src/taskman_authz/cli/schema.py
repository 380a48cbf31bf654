"""`taskman-authz schema`: the JSON Schema that editors complete policy documents by."""

from __future__ import annotations

from .frame import command_parser

DESCRIPTION = """\
Print the JSON Schema of policy documents. An editor that has it completes keys and marks what is
not one."""

NOTES = """\
examples:
  taskman-authz schema > policy.schema.json
  # then, as the first line of a policy document, for editors that run yaml-language-server:
  #   yaml-language-server: $schema=policy.schema.json

exit status: 0"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0."""
    command_parser("taskman-authz schema", DESCRIPTION, NOTES).parse_args(arguments)
    from ..policy.document import schema_text

    print(schema_text(), end="")
    return 0
