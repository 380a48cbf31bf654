"""The smallest change of attributes that flips a decision.

Laws: a change that is told was tried: the changed request was decided by the policies, and the
answer was the other one. Fewest attributes first, and among as many those of conditions before
roles; the same request finds the same change. The search is bounded, and says so when it ended for
that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import msgspec

from .._fast.rows import ANYONE, RuleRow
from ..decision import Decision
from ..errors import RequestError
from ..policy import PolicySet
from ..request import CheckRequest
from .authorizer import authorize
from .conditions import Conditions, variables_of
from .proposals import ABSENT, FIXED, Path, Proposals, proposals, same

ROLES = ("subject", "roles")
LOOKED = 20  # times as many changes as are tried may be made up: what many rules read comes again
PLAIN = (str, bytes, int, float, list, tuple)  # values that have no attributes
_HOLDERS = {
    "subject": "subject",
    "resource": "resource",
    "action": "action_attributes",
    "context": "context",
}


class AttributeChange(msgspec.Struct, frozen=True):
    """An attribute that would be another one: `path` as conditions read it, its value `before` and
    `after`; `absent` if it would not be there, `added` if it is not there now."""

    path: str
    before: Any
    after: Any
    added: bool = False
    absent: bool = False


class Change(msgspec.Struct, frozen=True):
    """A change of attributes, and the decision on the request that it makes."""

    attributes: tuple[AttributeChange, ...]
    request: CheckRequest
    decision: Decision


class Search(msgspec.Struct, frozen=True):
    """What a search came to: the change, or None, and how many were `tried`. If it is `complete`,
    all that could be proposed were; else it ended at the limit."""

    change: Change | None
    tried: int
    complete: bool


def smallest_change(
    policies: PolicySet,
    request: CheckRequest,
    conditions: Conditions,
    decision: Decision,
    most: int | None = None,
) -> Search:
    """Search for the smallest change that flips `decision`; try so many at most, else as many as
    the limits of the policies say."""
    seeker = _Seeker(policies, request, conditions, decision)
    limit = policies.limits.changes_tried if most is None else most
    tried = 0
    for looked, change in enumerate(seeker.changes()):
        if tried == limit or looked == LOOKED * limit:
            return Search(None, tried, False)
        if change is None:
            continue
        tried += 1
        found = seeker.flipped(change)
        if found is not None:
            return Search(found, tried, True)
    return Search(None, tried, seeker.complete)


Assignment = tuple[tuple[Path, Any], ...]


class _Seeker:
    """Proposes changes, and tries them."""

    def __init__(
        self,
        policies: PolicySet,
        request: CheckRequest,
        conditions: Conditions,
        decision: Decision,
    ) -> None:
        self.policies = policies
        self.request = request
        self.conditions = conditions
        self.decision = decision
        self.variables = variables_of(request)
        self.known: dict[tuple[str, str | None], Proposals] = {}
        self.rows = [row for row in policies.rules if applies_but_roles(row, request)]
        self.complete = True  # all rules were thought of

    def changes(self) -> Iterator[Assignment | None]:
        """Changes to try: of one attribute, of two, and so on; None for one told before."""
        groups = [self.proposals(group) for group in self.groups()]
        seen: set[tuple[tuple[Path, str], ...]] = set()
        for size in range(1, max(map(len, groups), default=0) + 1):
            assignments = (each for group in groups for each in _assignments(group, size))
            for assignment in sorted(assignments, key=self.rank) if size == 1 else assignments:
                key = tuple((path, repr(value)) for path, value in assignment)
                yield None if key in seen else assignment
                seen.add(key)

    def rank(self, assignment: Assignment) -> int:
        """What is tried first: attributes that are there, then others, then roles."""
        return max(self.path_rank(path) for path, _ in assignment)

    def path_rank(self, path: Path) -> int:
        holder = getattr(self.request, _HOLDERS[path[0]])
        return 2 if path == ROLES else int(attribute(holder, path[1:]) is ABSENT)

    def groups(self) -> list[list[RuleRow]]:
        """The rules that a change would have to do with: of a deny an allow rule and all rules that
        deny, of an allow a deny rule, or all allow rules."""
        denies = [row for row in self.rows if row.deny]
        allows = [row for row in self.rows if not row.deny]
        if self.decision.allowed:
            return [*([row] for row in denies), allows]
        # Those that the subject holds a role for come first: a role is not handed out so lightly.
        allows.sort(key=lambda row: not self.holds(row))
        most = self.policies.limits.changed_rules
        self.complete = len(allows) <= most
        return [[row, *denies] for row in allows[:most]]

    def holds(self, row: RuleRow) -> bool:
        return any(role == ANYONE or role in self.request.roles for role in row.roles)

    def proposals(self, rows: Iterable[RuleRow]) -> Proposals:
        """What attributes could be by the conditions of some rules, and roles by what these are
        attached to; those that are tried first stand first."""
        found: Proposals = {}
        for row in rows:
            for path, values in self.of_condition(row).items():
                _extend(found, path, values)
        for row in rows:
            if ANYONE not in row.roles:
                _extend(found, ROLES, self.roles(row))
        return {path: found[path] for path in sorted(found, key=self.path_rank)}

    def of_condition(self, row: RuleRow) -> Proposals:
        key = (row.id, row.company)
        if key not in self.known:
            condition = self.conditions.of(row)
            found = proposals(condition[0], self.variables) if condition else {}
            self.known[key] = {path: found[path] for path in found if path not in FIXED}
        return self.known[key]

    def roles(self, row: RuleRow) -> Iterator[list[str]]:
        """The subject's roles with one that a rule is attached to, or without all of these."""
        held = list(self.request.roles)
        if self.holds(row):
            yield [role for role in held if role not in row.roles]
        else:
            yield from ([*held, role] for role in sorted(row.roles))

    # -- trying -----------------------------------------------------------------------------------

    def flipped(self, assignment: Assignment) -> Change | None:
        """The change, if the decision on what it makes of the request is the other one."""
        try:
            request = changed(self.request, assignment)
        except RequestError:  # roles that are none, for example
            return None
        decision = authorize(self.policies, request)
        if decision.allowed == self.decision.allowed:
            return None
        told = tuple(self.told(path, value) for path, value in assignment)
        return Change(told, request, decision)

    def told(self, path: Path, value: Any) -> AttributeChange:
        before = attribute(getattr(self.request, _HOLDERS[path[0]]), path[1:])
        added, absent = before is ABSENT, value is ABSENT
        return AttributeChange(
            ".".join(path), None if added else before, None if absent else value, added, absent
        )


