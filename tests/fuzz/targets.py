"""What is thrown at each door of ours, and the invariant that it is held to.

A target takes data and returns; whatever it raises, an assertion or an exception that is none of
ours, is a finding. Everything runs within small limits, so that a target is fast.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from google.protobuf.json_format import ParseDict

from taskman_authz.attributes import EntityFiles
from taskman_authz.cel import Env, ext
from taskman_authz.cli.printing import cel_text, json_value
from taskman_authz.cli.reading import parse_json
from taskman_authz.envoy.v3 import external_auth_pb2 as envoy
from taskman_authz.errors import CompileError, EvaluationError, RequestError
from taskman_authz.issues import Issues
from taskman_authz.limits import DEFAULT
from taskman_authz.pdp import PDP
from taskman_authz.policy import PolicySet, compile_documents
from taskman_authz.policy.lint import CODES, lint
from taskman_authz.policy.schema_document import read_schema
from taskman_authz.testing import load_suites
from taskman_authz.v1 import authorization_pb2 as pb

CORPUS = Path(__file__).with_name("corpus")
LIMITS = msgspec.structs.replace(DEFAULT, value_size=10_000, issues=20)
LIBRARIES = [make() for make in ext.LIBRARIES.values()]
VARIABLES: dict[str, Any] = {
    "subject": {"id": "1", "department": "engineering", "roles": ["a", "admin"]},
    "resource": {"owner": "1", "level": 3},
    "x": 2,
    "y": [1, 2],
    "a": {"b": {"c": None}},
    "m": {"a-b/c": 1.5},
    "tags": ["proj-1", "é"],
    "projects": ["proj-1"],
    "name": "ann",
    "pattern": "^a",
    "s": "10.0.0.1",
}
ENV = Env(dict.fromkeys(VARIABLES, "dyn"), libraries=LIBRARIES, limits=LIMITS)


def expression(text: str) -> None:
    """Any text is a Program whose value is a value or an error of ours, or it is issues."""
    for check in (True, False):
        try:
            program = ENV.compile(text, check=check)
        except CompileError as error:
            well_said(error, text)
            continue
        try:
            program.evaluate(VARIABLES)
        except EvaluationError as error:
            assert error.code and error.message
            assert -1 <= error.position <= len(text)


def policies(text: str) -> None:
    """Any text is a PolicySet, or issues at places in it."""
    try:
        assert isinstance(compile_documents([("fuzz.yaml", text)], LIMITS), PolicySet)
    except CompileError as error:
        well_said(error, text)


def typed_policies(text: str) -> None:
    """So are policies with names and types, and then what can be told of them stands in them."""
    texts = [("fuzz.yaml", text), ("schema.yaml", SCHEMA)]
    try:
        found = lint(texts, LIMITS)
    except CompileError as error:
        well_said(error, text)
    else:
        assert all(issue.code in CODES for issue in found)


def schema(text: str) -> None:
    """Any text is a schema, or issues at places in it; over any the policies compile, or do not."""
    _, issues = read_schema("schema.yaml", text, LIMITS)
    if issues:
        well_said(CompileError(Issues.of(issues)), text)
        return
    try:
        compile_documents([("schema.yaml", text), ("typed.yaml", TYPED)], LIMITS)
    except CompileError as error:
        well_said(error)


def policy_tests(text: str) -> None:
    """Any file is suites, or issues."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fuzz_test.yaml")
        Path(folder, "policies.yaml").write_bytes((CORPUS / "policies.yaml").read_bytes())
        path.write_text(text, "utf-8", "surrogatepass", newline="")
        try:
            load_suites([str(path)])
        except CompileError as error:
            well_said(error)


def json(text: str) -> None:
    """Any text is a value that an expression reads and a person can be shown, or it is refused."""
    try:
        value = parse_json("fuzz", text)
    except CompileError as error:
        well_said(error, text)
        return
    try:
        found = ENV.compile("x == x && type(x) != null_type ? x : [x]").evaluate({"x": value})
    except EvaluationError as error:
        assert error.code
    else:
        assert cel_text(found)
        json_value(found)


