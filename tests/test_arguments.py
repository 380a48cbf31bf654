"""Every door names the argument that it does not take, what it expects, and the type it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from taskman_authz import (
    PDP,
    ArgumentError,
    CompileError,
    DecisionLog,
    Entity,
    Limits,
    RequestError,
    Schema,
    Shadow,
    authorize,
    cel,
    compile_documents,
    make_request,
)
from taskman_authz.cel import ext
from taskman_authz.cli import main
from taskman_authz.decision_log import verify
from taskman_authz.policy import change
from tests.policy.helpers import compiled, document, policy

ENV: Any = cel.Env({"x": "int"})
PROGRAM: Any = ENV.compile("x + 1")
POLICIES = compiled(document(policy("yes")))
POINT = PDP(POLICIES)
REQUEST = make_request("user:1", "tasks:view", "tasks/1", now=0)

NO_NAMES: Any = {5: "int"}
NO_LIBRARIES: Any = ["strings"]
NO_SUBJECTS: Any = {"user": 5}
NO_RESOURCES: Any = {"t": ["view"]}
NO_KEYS: Any = ["yes"]

ARGUMENTS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: cel.Env(5),
        "variables: expected a mapping of names to types, found a value of type `int`",
    ),
    (lambda: cel.Env(NO_NAMES), "variables: expected names such as"),
    (
        lambda: cel.Env({"a b": "int"}),
        "variables: expected names such as `subject` or `shop.order`, found `a b`",
    ),
    (
        lambda: cel.Env(libraries=NO_LIBRARIES),
        "libraries[0]: expected a library such as `ext.STRINGS`",
    ),
    (lambda: cel.Env(libraries="strings"), "libraries: expected a list of libraries"),
    (lambda: cel.Env(libraries=ext.STRINGS), "libraries: expected a list of libraries"),
    (lambda: cel.Env(container=5), "container: expected a namespace"),
    (lambda: cel.Env(messages=5), "messages: expected a list of messages"),
    (lambda: cel.Env(limits=5), "limits: expected Limits"),
    (lambda: Schema.of(subjects=[]), "subjects: expected a mapping from names"),
    (lambda: Schema.of(subjects=NO_SUBJECTS), "user: expected a class, a JSON Schema"),
    (lambda: Schema.of(context=5), "context: expected a class, a JSON Schema"),
    (lambda: Schema.of(resources=NO_RESOURCES), "t: expected its actions and its attributes"),
    (lambda: Schema.of(resources={"t": ("view", {})}), "t: expected a list of actions"),
    (lambda: change(5), "policies: expected a PolicySet"),
    (lambda: change(POLICIES, remove=NO_KEYS), "remove[0]: expected the company"),
    (lambda: compile_documents([], schema=5), "schema: expected a Schema"),
    (lambda: compile_documents([], limits=5), "limits: expected Limits"),
    *[
        (lambda texts=texts: compile_documents(texts), "texts: expected pairs of a name and a text")
        for texts in ("x", 5, [5], ["ab"], [("a", 5)])
    ],
    (lambda: PDP.from_path("policies", limits=5), "limits: expected Limits"),
    (lambda: PDP.from_path("policies", verify_key=5), "verify_key: expected the path of"),
    (lambda: PDP.from_path(".", schema=5), "schema: expected a Schema"),
    (lambda: DecisionLog(5), "path: expected the path of a file"),
    (lambda: verify("log.jsonl"), "paths: expected a list of paths"),
    (lambda: ENV.compile(None), "text: expected an expression as a text, found nothing"),
    (
        lambda: ENV.compile(b"x"),
        "text: expected an expression as a text, found a value of type `bytes`",
    ),
    (lambda: ENV.parse(5), "text: expected an expression"),
    (lambda: ENV.check(5), "text: expected an expression"),
    (lambda: ENV.program("x"), "parsed: expected what `parse` gives"),
    (lambda: ENV.check_tree("x"), "parsed: expected what `parse` gives"),
    (lambda: cel.evaluate(None), "text: expected an expression"),
    (lambda: cel.evaluate("x", 5), "variables: expected a mapping of names to values"),
    (lambda: PROGRAM.evaluate({"x": 1}, budget="a"), "budget: expected a whole number from 0"),
    (
        lambda: PROGRAM.evaluate({"x": 1}, budget=-1),
        "budget: expected a whole number from 0, found -1",
    ),
    (lambda: PROGRAM.partial({}, 5), "unknown: expected patterns of attributes"),
    (lambda: PROGRAM.partial({}, [5]), "unknown: expected patterns of attributes"),
    (lambda: PROGRAM.estimate(5), "sizes: expected a mapping of names to sizes"),
    (lambda: PROGRAM.estimate({"x": "a"}), "sizes[`x`]: expected a whole number, or a pair"),
    (lambda: cel.AttributePattern(5), "text: expected a pattern"),
    (lambda: cel.function(5, "(int) -> int", abs), "name: expected a name"),
    (lambda: cel.function("f", 5, abs), "signature: expected a signature"),
    (lambda: cel.function("f", "(int) -> int", 5), "implementation: expected a function"),
    (lambda: cel.function("f", "(int) -> int", abs, cost="x"), "cost: expected a whole number"),
    (lambda: PDP(5), "policies: expected a PolicySet, found a value of type `int`"),
    (lambda: POINT.install(None), "policies: expected a PolicySet, found nothing"),
    (lambda: PDP.from_path(5), "path: expected the path of a folder or a file"),
    (lambda: PDP(POLICIES, log=5), "log: expected a DecisionLog, or a function"),
    (lambda: PDP(POLICIES, shadow=POINT), "shadow: expected a Shadow, found a value of type `PDP`"),
    (lambda: Shadow(5), "candidate: expected a PDP"),
    (lambda: Shadow(POINT, 5), "on_difference: expected a function"),
    (lambda: authorize(5, REQUEST), "policies: expected a PolicySet"),
    (lambda: authorize(POLICIES, 5), "request: expected a CheckRequest"),
    (
        lambda: Limits(batch_size="x"),
        "batch_size: expected a whole number, found a value of type `str`",
    ),
    (lambda: Limits(batch_size=-1), "batch_size: expected a whole number from 0, found -1"),
]


@pytest.mark.parametrize(("door", "said"), ARGUMENTS, ids=[said for _, said in ARGUMENTS])
def test_an_argument_of_a_wrong_type_is_named(door, said):
    with pytest.raises(ArgumentError) as caught:
        door()
    assert said in str(caught.value)
    assert isinstance(caught.value, TypeError)  # as of any function of Python


@pytest.mark.parametrize("name", ext.LIBRARIES)
def test_a_version_that_a_library_has_not_is_refused(name):
    library = ext.LIBRARIES[name]
    latest = library().version
    assert library(version=latest).version == latest
    for version in (latest + 1, -1):
        with pytest.raises(ArgumentError) as caught:
            library(version=version)
        expected = f"version: expected a version of `{name}` from 0 to {latest}, found {version}"
        assert str(caught.value) == expected
    with pytest.raises(ArgumentError, match=f"a version of `{name}` .*found a value of type `str`"):
        library(version="1")


@pytest.mark.parametrize("found", [5, 1.5, object(), [int], {1}, list.__class_getitem__(5)])
def test_what_is_no_type_is_none_of_a_variable(found):
    with pytest.raises(CompileError, match="<type of x>.*expected a type, found a value of type"):
        cel.Env({"x": found})


@pytest.mark.parametrize("number", [-1, 2**64, -(2**64)])
def test_an_unsigned_integer_is_in_range(number):
    with pytest.raises(
        ValueError, match=f"expected an integer from 0 to {2**64 - 1}, found {number}"
    ):
        cel.UInt(number)


@pytest.mark.parametrize("number", [0, 2**64 - 1])
def test_the_ends_of_unsigned_integers_are_in_range(number):
    assert cel.evaluate("x", {"x": cel.UInt(number)}) == number


@pytest.mark.parametrize("value", [5, 1.5, True, "ip", b"ip", ["ip"], ("ip",), {"ip"}])
def test_what_holds_no_attributes_is_none_of_a_question(value):
    kind = type(value).__name__
    expected = f"expected a mapping or an object with attributes, found a value of type {kind}"
    for field, question in {
        "context": ("user:1", "tasks:view", "tasks/1", value),
        "subject": (Entity("user", "1", value), "tasks:view", "tasks/1"),
        "resource": ("user:1", "tasks:view", Entity("tasks", "1", value)),
        "action": ("user:1", Entity("action", "tasks:view", value), "tasks/1"),
    }.items():
        with pytest.raises(RequestError) as caught:
            POINT.check(*question)
        assert str(caught.value) == f"{field}: {expected}"
        [answer] = POINT.batch_check([question])
        assert answer.reasons[0].code == "invalid_request"
        assert answer.reasons[0].message == f"{field}: {expected}"


@pytest.mark.parametrize("text", ["1e400", "-1e400", '{"a": [1e999]}', "1" * 400 + ".0"])
def test_a_number_that_no_double_holds_is_no_json(text, capsys):
    assert main(["eval", "x == x", "--var", f"x={text}", "--format", "json"]) == 2
    [error] = json.loads(capsys.readouterr().err)["errors"]
    assert error["code"] == "invalid_json"
    assert "is larger than any double" in error["message"]
    assert len(error["message"]) < 100
