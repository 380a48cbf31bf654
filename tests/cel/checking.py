"""What the tests of the checker share: an environment with something of everything, and short ways
to ask for the type of an expression or what is wrong with it."""

from __future__ import annotations

from taskman_authz.cel.checker import check
from taskman_authz.cel.decls import VariableDecl, functions_of
from taskman_authz.cel.notation import parse_type
from taskman_authz.cel.parser import parse
from taskman_authz.cel.source import Source
from taskman_authz.cel.stdlib import STANDARD
from taskman_authz.cel.types import INT, STRING, list_of, message_type, object_type

OPTIONALS = functions_of("""
optional.of     optional_of    (A) -> optional_type(A)
optional.none   optional_none  () -> optional_type(A)
""")

TASK = object_type(
    "Task",
    {"owner": STRING, "tags": list_of(STRING), "size": INT, "parent": message_type("Task")},
)
VARIABLES = {
    "i": "int",
    "u": "uint",
    "d": "double",
    "s": "string",
    "b": "bool",
    "x": "dyn",
    "wi": "wrapper(int)",
    "ints": "list(int)",
    "strings": "list(string)",
    "ages": "map(string, int)",
    "now": "timestamp",
    "attributes": "map(string, dyn)",
    "maybe": "optional(map(string, string))",
}
DECLARATIONS = STANDARD.extended(
    [
        *(VariableDecl(name, parse_type(type)) for name, type in VARIABLES.items()),
        VariableDecl("task", TASK),
        VariableDecl("user", object_type("User", {"id": STRING}, open=True)),
    ],
    OPTIONALS,
)


def checked(text, declarations=DECLARATIONS):
    source = Source(text)
    return check(parse(source).expr, source, declarations)


def type_of(text, declarations=DECLARATIONS):
    found = checked(text, declarations)
    assert not found.issues, found.issues.render()
    return str(found.type)


def issues(text, declarations=DECLARATIONS):
    return [(issue.place.column, issue.message) for issue in checked(text, declarations).issues]


def overloads_of(text, declarations=DECLARATIONS):
    """The overloads of the outermost call."""
    found = checked(text, declarations)
    return found.references[found.tree.id].overloads