def message(data: bytes) -> None:
    """Any bytes are answered, or refused with the name of a field."""
    from taskman_authz_sidecar.authorization import Authorization
    from taskman_authz_sidecar.decisions import Decisions
    from taskman_authz_sidecar.door import Call
    from taskman_authz_sidecar.newest import Newest
    from taskman_authz_sidecar.status import Code, status_of

    for method, reply in (("Check", pb.CheckResponse), ("BatchCheck", pb.BatchCheckResponse)):
        try:
            methods = Authorization(Decisions(DECIDES, LIMITS), Newest("")).methods()
            answer = methods[method](data, Call("grpc", method))
        except RequestError as error:
            assert error.field and error.message
            assert status_of(error).code is Code.INVALID_ARGUMENT
        else:
            reply.FromString(answer)


def routes(text: str) -> None:
    """Any text is a table of routes, or issues at places in it."""
    from taskman_authz_sidecar.ext_authz.reading import read_table

    try:
        table = read_table("routes.yaml", text, ["x-user"], LIMITS)
    except CompileError as error:
        well_said(error, text)
    else:
        table.find("GET", ("tasks", "1"))


def http_request(data: bytes) -> None:
    """Any bytes that are said to be Envoy's are answered, or refused with a reason that has none
    of their values."""
    from taskman_authz_sidecar.decisions import Decisions
    from taskman_authz_sidecar.door import Call
    from taskman_authz_sidecar.ext_authz import Denials, ExtAuthz
    from taskman_authz_sidecar.ext_authz.reading import read_table
    from taskman_authz_sidecar.status import status_of

    table = read_table("routes.yaml", (CORPUS / "routes.yaml").read_text("utf-8"), ["x-user"])
    service = ExtAuthz(Decisions(DECIDES, LIMITS), lambda: table, Denials("codes", "Bearer"))
    try:
        answer = service.check(data, Call("ext_authz", "Check"))
    except RequestError as error:
        answer = Denials("codes", "Bearer").refuse(status_of(error))
    found = envoy.CheckResponse.FromString(answer)
    assert found.HasField("ok_response") is (found.status.code == 0)


def authzen(data: bytes) -> None:
    """Any body is answered with JSON, or refused with the name of a field."""
    from taskman_authz_sidecar.decisions import Decisions
    from taskman_authz_sidecar.door import Call
    from taskman_authz_sidecar.http.authzen import AuthZEN, Posted
    from taskman_authz_sidecar.http.searching import Searcher

    decisions = Decisions(DECIDES, LIMITS)
    point = AuthZEN(decisions, Searcher(decisions, None))
    searches = map(point.search, ("subject", "resource", "action"))
    for method in (point.evaluation, point.evaluations, *searches):
        try:
            answer = method(Posted(data, "application/json", None), Call("http", "fuzz"))
        except RequestError as error:
            assert error.field and error.message
        else:
            msgspec.json.decode(answer)


