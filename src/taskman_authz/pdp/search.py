"""Who may, what may be done, and on what: the answers to a request of which one part is sought.

Laws: pure. What is found is exactly what `authorize` allows of what could be: of entities that are
given, or of the actions that policies name. The work of one call is bounded; where it ended says
`Found.after`, and the next call goes on behind that. The index tells whether any rule can grant at
all: what no rule can grant is not decided about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

from .._fast.wildcards import matches, split_resource
from ..policy import PolicySet
from ..request import CheckRequest
from .authorizer import authorize

KINDS = 1_000  # of resources, whose actions are remembered: a caller makes their names up
OFTEN = 64  # candidates from one look at whether to go on to the next

Complete = Callable[[CheckRequest], CheckRequest]


class Known(Protocol):
    """An entity that may be found."""

    @property
    def id(self) -> str: ...


class Universe(Protocol):
    """What may be found."""

    def of_type(
        self, kind: Literal["subject", "resource"], type: str, company_id: str | None, after: str
    ) -> Iterator[Known]:
        """The subjects or resources of a type that a company sees, by their ids; only those behind
        `after`."""
        ...


class Bounds(msgspec.Struct, frozen=True):
    """How far one call goes: so many to be found, so many decisions, and while `go_on` is true
    (asked now and then, so that a caller may look at its clock)."""

    found: int
    decisions: int
    go_on: Callable[[], bool] = lambda: True


class Found(msgspec.Struct, frozen=True):
    """Ids, or names of actions, that are allowed. `after` is the last that was looked at where
    there may be more behind it; None: that is all."""

    names: tuple[str, ...]
    after: str | None


IsSure = Callable[[CheckRequest], bool]


def certain(_request: CheckRequest) -> bool:
    """Every yes is one."""
    return True


def find_subjects(
    policies: PolicySet,
    request: CheckRequest,
    entities: Universe,
    complete: Complete,
    bounds: Bounds,
    after: str = "",
    is_sure: IsSure = certain,
) -> Found:
    """The subjects of the request's type for which it is allowed, whatever its `subject_id`.
    `complete` gives a request the attributes that are stored. What is allowed and not `is_sure`,
    since others know more, is not found."""
    known = entities.of_type("subject", request.subject_type, request.company_id, after)
    candidates = (
        (each.id, complete(msgspec.structs.replace(request, roles=None, subject_id=each.id)))
        for each in known
    )
    return _found(policies, candidates, bounds, after, is_sure)


def find_resources(
    policies: PolicySet,
    request: CheckRequest,
    entities: Universe,
    complete: Complete,
    bounds: Bounds,
    after: str = "",
    is_sure: IsSure = certain,
) -> Found:
    """The same of resources, whatever the request's `resource_id`."""
    known = entities.of_type("resource", request.resource_type, request.company_id, after)
    candidates = (
        (each.id, complete(msgspec.structs.replace(request, roles=None, resource_id=each.id)))
        for each in known
    )
    return _found(policies, candidates, bounds, after, is_sure)


def find_actions(
    policies: PolicySet,
    request: CheckRequest,
    actions: Sequence[str],
    complete: Complete,
    bounds: Bounds,
    after: str = "",
    is_sure: IsSure = certain,
) -> Found:
    """Those of `actions`, which are in order, that are allowed, whatever the request's `action`."""
    asked = complete(request)
    candidates = (
        (name, msgspec.structs.replace(asked, roles=None, action=name))
        for name in actions
        if name > after
    )
    return _found(policies, candidates, bounds, after, is_sure)


def _found(
    policies: PolicySet,
    candidates: Iterable[tuple[str, CheckRequest]],
    bounds: Bounds,
    after: str,
    is_sure: IsSure,
) -> Found:
    found: list[str] = []
    for number, (name, asked) in enumerate(candidates):
        is_over = len(found) >= bounds.found or number >= bounds.decisions
        if is_over or (number % OFTEN == OFTEN - 1 and not bounds.go_on()):
            return Found(tuple(found), after)
        may = _may_be_granted(policies, asked) and authorize(policies, asked).allowed
        if may and is_sure(asked):
            found.append(name)
        after = name
    return Found(tuple(found), None)


def _may_be_granted(policies: PolicySet, asked: CheckRequest) -> bool:
    """Whether a rule that allows is among those that the index offers."""
    view = policies.index.find(
        asked.company_id, asked.action, asked.resource_type, asked.resource_id, asked.roles
    )
    if view.rows and not view.rows[-1].deny:  # in canonical order these come last
        return True
    return any(not group.deny for group in view.groups)


class KnownActions:
    """The actions of each kind of resource: those that a schema has, and those that rules name.
    `tasks:edit` is known of tasks, `*:view` of every kind that its rule reaches, and an action of
    another kind where a rule names both."""

    def __init__(self, policies: PolicySet) -> None:
        self.policies = policies
        self._named = {
            (action, split_resource(resource)[0])
            for row in policies.rules
            for action in row.actions
            for resource in row.resources
        }
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, kind: str) -> tuple[str, ...]:
        """The names of the actions of a kind, in order."""
        known = self._known.get(kind)
        if known is None:
            named = {_named(action, reach, kind) for action, reach in self._named}
            declared = self.policies.declared.actions.get(kind, ())
            known = tuple(sorted(named.union(declared) - {""}))
            if len(self._known) >= KINDS:
                self._known = {}
            self._known[kind] = known
        return known


def _named(action: str, reach: str, kind: str) -> str:
    """The action of a kind that a pattern names, in a rule that reaches the kinds of a pattern; ""
    if it names none."""
    owner, _, verb = action.partition(":")
    if "*" in verb or not verb:
        return ""
    if owner == "*":
        return f"{kind}:{verb}" if matches(reach, kind, "/") else ""
    return action if kind in (owner, reach) else ""
