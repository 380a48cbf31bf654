"""All extension libraries: what an environment without them knows nothing of, their versions, and
that no function raises whatever it is given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskman_authz._fast.values import Fault, type_name
from taskman_authz.cel import Env, ext, function
from taskman_authz.cel.messages import fault_message
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, implementations, outcome, refused, value
from tests.core.strategies import VALUES

PLAIN = ("encoders", "lists", "math", "network", "regex", "sets", "strings")
FREE = {name: implementations(ext.LIBRARIES[name]()) for name in PLAIN}
BOUNDED = {name: implementations(ext.LIBRARIES[name](), Limits(value_size=20)) for name in PLAIN}
CALLS = [(name, *key) for name in PLAIN for key in sorted(FREE[name])]


@pytest.mark.parametrize(
    "name, text",
    [
        ("strings", "'a'.trim()"),
        ("math", "math.abs(1)"),
        ("math", "math.greatest(1)"),
        ("lists", "[1].sort()"),
        ("lists", "[1].sortBy(x, x)"),
        ("sets", "sets.contains([1], [1])"),
        ("encoders", "base64.encode(b'')"),
        ("regex", "regex.replace('', '', '')"),
        ("network", "ip('::1')"),
    ],
)
def test_only_an_environment_that_opts_in_knows_a_library(name, text):
    assert "undeclared_reference" in refused(env_of(), text)
    assert outcome(env_of(), text, {}, check=False)[0] == "error"
    assert outcome(env_of(ext.LIBRARIES[name]()), text, {}, check=True)[0] == "value"


@pytest.mark.parametrize(
    "name, version, has, lacks",
    [
        ("strings", 0, "'a'.charAt(0)", "'%d'.format([1])"),
        ("strings", 1, "strings.quote('a')", "['a'].join()"),
        ("strings", 2, "['a'].join('-')", "'a'.reverse()"),
        ("strings", 3, "'a'.reverse()", None),
        ("math", 0, "math.least(1, 2)", "math.abs(1)"),
        ("math", 1, "math.abs(1)", "math.sqrt(1)"),
        ("math", 2, "math.sqrt(1)", None),
        ("lists", 0, "[1].slice(0, 1)", "[[1]].flatten()"),
        ("lists", 1, "[[1]].flatten()", "[1].sort()"),
        ("lists", 1, "[[1]].flatten()", "[1].sortBy(x, x)"),
        ("lists", 2, "[1].sortBy(x, x)", None),
    ],
)
def test_a_version_has_what_it_brought_and_nothing_later(name, version, has, lacks):
    env = env_of(ext.LIBRARIES[name](version=version))
    value(env, has)
    if lacks:
        assert "undeclared_reference" in refused(env, lacks)
        assert outcome(env, lacks, {}, check=False)[0] == "error"


def test_a_library_says_its_name_and_version():
    assert (ext.STRINGS.name, ext.STRINGS.version) == ("strings", 4)
    for name, library in ext.LIBRARIES.items():
        assert library().name == name


@pytest.mark.parametrize("name", PLAIN)
def test_every_declared_overload_is_implemented(name):
    library = ext.LIBRARIES[name]()
    for declared in library.functions:
        for overload in declared.overloads:
            assert (declared.name, len(overload.arguments)) in library.implementations


def test_all_libraries_go_together():
    env = Env(libraries=[library() for library in ext.LIBRARIES.values()])
    assert value(env, "'abc'.reverse() + ['x', 'y'].reverse().join()") == "cbayx"
    assert value(env, "string(1) + string(ip('::1'))") == "1::1"


def test_a_library_that_is_given_twice_counts_once():
    env = Env(libraries=[ext.STRINGS, ext.STRINGS])
    assert value(env, "'abc'.reverse()") == "cba"


def test_an_overload_of_a_library_does_not_change_what_is_known():
    env = Env(libraries=[function("size", "(int) -> int", lambda number: number + 1)])
    assert value(env, "size('abc')") == 3
    assert value(env, "size(41)") == 42


def test_a_namespaced_function_is_found_in_a_container():
    env = Env(libraries=[ext.STRINGS, ext.MATH], container="a.b")
    assert value(env, "strings.quote('x')") == '"x"'
    assert value(env, "math.greatest(1, 2)") == 2


def test_a_variable_may_have_the_name_of_a_namespace():
    env = env_of(ext.MATH, ext.NETWORK, math="map(string, int)", ip="string")
    assert value(env, "math.x + math.abs(-1)", math={"x": 41}, ip="") == 42
    assert value(env, "ip.isCanonical(ip)", math={}, ip="::1") is True


@settings(max_examples=500)
@given(st.sampled_from(CALLS), st.lists(VALUES, min_size=4, max_size=4), st.booleans())
def test_no_function_raises_whatever_it_is_given(call, values, bounded):
    name, function, count = call
    found = (BOUNDED if bounded else FREE)[name][function, count](*values[:count])
    if type(found) is Fault:
        assert fault_message(found)
    else:
        assert type_name(found)


@pytest.mark.parametrize("name, function, count", CALLS)
def test_a_function_refuses_types_that_it_does_not_take(name, function, count):
    fault = FREE[name][function, count](*[None] * count)
    assert fault.code == "no_such_overload"
    assert "null_type" in fault.details[1:]
