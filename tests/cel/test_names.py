from __future__ import annotations

import pytest

from taskman_authz.cel.containers import Container
from taskman_authz.cel.decls import VariableDecl, functions_of
from taskman_authz.cel.stdlib import STANDARD
from taskman_authz.cel.types import DYN, INT, STRING, list_of, map_of, message_type, wrapper_of
from tests.cel.checking import OPTIONALS, checked, issues, type_of

NAMES = STANDARD.extended(
    [
        VariableDecl("a", map_of(STRING, STRING)),
        VariableDecl("a.b", INT),
        VariableDecl("pkg.a", DYN),
        VariableDecl("pkg.sub.a.b.c", list_of(INT)),
    ],
    functions_of("pkg.call pkg_call (int) -> int\ncall call_string (string) -> string"),
)


@pytest.mark.parametrize(
    ("text", "container", "type", "name"),
    [
        ("a", "", "map(string, string)", "a"),
        ("a.b", "", "int", "a.b"),
        ("a.c", "", "string", None),
        ("a.b", "other", "int", "a.b"),
        ("a", "pkg", "dyn", "pkg.a"),
        (".a", "pkg", "map(string, string)", "a"),
        ("a.b.c", "pkg.sub", "list(int)", "pkg.sub.a.b.c"),
        ("sub.a.b.c", "pkg", "list(int)", "pkg.sub.a.b.c"),
        ("pkg.a.b", "", "dyn", None),
        (".a.b", "pkg.sub", "int", "a.b"),
    ],
)
def test_the_longest_declared_name_is_meant_first_in_the_innermost_container(
    text, container, type, name
):
    found = checked(text, NAMES.extended(container=Container(container)))
    assert not found.issues
    assert str(found.type) == type
    reference = found.references.get(found.tree.id)
    assert (reference.name if reference else None) == name


def test_the_parts_of_a_name_with_dots_have_no_type():
    found = checked("a.b", NAMES)
    assert found.types.keys() == {found.tree.id}


def test_a_presence_test_is_never_part_of_a_name():
    assert type_of("has(a.b)", NAMES) == "bool"


@pytest.mark.parametrize(
    ("text", "container", "name", "namespaced"),
    [
        ("call('a')", "", "call", False),
        ("pkg.call(1)", "", "pkg.call", True),
        ("call(1)", "pkg", "pkg.call", False),
        (".pkg.call(1)", "pkg", "pkg.call", True),
        ("sub.call('a')", "pkg", None, False),
    ],
)
def test_the_function_of_a_call_is_found_in_the_containers(text, container, name, namespaced):
    found = checked(text, NAMES.extended(container=Container(container)))
    reference = found.references.get(found.tree.id)
    assert (reference.name if reference else None) == name
    assert reference is None or reference.namespaced is namespaced


def test_an_alias_stands_for_the_first_part_of_a_name():
    declarations = NAMES.extended(container=Container("pkg", {"q": "pkg.sub.a"}))
    assert type_of("q.b.c", declarations) == "list(int)"


def test_the_variable_of_a_macro_hides_other_names():
    assert type_of("['x'].map(a, a)", NAMES) == "list(string)"
    assert type_of("[{'b': true}].map(a, a.b)", NAMES) == "list(bool)"
    assert type_of("['x'].map(a, .a.b)", NAMES) == "list(int)"
    assert type_of("['x'].map(a, 1u)[0] + 1u + uint(a.b)", NAMES) == "uint"


def test_a_name_that_a_macros_variable_would_hide_has_a_leading_dot():
    found = checked("['x'].map(a, .a)", NAMES)
    assert ".a" in {reference.name for reference in found.references.values()}


def test_the_variable_of_a_macro_is_gone_behind_it():
    assert issues("ints.all(n, n > 0) && n > 0") == [(23, "undeclared reference to `n`")]


class Messages:
    """A provider of one message and one enum."""

    FIELDS = {"id": INT, "name": STRING, "limit": wrapper_of(INT), "next": message_type("acme.M")}

    def find_type(self, name):
        return message_type(name) if name == "acme.M" else None

    def find_field(self, type_name, field):
        return self.FIELDS.get(field) if type_name == "acme.M" else None

    def field_names(self, type_name):
        return self.FIELDS

    def type_names(self):
        return ("acme.M",)

    def find_constant(self, name):
        return VariableDecl(name, INT, 7) if name == "acme.Color.RED" else None


MESSAGES = STANDARD.extended(
    [VariableDecl("m", message_type("acme.M"))], OPTIONALS, Container("acme"), Messages()
)


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("m.next.next.name", "string"),
        ("m.limit == null", "bool"),
        ("M", "type(acme.M)"),
        ("M{id: 1, name: 'a', limit: null, next: M{}}", "acme.M"),
        ("M{?id: optional.of(1)}.id", "int"),
        (".acme.M{}.name", "string"),
        ("Color.RED + 1", "int"),
        ("m == null", "bool"),
    ],
)
def test_messages_and_enums_come_from_the_provider(text, type):
    assert type_of(text, MESSAGES) == type


def test_an_enums_member_is_a_constant():
    found = checked("Color.RED", MESSAGES)
    assert found.references[found.tree.id].value == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M{idd: 1}", "undefined field `idd` of `acme.M`"),
        ("m.nmae", "undefined field `nmae` of `acme.M`"),
        ("M{id: 'a'}", "the field `id` has the type `int` but is given `string`"),
        ("m{}", "`m` is a value of `acme.M`, not a type"),
        ("int{}", "`int` is not a message type"),
        ("N{}", "undeclared reference to `N` in the container `acme`"),
        ("M{?id: 1}", "expected an optional value behind `?` but found `int`"),
    ],
)
def test_a_wrong_message_is_reported(text, message):
    assert [said for _, said in issues(text, MESSAGES)] == [message]
