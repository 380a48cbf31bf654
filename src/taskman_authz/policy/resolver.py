"""Documents → policies whose roles are held and whose conditions are plain CEL: the names that
their files define and the types of their schema are worked into them.

Begin with `resolve`; `vocabulary` is what a condition may read, `rewriting` writes that out, and
`guards` is what must hold besides.

Laws: a policy that uses neither comes out as it went in, unread. What comes out for one that does
is all that a decision depends on, so the revision is made of it. A derived role never grants where
its condition fails, and never lets a deny pass; that a subject carries its name means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..cel import Env, Source
from ..cel.parser import Parsed
from ..errors import CompileError
from ..issues import Issue, Place
from .definitions import Definition, Definitions, Derived, Scope
from .document import Policy
from .document_errors import Finding, quoted
from .guards import elsewhere, guard_of, held_roles, overrides_in
from .loader import Loaded, LoadedDocument
from .patterns import pattern_error
from .rewriting import Places, joined, rewritten
from .schema import Schema
from .schema_document import Schemas
from .suggestions import did_you_mean
from .vocabulary import Typing, View
from .yaml_reader import Path


class Condition(NamedTuple):
    """An expression to compile in an environment. `hints` are about names that are not known, by
    their places; `whole`: a name that is not known is none, for all definitions were read."""

    source: Source
    env: Env
    hints: Mapping[Place, str] = {}
    whole: bool = True


class Entry(NamedTuple):
    """A policy as it is decided by, and where it is from; None stands for no condition."""

    document: LoadedDocument
    number: int
    policy: Policy
    condition: Condition | None


class Resolution(NamedTuple):
    """What documents came to. `others` are conditions of policies that are wrong elsewhere."""

    entries: list[Entry]
    others: list[Condition]
    issues: list[Issue]


def resolve(loaded: Loaded, definitions: Definitions, schemas: Schemas, env: Env) -> Resolution:
    """The policies of some documents, and all that is wrong with their names and types."""
    resolver = _Resolver(definitions, schemas, env, overrides_in(loaded.documents))
    found = Resolution([], [], resolver.issues)
    for made in definitions.all():
        resolver.check(made)
    for document in loaded.documents:
        for number, policy in document.policies:
            found.entries.extend(resolver.entry(document, number, policy))
        for number, text in document.conditions:
            found.others.extend(resolver.other(document, number, text))
    return found


class _Resolver:
    def __init__(
        self,
        definitions: Definitions,
        schemas: Schemas,
        env: Env,
        overrides: Mapping[str, list[str]],
    ) -> None:
        self.definitions = definitions
        self.overrides = overrides
        self.schemas = schemas
        self.env = env
        self.issues: list[Issue] = []
        self._checked: set[Definition] = set()
        self._typings: dict[tuple[int, tuple[str, ...] | None], Typing] = {}

    def typing(self, schema: Schema | None, kinds: tuple[str, ...] | None) -> Typing:
        key = (id(schema), kinds)
        if key not in self._typings:
            self._typings[key] = Typing(schema, kinds, self.env)
        return self._typings[key]

    # -- definitions -------------------------------------------------------------------------------

    def check(self, made: Definition) -> None:
        """Tell what is wrong with a definition, whatever kind it is used for."""
        if made.parsed is None or made.broken or made in self._checked:
            return
        self._checked.add(made)
        used = [made.scope.names[name] for name in sorted(made.uses)]
        for each in used:
            self.check(each)
        if any(each.broken for each in used):
            made.broken = True
            return
        if isinstance(made, Derived):
            self.issues += self.base_roles(made)
        typing = self.typing(self.schemas.of(made.document.text.name), None)
        condition = self.condition(made.parsed, typing, made.scope)
        if condition is None:
            made.broken = True
            return
        try:
            if isinstance(made, Derived):
                condition.env.check_condition(condition.source)
            else:
                condition.env.check(condition.source)
        except CompileError as error:
            self.issues += told(error, condition)
            made.broken = True

    def base_roles(self, made: Derived) -> Iterator[Issue]:
        for number, role in enumerate(made.role.roles):
            if role in made.scope.roles:
                path = (*made.path[:-1], "roles", number)
                message = f"{quoted(role)} is a derived role: a subject must hold one of `roles`"
                yield made.document.issue(Finding(path, "bad_role", message))

    # -- policies ----------------------------------------------------------------------------------

    def entry(self, document: LoadedDocument, number: int, policy: Policy) -> Iterator[Entry]:
        """The policy as it is decided by; nothing where it stands on something broken."""
        scope = self.definitions.of(document)
        schema = self.schemas.of(document.text.name)
        overridden = policy.overridable and policy.id in self.overrides
        if schema is None and not self.definitions and not overridden:
            yield self.plain(document, number, policy)
            return
        kinds = None
        if schema is not None:
            self.issues += unknown_targets(document, number, policy, schema)
            kinds = schema.reach(policy)
        typing = self.typing(schema, kinds)
        condition: Condition | None = None
        if policy.condition:
            parsed = self.parsed(document, number, policy.condition.rstrip())
            condition = parsed and self.condition(parsed, typing, scope)
            if condition is None:
                return
        derived = [scope.roles[role] for role in dict.fromkeys(policy.roles) if role in scope.roles]
        if any(made.broken for made in derived):
            return
        try:
            guards = [guard_of(policy, scope, typing)]
            if overridden:
                guards.append(elsewhere(self.overrides[policy.id]))
            guards = [guard for guard in guards if guard]
            if guards:
                condition = self.guarded(document, number, guards, condition, typing)
        except CompileError as error:  # it became too long
            self.issues += error.issues
            return
        if derived:
            policy = policy.model_copy(update={"roles": held_roles(policy, scope)})
        if condition is not None and condition.source.text != policy.condition.rstrip():
            policy = policy.model_copy(update={"condition": condition.source.text})
        yield Entry(document, number, policy, condition)

    def plain(self, document: LoadedDocument, number: int, policy: Policy) -> Entry:
        text = policy.condition.rstrip()
        if not policy.condition:
            return Entry(document, number, policy, None)
        source = Source(text, document.text.name, document.condition_places(number))
        return Entry(document, number, policy, Condition(source, self.env))

    def other(self, document: LoadedDocument, number: int, text: str) -> Iterator[Condition]:
        """The condition of a policy that is wrong elsewhere."""
        parsed = self.parsed(document, number, text.rstrip())
        if parsed is not None:
            typing = self.typing(self.schemas.of(document.text.name), None)
            condition = self.condition(parsed, typing, self.definitions.of(document))
            if condition is not None:
                yield condition

    def parsed(self, document: LoadedDocument, number: int, text: str) -> Parsed | None:
        source = Source(text, document.text.name, document.condition_places(number))
        try:
            return self.env.parse(source)
        except CompileError as error:
            self.issues += error.issues
            return None

    def condition(self, parsed: Parsed, typing: Typing, scope: Scope) -> Condition | None:
        """The condition of a tree; None where it stands on something broken."""
        view = View(typing, scope)
        try:
            found = rewritten(parsed, view, self.env.limits)
        except CompileError as error:  # it became too long
            self.issues += error.issues
            return None
        if view.broken:
            return None
        hints = {
            parsed.source.place(position): hint
            for name, position in found.unknown
            if (hint := self.hint(name, scope))
        }
        return Condition(found.source, typing.env, hints, scope.whole)

    def hint(self, name: str, scope: Scope) -> str:
        """What to say of a name that is not known."""
        files = self.definitions.files_with(name)
        if files:
            return f"import `{files[0]}`, which defines it"
        return did_you_mean(name, scope.names)

    # -- what must hold besides --------------------------------------------------------------------

    def guarded(
        self,
        document: LoadedDocument,
        number: int,
        guards: list[str],
        condition: Condition | None,
        typing: Typing,
    ) -> Condition:
        """A policy's condition, and what must hold besides, told at the policy's roles."""
        path: Path = (document.number, "policies", number, "roles")
        roles = document.text.place(path)
        pieces: list[tuple[str, Places]] = [(" && ".join(guards), lambda offset: roles)]
        if condition is not None:
            source = condition.source
            pieces += [
                (" && (", lambda offset: roles),
                (source.text, source.place),
                ("\n)" if "//" in source.text else ")", lambda offset: roles),
            ]
        made = joined(document.text.name, pieces, self.env.limits)
        if condition is not None:
            return condition._replace(source=made)
        return Condition(made, typing.env)


def told(error: CompileError, condition: Condition) -> Iterator[Issue]:
    """What is wrong with a condition, with what is known of names that nobody declared."""
    for issue in error.issues:
        if issue.code == "undeclared_reference":
            if not condition.whole:
                continue
            hint = condition.hints.get(issue.place)
            yield Issue(issue.place, issue.code, issue.message, hint) if hint else issue
        else:
            yield issue


def unknown_targets(
    document: LoadedDocument, number: int, policy: Policy, schema: Schema
) -> Iterator[Issue]:
    """The actions and kinds of a policy that a schema does not have."""
    if schema.resources is None:
        return
    for position, pattern in enumerate(policy.actions):
        if not schema.actions_of(pattern) and not pattern_error(pattern, ":"):
            path = ("policies", number, "actions", position)
            message = f"no kind of resource has an action {quoted(pattern)}"
            hint = did_you_mean(pattern, schema.action_names)
            yield document.issue(Finding(path, "unknown_action", message, hint))
    for position, pattern in enumerate(policy.resources):
        if not schema.kinds_of(pattern) and not pattern_error(pattern, "/"):
            path = ("policies", number, "resources", position)
            kind, _, rest = pattern.partition("/")
            near = did_you_mean(kind, schema.resources)
            hint = near.replace("`?", f"/{rest}`?") if rest else near
            message = f"there is no kind of resource {quoted(kind)}"
            yield document.issue(Finding(path, "unknown_kind", message, hint))
