"""What is known of the data that policies are about: subjects and their attributes, kinds of
resources with their attributes and actions, the keys of the context.

Laws: what a schema does not describe at all (no `context`, say) is not checked; what it describes
has these attributes and no others. A policy is checked against every kind that its patterns reach:
an attribute that one of them has may be read, and is dyn where their types do not go together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from .._fast.wildcards import matches, split_resource
from ..cel.annotations import annotated_type
from ..cel.env import declared_type, require_known
from ..cel.schemas import either, json_schema
from ..cel.stdlib import POLICY
from ..cel.types import (
    DURATION,
    DYN,
    STRING,
    TIMESTAMP,
    Kind,
    Type,
    list_of,
    object_type,
    wrapper_of,
)
from ..errors import ArgumentError, CompileError, require
from ..issues import Issue, Issues, Place
from .patterns import pattern_error

# Attributes by name, a class that has them, or a JSON Schema.
Described = Mapping[str, Any] | type

_FALLBACK = re.compile(r"(subject|context)\.([A-Za-z_][A-Za-z0-9_]*)")
OWN = ("id", "type", "roles")  # of a subject: nothing stands in for them
EXPECTED = "expected a key of the context for an attribute of the subject (not its id, type, roles)"
FORM = "`subject.x: context.y`"
NAMED = 3  # so many kinds are named where an attribute is in none of them


class Attributes(NamedTuple):
    """The attributes of one thing: the `type` of the whole, and which of them, nested ones as
    `meta.due`, are always there."""

    type: Type
    required: frozenset[str] = frozenset()

    @property
    def fields(self) -> Mapping[str, Type]:
        return self.type.fields or {}


class ResourceType(NamedTuple):
    """A kind of resource: the full names of its actions (`tasks:edit`), and its attributes."""

    actions: tuple[str, ...]
    attributes: Attributes


class Targets(Protocol):
    """What says where a policy applies."""

    @property
    def actions(self) -> list[str]: ...

    @property
    def resources(self) -> list[str]: ...


class Schema:
    """What policies are checked against. `Schema.of` makes one of Python's types; a file
    `schema.yaml` beside policies is read as one.

    `subjects` and `resources` are by type and kind. None stands for what is not described.
    `fallbacks` says of attributes of subjects which key of the context stands in for an absent one.
    """

    def __init__(
        self,
        subjects: Mapping[str, Attributes] | None = None,
        resources: Mapping[str, ResourceType] | None = None,
        action: Attributes | None = None,
        context: Attributes | None = None,
        fallbacks: Mapping[str, str] | None = None,
    ) -> None:
        self.subjects = subjects
        self.resources = resources
        self.action = action
        self.context = context
        # By attribute of the subject: the key of the context that stands in for it.
        pairs = (fallback(*written) for written in (fallbacks or {}).items())
        self.fallbacks = dict(pair for pair in pairs if pair is not None)
        self.subject = _subject_type(subjects)
        # The names of all actions of all kinds.
        self.action_names = [name for each in (resources or {}).values() for name in each.actions]
        self._kinds: dict[str, tuple[str, ...]] = {}  # by pattern
        self._actions: dict[str, tuple[str, ...]] = {}
        self._types: dict[tuple[str, ...], dict[str, Type]] = {}

    @classmethod
    def of(
        cls,
        *,
        subjects: Mapping[str, Described] | None = None,
        resources: Mapping[str, tuple[Iterable[str], Described]] | None = None,
        action: Described | None = None,
        context: Described | None = None,
        fallbacks: Mapping[str, str] | None = None,
    ) -> Schema:
        """A schema of classes (dataclasses, pydantic models, TypedDicts, mapped classes of
        SQLAlchemy), of JSON Schemas of objects, or of mappings from names to types (see
        `cel.Env`); a name that ends in `?` may be absent.

        A kind of resource is the names of its actions and its attributes:
        `{"tasks": (["view", "edit"], Task)}`. Raises CompileError for a type that is none, or a
        fallback (`{"subject.x": "context.y"}`), ArgumentError for what describes nothing.
        """
        for argument, given in (("subjects", subjects), ("resources", resources)):
            if given is not None:
                require(argument, given, Mapping, "a mapping from names to what is known of them")
        for written, instead in (fallbacks or {}).items():
            if fallback(written, instead) is None:
                message = f"`{written}: {instead}` is none: {EXPECTED}, {FORM}"
                issue = Issue(Place("<fallbacks>"), "bad_fallback", message)
                raise CompileError(Issues((issue,)))
        return cls(
            None if subjects is None else {n: _described(n, d) for n, d in subjects.items()},
            None
            if resources is None
            else {
                kind: ResourceType(full_names(kind, actions), _described(kind, attributes))
                for kind, (actions, attributes) in map(_kind, resources.items())
            },
            None if action is None else _described("action", action),
            None if context is None else _described("context", context),
            fallbacks,
        )

    def kinds_of(self, resource: str) -> tuple[str, ...]:
        """The kinds that a pattern of resources matches; none where it is no pattern."""
        if resource not in self._kinds:
            pattern, _ = split_resource(resource)
            known = () if pattern_error(resource, "/") else self.resources or ()
            self._kinds[resource] = tuple(kind for kind in known if matches(pattern, kind, "/"))
        return self._kinds[resource]

    def actions_of(self, action: str) -> tuple[str, ...]:
        """The actions that a pattern of actions matches; none where it is no pattern."""
        if action not in self._actions:
            known = () if pattern_error(action, ":") else self.action_names
            self._actions[action] = tuple(name for name in known if matches(action, name, ":"))
        return self._actions[action]

    def reach(self, policy: Targets) -> tuple[str, ...]:
        """The kinds that a policy can be about; where its actions and resources do not meet, those
        of its resources."""
        found = dict.fromkeys(kind for each in policy.resources for kind in self.kinds_of(each))
        met = tuple(kind for kind in found if self.meets(policy.actions, kind))
        return met or tuple(found)

    def meets(self, actions: Iterable[str], kind: str) -> bool:
        """Whether one of some patterns matches an action of a kind."""
        names = (self.resources or {})[kind].actions
        return any(not set(names).isdisjoint(self.actions_of(pattern)) for pattern in actions)

    def types(self, kinds: tuple[str, ...] | None = None) -> dict[str, Type]:
        """The types of the variables of a condition about `kinds`; None is about all."""
        resources = self.resources or {}
        key = tuple(resources) if kinds is None else kinds
        if key not in self._types:
            self._types[key] = {
                "subject": self.subject,
                "resource": _resource_type(resources, key),
                "action": _action_type(self.action),
                "context": DYN if self.context is None else self.context.type,
            }
        return self._types[key]

    def is_required(self, root: str, name: str, kinds: tuple[str, ...]) -> bool:
        """Whether an attribute (`owner`, `meta.due`) is always there, whatever the subject or the
        one of `kinds`."""
        if root == "subject":
            described = list((self.subjects or {}).values())
        elif root == "resource":
            described = [(self.resources or {})[kind].attributes for kind in kinds]
        else:
            described = [each for each in (self.context,) if each and root == "context"]
        if name in ("id", "type") and root in ("subject", "resource"):
            return True
        return bool(described) and all(name in each.required for each in described)


def fallback(written: str, instead: str) -> tuple[str, str] | None:
    """The attribute and the key of `subject.attribute: context.key`; None of anything else."""
    attribute, key = _FALLBACK.fullmatch(written), _FALLBACK.fullmatch(instead)
    if attribute is None or key is None or (attribute[1], key[1]) != ("subject", "context"):
        return None
    if attribute[2] in OWN:  # a caller says the context: it does not say who the subject is
        return None
    return attribute[2], key[2]


def full_names(kind: str, actions: Iterable[str]) -> tuple[str, ...]:
    """The names of a kind's actions, with the kind before those that have none."""
    names = (name if ":" in name else f"{kind}:{name}" for name in actions)
    return tuple(dict.fromkeys(names))


