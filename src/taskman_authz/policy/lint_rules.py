"""Findings in one policy: its roles, its patterns among each other, its condition, and what its
schema says of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .._fast.expansion import start_of
from .._fast.rows import ANYONE
from .._fast.tree import Call, Comprehension, Expr, Ident, Literal, Select
from .._fast.wildcards import split_resource
from ..cel import Env, Source
from ..cel.parser import Parsed
from ..issues import Issue
from .constancy import AND, OR, constancy, operands
from .definitions import Definitions
from .document import Policy
from .document_errors import Finding, quoted
from .loader import Loaded, LoadedDocument
from .patterns import covers_action, covers_resource
from .resolver import Entry
from .schema import Schema
from .schema_document import Schemas
from .suggestions import did_you_mean
from .yaml_reader import Path

SHOWN = 5  # so many narrower patterns are suggested


class Found(NamedTuple):
    """A finding, and the document that it is in. A finding in a condition has its own `issue`."""

    document: LoadedDocument
    finding: Finding
    issue: Issue | None = None


class Reading(NamedTuple):
    """All that findings are made of."""

    loaded: Loaded
    definitions: Definitions
    schemas: Schemas
    entries: list[Entry]
    env: Env


def policy_findings(reading: Reading) -> Iterator[Found]:
    """Findings in each policy by itself."""
    for document in reading.loaded.documents:
        schema = reading.schemas.of(document.text.name)
        for number, role in document.definitions.derived_roles:
            for finding in _repeated_roles(role.roles, ("derived_roles", number)):
                yield Found(document, finding)
        for number, policy in document.policies:
            path: Path = ("policies", number)
            for finding in _own(policy, path):
                yield Found(document, finding)
            if schema is not None and schema.resources is not None:
                for finding in _typed(policy, path, schema):
                    yield Found(document, finding)
            if policy.condition:
                source = Source(
                    policy.condition.rstrip(), document.text.name, document.condition_places(number)
                )
                yield from _clauses(document, path, reading.env.parse(source), policy, schema)


# -- roles and patterns ------------------------------------------------------------------------


def _own(policy: Policy, path: Path) -> Iterator[Finding]:
    if not policy.roles:
        message = "the policy is attached to no role, so it applies to nobody"
        yield Finding((*path, "id"), "no_role", message, 'every subject is `roles: ["*"]`')
    yield from _repeated(policy.actions, (*path, "actions"), covers_action)
    yield from _repeated(policy.resources, (*path, "resources"), covers_resource)
    yield from _repeated_roles(policy.roles, path)


def _repeated_roles(roles: Sequence[str], path: Path) -> Iterator[Finding]:
    return _repeated(roles, (*path, "roles"), lambda one, other: one in (ANYONE, other))


def _repeated(
    patterns: Sequence[str], path: Path, covers: Callable[[str, str], bool]
) -> Iterator[Finding]:
    """Patterns of which another one of the list matches everything."""
    for number, pattern in enumerate(patterns):
        for place, other in enumerate(patterns):
            first = place < number if covers(pattern, other) else True
            if place != number and covers(other, pattern) and first:
                message = f"{quoted(other)} matches all that {quoted(pattern)} does"
                yield Finding((*path, number), "redundant_pattern", message)
                break


def _typed(policy: Policy, path: Path, schema: Schema) -> Iterator[Finding]:
    """Patterns that reach nothing of the schema, or in an allow policy more than they need to."""
    resources = schema.resources or {}
    reached = [kind for kind in schema.reach(policy) if schema.meets(policy.actions, kind)]
    useful = {name for kind in reached for name in resources[kind].actions}
    for number, pattern in enumerate(policy.actions):
        place = (*path, "actions", number)
        matched = schema.actions_of(pattern)
        needed = [name for name in matched if name in useful]
        if matched and not needed:
            message = f"{quoted(pattern)} is no action on the resources of this policy"
            yield Finding(place, "unreachable", message)
        elif policy.effect == "allow" and "*" in pattern and len(needed) < len(matched):
            message = f"{quoted(pattern)} matches actions on other resources than this policy's"
            yield Finding(place, "wide_pattern", message, _instead(_narrower(needed, schema)))
    for number, pattern in enumerate(policy.resources):
        place = (*path, "resources", number)
        kinds = schema.kinds_of(pattern)
        needed = [kind for kind in kinds if kind in reached]
        if kinds and not needed:
            message = f"no action of this policy is one on {quoted(pattern)}"
            yield Finding(place, "unreachable", message)
        elif policy.effect == "allow" and len(needed) < len(kinds):
            message = f"{quoted(pattern)} matches resources that no action of this policy is on"
            rest = split_resource(pattern)[1]
            hint = _instead([f"{kind}/{rest}" for kind in needed])
            yield Finding(place, "wide_pattern", message, hint)


def _narrower(names: Sequence[str], schema: Schema) -> list[str]:
    """Patterns that match some actions and no others: `kind:*` where they are all of a kind."""
    found: dict[str, None] = {}
    for name in names:
        whole = f"{name.partition(':')[0]}:*"
        found[whole if set(schema.actions_of(whole)) <= set(names) else name] = None
    return list(found)


def _instead(patterns: list[str]) -> str:
    if not 0 < len(patterns) <= SHOWN:
        return ""
    return f"{', '.join(map(quoted, patterns))} would do"


# -- conditions --------------------------------------------------------------------------------


def _clauses(
    document: LoadedDocument, path: Path, parsed: Parsed, policy: Policy, schema: Schema | None
) -> Iterator[Found]:
    kinds = schema.reach(policy) if schema is not None else ()

    def found(tree: Expr, code: str, message: str, hint: str = "") -> Found:
        place: Path = (*path, "condition")
        issue = Issue(parsed.source.place(start_of(tree)), code, message, hint)
        return Found(document, Finding(place, code, message, hint), issue)

    for tree, names in parts(parsed.expr, frozenset()):
        if isinstance(tree, Call) and tree.function in (AND, OR):
            for operand in operands(tree, tree.function):
                inner = constancy(operand)
                if inner is not None:
                    word = "false" if inner.never else "true"
                    yield found(operand, "dead_clause", f"this part is always {word}")
        if schema is None:
            continue
        if isinstance(tree, Select) and tree.test_only:
            root, _, attribute = _dotted(tree).partition(".")
            if attribute and root not in names and schema.is_required(root, attribute, kinds):
                message = f"the schema says that {quoted(f'{root}.{attribute}')} is always there"
                yield found(
                    tree,
                    "needless_has",
                    message,
                    "write `?` behind its name in the schema where requests may lack it",
                )
        if isinstance(tree, Call) and tree.function in ("_==_", "_!=_"):
            for asked, value in (tree.args, tree.args[::-1]):
                known = _known(asked, names, schema)
                if known and isinstance(value, Literal) and value.value not in known:
                    shown = str(value.value)
                    message = f"{quoted(_dotted(asked))} is never {quoted(shown)}"
                    yield found(value, "unknown_value", message, did_you_mean(shown, known))


def _known(tree: Expr, names: frozenset[str], schema: Schema) -> list[str]:
    """The values that an attribute can have by the schema; none where it may have any."""
    path = _dotted(tree)
    if path.partition(".")[0] in names:
        return []
    known = {
        "subject.type": schema.subjects,
        "resource.type": schema.resources,
        "action.name": schema.action_names if schema.resources is not None else (),
    }
    return list(known.get(path) or ())


def _dotted(tree: Any) -> str:
    """`a.b.c`, where a tree is that."""
    fields: list[str] = []
    while isinstance(tree, Select):
        fields.append(tree.field)
        tree = tree.operand
    return ".".join([tree.name, *reversed(fields)]) if isinstance(tree, Ident) else ""


def parts(tree: Any, names: frozenset[str]) -> Iterator[tuple[Expr, frozenset[str]]]:
    """A tree and all below it, each with the variables of the macros around it."""
    yield tree, names
    if isinstance(tree, Select):
        below = [tree.operand]
    elif isinstance(tree, Call):
        below = [tree.target, *tree.args] if tree.target else list(tree.args)
    elif isinstance(tree, Comprehension):
        below = [tree.iter_range, tree.accu_init]
    else:
        below = list(getattr(tree, "elements", ()))
        for entry in getattr(tree, "entries", ()):
            below += [entry.value, entry.key] if isinstance(entry.key, Expr) else [entry.value]
    for part in below:
        yield from parts(part, names)
    if isinstance(tree, Comprehension):
        inner = names | {tree.iter_var, tree.iter_var2, tree.accu_var}
        for part in (tree.loop_condition, tree.loop_step, tree.result):
            yield from parts(part, inner)
