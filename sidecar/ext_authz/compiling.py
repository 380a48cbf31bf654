"""From the document of a table of routes to the table: patterns, checks, expressions.

Laws: nothing is half compiled. Who asks is read from what the proxy verified, never from what a
client sent: the expressions of `subjects` and `company` have no headers, but those that the sidecar
is told to trust, no query and no path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from taskman_authz.cel import Env, Program, Source, Type
from taskman_authz.cel.env import policy_libraries
from taskman_authz.cel.types import DYN, STRING, list_of, map_of, object_type
from taskman_authz.errors import ArgumentError, CompileError
from taskman_authz.integrations.enforcement import Check
from taskman_authz.issues import Issue
from taskman_authz.limits import Limits
from taskman_authz.policy.document_errors import quoted
from taskman_authz.policy.loader import ConditionPlaces, Text
from taskman_authz.policy.suggestions import did_you_mean
from taskman_authz.policy.yaml_reader import Path

from .document import RouteEntry, RoutesDocument, SubjectEntry
from .patterns import PathTree, Pattern, read_pattern
from .table import Programs, Route, SubjectRule, Table

HEADER = re.compile(r"[a-z0-9-]{1,255}")  # `_` is what some servers take for `-`
METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")
TEXTS = map_of(STRING, STRING)
OWN = ("id", "type")  # attributes that are there anyway
TEXT_TYPES = ("string", "dyn", "optional_type(string)", "optional_type(dyn)")


class Compiler:
    """One document being compiled. With `issues`, the table is of no use."""

    def __init__(self, text: Text, trusted: Sequence[str], limits: Limits) -> None:
        self.text = text
        self.issues: list[Issue] = []
        self.programs: dict[tuple[Env, str], Program] = {}
        self.tree: PathTree[dict[str, Route]] = PathTree()
        self.stand_in = Env().compile("''")  # for an expression that is wrong
        names = {header.replace("-", "_"): STRING for header in trusted}
        self.proven: dict[str, Type] = {
            "claims": DYN,
            "source": object_type("source", {"principal": STRING, "address": STRING}),
            "extensions": TEXTS,
            "trusted": object_type("trusted", names),
        }
        # An expression waits as a decision does, and has the budget of one.
        self.limits = replace(limits, evaluation_steps=limits.decision_steps)
        request = dict.fromkeys(("method", "host", "scheme", "id"), STRING)
        self.whole = self.proven | {
            "headers": TEXTS,
            "query": TEXTS,
            "request": object_type("request", request),
        }

    def env(self, variables: Mapping[str, Type]) -> Env:
        libraries = policy_libraries()
        return Env(variables, libraries=libraries, strict_constants=True, limits=self.limits)

    def wrong(
        self, path: Path, code: str, message: str, hint: str = "", at_key: bool = False
    ) -> None:
        self.issues.append(Issue(self.text.place((0, *path), at_key), code, message, hint))

    def table(self, document: RoutesDocument) -> Table:
        proven, whole = self.env(self.proven), self.env(self.whole)
        subjects = tuple(
            self.subject(proven, entry, ("subjects", number))
            for number, entry in enumerate(document.subjects)
        )
        company = None
        if document.company:
            company = self.text_program(proven, document.company, ("company",))
        headers = self.headers(document)
        listed = self.routes(document, whole)
        revision = hashlib.sha256(self.text.text.encode()).hexdigest()
        removed = tuple(document.remove_headers)
        parts = (subjects, company, headers, removed, self.tree, tuple(listed), revision)
        return Table(document.claims, *parts)

    def subject(self, env: Env, entry: SubjectEntry, path: Path) -> SubjectRule:
        if ":" in entry.type:
            self.wrong((*path, "type"), "bad_name", "a type of subject has no `:` in it")
        id = self.text_program(env, entry.id, (*path, "id"))
        place = (*path, "attributes")
        return SubjectRule(entry.type, id, self.attributes(env, entry.attributes, place))

    def headers(self, document: RoutesDocument) -> Programs:
        decision = {"revision": STRING, "policies": list_of(STRING), "company_id": STRING}
        variables = {"subject": DYN, "decision": object_type("decision", decision)}
        env = self.env(self.proven | variables)
        named: list[tuple[Path, str]] = [(("headers", name), name) for name in document.headers]
        named += [(("remove_headers", n), name) for n, name in enumerate(document.remove_headers)]
        for path, name in named:
            if not HEADER.fullmatch(name):
                message = f"{quoted(name)} is no name of a header: small letters, digits, `-`"
                self.wrong(path, "bad_name", message, at_key=path[0] == "headers")
        return {
            name: self.text_program(env, written, ("headers", name))
            for name, written in document.headers.items()
        }

    # -- routes ------------------------------------------------------------------------------------

    def routes(self, document: RoutesDocument, env: Env) -> list[Route]:
        """The routes of the document, which stand in `tree` then."""
        listed: list[Route] = []
        lines: dict[tuple[int, str], int] = {}
        for number, entry in enumerate(document.routes):
            path: Path = ("routes", number)
            pattern = self.pattern(entry, path)
            if pattern is None:
                continue
            here = self.tree.place(pattern.segments, {})
            route = self.route(entry, pattern, document.context, env, path)
            for place, method in enumerate(entry.methods):
                at = (*path, "methods", place)
                if not METHOD.fullmatch(method):
                    message = f"{quoted(method)} is no name of a method in capital letters"
                    self.wrong(at, "bad_name", message)
                elif method in here:
                    line = lines[id(here), method]
                    message = f"`{method} {entry.path}` has a route in line {line}"
                    self.wrong(at, "duplicate_route", message)
                else:
                    here[method] = route._replace(method=method)
                    listed.append(here[method])
                    lines[id(here), method] = self.text.place((0, *path)).line
        return listed

    def pattern(self, entry: RouteEntry, path: Path) -> Pattern | None:
        try:
            return read_pattern(entry.path)
        except ValueError as error:
            self.wrong((*path, "path"), "bad_path", str(error))
            return None

    def route(
        self, entry: RouteEntry, pattern: Pattern, shared: Mapping[str, str], env: Env, path: Path
    ) -> Route:
        """The route of an entry, for all of its methods."""
        names = pattern.names
        here = env.with_types({"path": object_type("path", dict.fromkeys(names, STRING))})
        check = self.check(entry, names, path)
        attributes = self.attributes(here, entry.attributes, (*path, "attributes"))
        for name in entry.context.keys() & shared.keys():
            message = f"{quoted(name)} is in the context of all routes"
            self.wrong((*path, "context", name), "duplicate_key", message, at_key=True)
        context = self.expressions(env, shared, ("context",))
        context |= self.expressions(here, entry.context, (*path, "context"))
        written = (*entry.attributes.values(), *shared.values(), *entry.context.values())
        # A text of that name counts too: then a query is read that need not be.
        reads_query = any(re.search(r"\bquery\b", each) for each in written)
        return Route("", entry.path, entry.public, names, check, attributes, context, reads_query)

    def check(self, entry: RouteEntry, names: Sequence[str], path: Path) -> Check | None:
        """What a route asks; None if it is public, or wrong."""
        asked: dict[str, object] = {"action": entry.action, "resource": entry.resource}
        if entry.public:
            asked |= {"attributes": entry.attributes, "context": entry.context}
            for key in (key for key, value in asked.items() if value):
                self.wrong((*path, key), "bad_value", f"a public route has no `{key}`", at_key=True)
            return None
        for key in (key for key, value in asked.items() if not value):
            hint = "or `public: true`, if nothing is to be checked"
            self.wrong(path, "missing_key", f"the key `{key}` is missing", hint)
        if not all(asked.values()):
            return None
        try:
            check = Check.of(entry.action, entry.resource)
            self.check_parameters(entry.resource, names, (*path, "resource"))
            return check
        except ArgumentError as error:
            self.wrong((*path, "resource"), "bad_value", str(error).removeprefix("resource: "))
            return None

    def check_parameters(self, template: str, names: Sequence[str], path: Path) -> None:
        for name in re.findall(r"\{(\w+)\}", template):
            if name not in names:
                message = f"the path has no parameter {quoted(name)}"
                self.wrong(path, "unknown_parameter", message, did_you_mean(name, names))

    # -- expressions -------------------------------------------------------------------------------

    def attributes(self, env: Env, written: Mapping[str, str], path: Path) -> dict[str, Program]:
        for name in OWN:
            if name in written:
                message = f"{quoted(name)} is always there"
                self.wrong((*path, name), "bad_name", message, "leave it out", at_key=True)
        return self.expressions(env, written, path)

    def expressions(self, env: Env, written: Mapping[str, str], path: Path) -> dict[str, Program]:
        return {name: self.program(env, text, (*path, name)) for name, text in written.items()}

    def text_program(self, env: Env, written: str, path: Path) -> Program:
        """The program of an expression that must give a text, or none."""
        program = self.program(env, written, path)
        if str(program.type) not in TEXT_TYPES:
            message = f"expected a text, but this is `{program.type}`"
            self.wrong(path, "bad_type", message)
        return program

    def program(self, env: Env, written: str, path: Path) -> Program:
        """The program of an expression. One that is wrong in the same way in many routes, because
        all have it, is told once."""
        key = (env, written)
        if key not in self.programs:
            places = ConditionPlaces(self.text, (0, *path))
            try:
                self.programs[key] = env.compile(Source(written, self.text.name, places))
            except CompileError as error:
                self.issues += map(_hinted, error.issues)
                self.programs[key] = self.stand_in
        return self.programs[key]


_HINTS = (
    ("undefined_field", "of `trusted`", "name the header in --ext-authz-trusted-header"),
    ("undeclared_reference", "`headers`", "who asks is never read from what a client says"),
    ("undeclared_reference", "`query`", "who asks is never read from what a client says"),
    ("undeclared_reference", "`path`", "only the `attributes` and `context` of a route know it"),
)


def _hinted(issue: Issue) -> Issue:
    """An issue of an expression, with what usually helps."""
    for code, words, hint in _HINTS:
        if issue.code == code and words in issue.message and not issue.hint:
            return replace(issue, hint=hint)
    return issue