def as_sent(type: Type) -> Type:
    """What a value is before it is read as its type: JSON has no times, so they are texts."""
    if type is TIMESTAMP or type is DURATION:
        return wrapper_of(STRING)
    if type.kind is Kind.LIST:
        return list_of(as_sent(type.parameters[0]))
    if type.kind is Kind.STRUCT and type.fields is not None:
        fields = {name: as_sent(inner) for name, inner in type.fields.items()}
        return object_type(type.name, fields, open=type.open)
    return type


def _kind(given: tuple[str, Any]) -> tuple[str, tuple[Iterable[str], Described]]:
    """A kind of resource with its actions and its attributes. Raises ArgumentError."""
    kind, pair = given
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ArgumentError.of(kind, 'its actions and its attributes: `(["view"], Task)`', pair)
    actions, attributes = pair
    if isinstance(actions, str) or not isinstance(actions, Iterable):
        raise ArgumentError.of(kind, 'a list of actions such as `["view"]`', actions)
    return kind, (actions, attributes)


def _described(name: str, given: Described) -> Attributes:
    """The attributes of a class, of a JSON Schema, or of a mapping from names to types."""
    if isinstance(given, type):
        return Attributes(annotated_type(given))
    require(name, given, Mapping, "a class, a JSON Schema, or a mapping from names to types")
    if given.get("type") == "object":  # of which CEL knows no type
        required = given.get("required", ())
        return Attributes(json_schema(given, name), frozenset(map(str, required)))
    types = {f"{name}.{key}".removesuffix("?"): each for key, each in given.items()}
    fields = {path[len(name) + 1 :]: declared_type(path, each) for path, each in types.items()}
    require_known({path: each for path, each in types.items() if isinstance(each, str)}, POLICY)
    return Attributes(object_type(name, fields))


def _subject_type(subjects: Mapping[str, Attributes] | None) -> Type:
    if subjects is None:
        return DYN
    own = {"id": STRING, "type": STRING, "roles": list_of(STRING)}
    return _union(_named(subjects, "subject"), own, [each.type for each in subjects.values()])


def _resource_type(resources: Mapping[str, ResourceType], kinds: tuple[str, ...]) -> Type:
    if not kinds:
        return DYN
    types = [resources[kind].attributes.type for kind in kinds]
    return _union(_named(kinds, "resource"), {"id": STRING, "type": STRING}, types)


def _action_type(action: Attributes | None) -> Type:
    return DYN if action is None else _union("action", {"name": STRING}, [action.type])


def _named(names: Iterable[str], otherwise: str) -> str:
    known = sorted(names)
    return " or ".join(known) if len(known) <= NAMED else otherwise


def _union(name: str, own: Mapping[str, Type], types: Iterable[Type]) -> Type:
    """The type of what is one of some types; what is its `own` is there whatever they say."""
    held: dict[str, list[Type]] = {}
    is_open = False
    for each in types:
        is_open = is_open or each.open or each.fields is None
        for field, type in (each.fields or {}).items():
            held.setdefault(field, []).append(type)
    fields = {field: either(found, f"{name}.{field}") for field, found in sorted(held.items())}
    return object_type(name, {**fields, **own}, open=is_open)
