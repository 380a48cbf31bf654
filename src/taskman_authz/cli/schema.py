"""`taskman-authz schema`: the JSON Schemas that editors complete documents by."""

from __future__ import annotations

import json

from .frame import command_parser

DESCRIPTION = """\
Print the JSON Schema of policy documents, or of the `schema.yaml` that stands beside them. An
editor that has it completes keys and marks what is not one."""

NOTES = """\
examples:
  taskman-authz schema > policy.schema.json
  taskman-authz schema types > types.schema.json
  # then, as the first line of a policy document, for editors that run yaml-language-server:
  #   yaml-language-server: $schema=policy.schema.json

exit status: 0"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0."""
    parser = command_parser("taskman-authz schema", DESCRIPTION, NOTES)
    parser.add_argument(
        "document",
        nargs="?",
        choices=["policies", "types"],
        default="policies",
        help="policies (the default), or types: what a `schema.yaml` is",
    )
    if parser.parse_args(arguments).document == "policies":
        from ..policy.document import schema_text

        print(schema_text(), end="")
    else:
        from ..policy.document import json_schema
        from ..policy.schema_document import SchemaDocument

        described = json_schema(SchemaDocument, "taskman-authz types of policies")
        print(json.dumps(described, indent=2, ensure_ascii=False))
    return 0
