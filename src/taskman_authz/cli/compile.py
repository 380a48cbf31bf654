"""`taskman-authz compile`: check policies."""

from __future__ import annotations

from .frame import command_parser, counted

DESCRIPTION = """\
Compile policies as the decision point would, and print everything that is wrong with them, each
with its place. Several paths are one set of policies."""

NOTES = """\
examples:
  taskman-authz compile policies/taskman
  taskman-authz compile roles.yaml tasks.yaml

output: how many policies there are, and their revision (the hash of what they say)

exit status: 0 they compile, 2 they do not"""


def main(arguments: list[str]) -> int:
    """Run the command. Returns 0 where the policies compile."""
    parser = command_parser("taskman-authz compile", DESCRIPTION, NOTES)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a policy file or a folder")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output where all is well")
    options = parser.parse_args(arguments)
    from ..policy import compile_documents
    from ..store import FileStore

    # A document that two paths lead to is one document.
    documents = dict(document for path in options.paths for document in FileStore(path).load())
    policies = compile_documents(documents.items())
    if not options.quiet:
        count = counted(len(policies.rules), "policy", "policies")
        print(f"{count}, revision {policies.revision}")
    return 0
