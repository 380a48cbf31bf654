"""`taskman-authz schema`: the JSON Schemas that editors complete documents by."""

from __future__ import annotations

import json

from .frame import command_parser

DESCRIPTION = """\
Print the JSON Schema of policy documents, of the `schema.yaml` that stands beside them, or of files
of entities. An editor that has it completes keys and marks what is not one."""

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
        choices=["policies", "types", "entities"],
        default="policies",
        help="policies (the default), types: what a `schema.yaml` is, or entities",
    )
    print(_schema(parser.parse_args(arguments).document), end="")
    return 0


def _schema(document: str) -> str:
    from ..policy.document import json_schema, schema_text

    if document == "policies":
        return schema_text()
    if document == "types":
        from ..policy.schema_document import SchemaDocument

        described = json_schema(SchemaDocument, "taskman-authz types of policies")
    else:
        from ..attributes.document import EntitiesDocument

        described = json_schema(EntitiesDocument, "taskman-authz entities")
    return f"{json.dumps(described, indent=2, ensure_ascii=False)}\n"