def entities(text: str) -> None:
    """Any file is entities, or issues at places in it, whatever it is called."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("entities.yaml", "entities.json", "subjects.csv"):
            path = Path(folder, name)
            path.write_text(text, "utf-8", "replace", newline="")
            try:
                EntityFiles(path, LIMITS).load()
            except CompileError as error:
                well_said(error)


def well_said(error: CompileError, text: str | None = None) -> None:
    """Every issue has a code, words, and a place that exists."""
    assert len(error.issues)
    assert str(error)
    lines = None if text is None else text.split("\n")
    for issue in error.issues:
        assert issue.code and issue.message and issue.message[-1] != "."
        assert issue.place.line >= 1 and issue.place.column >= 1
        if lines is not None:
            assert issue.place.line <= len(lines)
            assert issue.place.column <= len(lines[issue.place.line - 1]) + 1


def lines(name: str) -> list[str]:
    return (CORPUS / name).read_text("utf-8").split("\n")


def documents(name: str) -> list[str]:
    """A document of the corpus, and those that the house has."""
    house = Path(__file__).resolve().parents[2] / "policies" / "patterns"
    tests = sorted(house.glob("*_test.yaml"))
    policies = [path for path in sorted(house.glob("*.yaml")) if path not in tests]
    found = tests if "test" in name else policies
    return [path.read_text("utf-8") for path in (CORPUS / name, *found)]


def requests() -> list[bytes]:
    """Each line of the corpus as the bytes of a batch and of its items."""
    found: list[bytes] = []
    for line in filter(None, lines("requests.txt")):
        batch = ParseDict(msgspec.json.decode(line), pb.BatchCheckRequest())
        found += [batch.SerializeToString(), *(each.SerializeToString() for each in batch.items)]
    return found


def http_requests() -> list[bytes]:
    """Each line of the corpus as the bytes of what Envoy asks."""
    read = (msgspec.json.decode(line) for line in filter(None, lines("http_requests.txt")))
    return [ParseDict(each, envoy.CheckRequest()).SerializeToString() for each in read]


SCHEMA, TYPED = ((CORPUS / name).read_text("utf-8") for name in ("schema.yaml", "typed.yaml"))
DECIDES = PDP(compile_documents([("policies.yaml", (CORPUS / "policies.yaml").read_text("utf-8"))]))


class Target(NamedTuple):
    """A door, what it is fuzzed from, and pieces that may mean something to it."""

    run: Callable[[Any], None]
    corpus: Sequence[Any]
    pieces: Sequence[Any]


YAML = tuple(
    "\n|\n  |: |- |? |- &a |*a|!!str |!!binary |<<: |{|}|[|]|,|'|\"|#|%YAML 1.1\n|---\n|...\n|~|"
    "null|"
    "|\t|\r|\x85|\u2028|\0|\ufeff|😀|\\x41|\\ud800|1e400|0x1f|1_000|2024-01-01|.nan|yes|: >\n|"
    "roles:|"
    "policies:|condition:|allow|now:|matrix:|*".split("|")
)
NAMES = tuple("is_owner may late least office owner a b imports: overrides: variables:".split(" "))
TYPES = tuple("int list( map( ) ? timestamp duration dyn type( id roles wrapper( list".split(" "))
CODE = tuple(
    "( ) [ ] { } [? {? . .? , : ? + - ! * / % < <= == != && || in 1 0x 1u 1.5 .5 1e400"
    " 9223372036854775808"
    " 'x' \" ''' r' b' \\ \\u12 ` // \n \r \t \0 = & | has( .map(i, .all( null true x a é 😀 \ud800"
    " .format([ .getHours( duration( timestamp( int( .matches( dyn( type(".split(" ")
)
JSON = (
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u",
    "NaN",
    "1e999",
    "-",
    "0",
    "\0",
    "\ud800",
    "t",
)
WIRE = (
    b"\x0a",
    b"\xff",
    b"\x00",
    b"\x80\x80\x80\x80\x10",
    b"\x2a\x04",
    b"\x1b",
    b":",
    b"/",
    b"\xc3\x28",
)
ROUTES = tuple(
    "/ // {id} {id:path} {} .. /a/{id} GET PUT public: true path. query. claims.?".split()
)
TARGET = tuple(b"/ // /. /.. %2F %2e %zz ; ? # & = .. \\ %C3 : x-user GET /health".split())
BODY = tuple(piece.encode("utf-8", "replace") for piece in JSON) + (
    b'"subject"',
    b'"evaluations":[{}]',
    b'"page":{"limit":1,"token":"AAAA"}',
    b"\xff",
    b"null",
    b"1.5e3",
)
CELLS = ("type,id\n", ",", ";", "roles", "company_id", "7", '"""', "true", "resources")
ENTITIES = (CORPUS / "entities.yaml").read_text("utf-8")

TARGETS: dict[str, Target] = {
    "expression": Target(expression, lines("expressions.txt"), CODE),
    "policies": Target(policies, documents("policies.yaml"), YAML + CODE),
    "typed_policies": Target(typed_policies, [TYPED], YAML + CODE + NAMES),
    "schema": Target(schema, [SCHEMA], YAML + TYPES),
    "policy_tests": Target(policy_tests, documents("policy_tests.yaml"), YAML),
    "json": Target(json, lines("json.txt"), JSON),
    "message": Target(message, requests(), WIRE),
    "routes": Target(routes, ["\n".join(lines("routes.yaml"))], YAML + CODE + ROUTES),
    "http_request": Target(http_request, http_requests(), WIRE + TARGET),
    "authzen": Target(authzen, [line.encode() for line in lines("authzen.txt")], BODY),
    "entities": Target(entities, [ENTITIES], YAML + JSON + CELLS),
}