def applies_but_roles(row: RuleRow, request: CheckRequest) -> bool:
    """Whether a rule applies to a request, or would if the subject held a role of its."""
    kind, id = request.resource_type, request.resource_id
    return row.applies(request.company_id, request.action, kind, id, row.roles)


def _assignments(found: Proposals, size: int) -> Iterator[Assignment]:
    """Every way to give so many attributes one of their proposed values."""
    for paths in combinations(found, size):
        for values in product(*(found[path] for path in paths)):
            yield tuple(zip(paths, values, strict=True))


def _extend(found: Proposals, path: Path, values: Iterable[Any]) -> None:
    known = found.setdefault(path, [])
    known += (value for value in values if not any(same(value, other) for other in known))


# -- changed requests -----------------------------------------------------------------------------


def changed(request: CheckRequest, assignment: Sequence[tuple[Path, Any]]) -> CheckRequest:
    """A request with other attributes. What the caller passed is left as it is. Raises RequestError
    where it would be none."""
    holders = {field: getattr(request, field) for field in _HOLDERS.values()}
    for path, value in assignment:
        field = _HOLDERS[path[0]]
        holders[field] = with_attribute(holders[field], path[1:], value)
    return msgspec.structs.replace(request, roles=None, **holders)


def attribute(holder: Any, path: Path) -> Any:
    """What a caller's mapping or object has at a path; ABSENT where it has nothing there."""
    for name in path:
        if isinstance(holder, Mapping):
            holder = holder.get(name, ABSENT)
        else:
            holder = getattr(holder, name, ABSENT)
    return holder


def with_attribute(holder: Any, path: Path, value: Any) -> Any:
    """A mapping or an object with another value at a path, or without one."""
    name, *rest = path
    if rest:
        inner = attribute(holder, (name,))
        if inner is ABSENT or isinstance(inner, PLAIN):
            inner = None
        value = with_attribute(inner, tuple(rest), value)
    if holder is None or isinstance(holder, Mapping):
        others = {key: each for key, each in (holder or {}).items() if key != name}
        return others if value is ABSENT else {**others, name: value}
    return Overlay(holder, name, value)


class Overlay:
    """An object of the caller's with one attribute that is another one, or is not there."""

    def __init__(self, holder: Any, name: str, value: Any) -> None:
        self.__dict__["_holder"] = holder
        if value is ABSENT:
            self.__dict__["_hidden"] = name
        else:
            self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        if name == self.__dict__.get("_hidden"):
            raise AttributeError(name)
        return getattr(self.__dict__["_holder"], name)
