"""Requests made of policies: of their patterns, their roles, and what their conditions compare.

A `Template` is a place that rules have a say about (company, action, resource), the roles that
matter there, and what each attribute could be. Whoever makes requests fills it in: at random
(`requests`), or by hypothesis (`strategies`).

Law: the same policies give the same templates, and the same seed the same requests.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

import msgspec

from .._fast.rows import ANYONE, RuleRow
from .._fast.times import DAY
from ..pdp import authorize
from ..pdp.changes import applies_but_roles, changed, smallest_change
from ..pdp.conditions import Conditions, variables_of
from ..pdp.proposals import FIXED, Path, Proposals, proposals, same
from ..policy import PolicySet
from ..request import CheckRequest, make_request

PLACES = 16  # of one rule: actions × resources
VALUES = 12  # of one attribute
MISSING = 0.3  # how often an attribute is not there
STARTED = 64  # templates for which requests that are allowed are sought: that takes a while
TRIED = 200  # changes that are tried for it
NEAR = 0.7  # how often a request is made of one that is allowed, where there is one
ASKER = {"type": "user", "id": "ann"}
OTHER = "x"  # stands for any rest of a pattern, and for any company
YEAR = 365 * DAY
LATER = 0.2  # how often a request is made at another time, up to a year away
NOWHERE = 0.1  # how often it names no company
NAMES = {  # what is part of a question, and may be another name
    ("subject", "type"): "subject_type",
    ("subject", "id"): "subject_id",
    ("resource", "id"): "resource_id",
}
ROLES = ("subject", "roles")


class Template(NamedTuple):
    """A request without attributes, the roles that its subject may hold, and what each attribute
    could be. `starts` are requests of it with which something begins to be allowed."""

    request: CheckRequest
    roles: tuple[str, ...]
    attributes: Proposals
    starts: tuple[CheckRequest, ...] = ()

    def filled(self, roles: Sequence[str], attributes: Mapping[Path, Any]) -> CheckRequest:
        """The request of a subject with these roles, and with these attributes."""
        return with_attributes(self.request, {ROLES: list(roles), **attributes})


def with_attributes(request: CheckRequest, attributes: Mapping[Path, Any]) -> CheckRequest:
    """A request with other attributes, and other names where some are given."""
    names = {
        NAMES[path]: value
        for path, value in attributes.items()
        if path in NAMES and type(value) is str and value and ":" not in value
    }
    if names:
        request = msgspec.structs.replace(request, roles=None, **names)
    return changed(request, [each for each in attributes.items() if each[0] not in FIXED])


def templates(sets: Sequence[PolicySet], now: int, first: Sequence[RuleRow] = ()) -> list[Template]:
    """A template for every place that a rule of some policy sets has a say about. Those of the
    rules in `first` come first; all that these rules apply to have starts, for so many as that does
    not take long. `now` is in nanoseconds since the Unix epoch."""
    about = [(policies, Conditions(policies)) for policies in sets]
    rows = [*first, *(row for policies in sets for row in policies.rules)]
    known: dict[Any, CheckRequest] = {}
    for each in (request for row in rows for request in _places(row, now)):
        place = (each.company_id, each.action, each.resource_type, each.resource_id)
        known.setdefault(place, each)
    found: list[Template] = []
    started = 0
    for request in known.values():
        starts = started < STARTED and concerns(request, first)
        started += starts
        found.append(_template(request, about, starts))
    return found


def concerns(request: CheckRequest, rows: Iterable[RuleRow]) -> bool:
    """Whether one of some rules applies to a request, whatever roles its subject holds."""
    return any(applies_but_roles(row, request) for row in rows)


def requests(made: Sequence[Template], count: int, seed: int) -> Iterator[CheckRequest]:
    """So many requests, from each template in turn: with attributes at random, or with a few other
    ones than one that is allowed has; some at another time, some of no company."""
    chance = random.Random(seed)
    for number in range(count if made else 0):
        template = made[number % len(made)]
        near = template.starts and chance.random() < NEAR
        request = (_near if near else _anywhere)(template, chance)
        about: dict[str, Any] = {}
        if chance.random() < LATER:
            about["now"] = request.now + chance.randrange(-YEAR, YEAR)
        if chance.random() < NOWHERE:
            about["company_id"] = None
        yield msgspec.structs.replace(request, roles=None, **about) if about else request


def _anywhere(template: Template, chance: random.Random) -> CheckRequest:
    roles = [role for role in template.roles if chance.random() < 0.5]
    attributes = {
        path: chance.choice(values)
        for path, values in template.attributes.items()
        if values and chance.random() >= MISSING
    }
    return template.filled(roles, attributes)


def _near(template: Template, chance: random.Random) -> CheckRequest:
    """A request that is allowed, but for up to two attributes."""
    paths = [path for path, values in template.attributes.items() if values]
    chosen = chance.sample(paths, min(len(paths), chance.randrange(3)))
    others = {path: chance.choice(template.attributes[path]) for path in chosen}
    return with_attributes(chance.choice(template.starts), others)


def _places(row: RuleRow, now: int) -> Iterator[CheckRequest]:
    """Requests that a rule applies to, but for roles."""
    pairs = product(row.actions, row.resources)
    for action, resource in islice(pairs, PLACES):
        name = _named(action, ":")
        kind, _, id = _named(resource, "/").partition("/")
        thing = {"type": kind, "id": id or OTHER}
        yield make_request(ASKER, name, thing, None, row.company or OTHER, now)


def _named(pattern: str, separator: str) -> str:
    """A name that a pattern matches."""
    named = pattern.replace("*", OTHER)
    return named if separator in named else f"{named}{separator}{OTHER}"


def _template(
    request: CheckRequest, about: Sequence[tuple[PolicySet, Conditions]], started: bool
) -> Template:
    roles: dict[str, None] = {}
    attributes: Proposals = {}
    variables = variables_of(request)
    for policies, known in about:
        for row in policies.rules:
            if not applies_but_roles(row, request):
                continue
            roles |= dict.fromkeys(role for role in row.roles if role != ANYONE)
            found = known.of(row)
            for path, values in proposals(found[0], variables).items() if found else ():
                if path != ROLES:
                    _extend(attributes.setdefault(path, []), values)
    bare = msgspec.structs.replace(request, subject=None, resource=None, roles=None)
    template = Template(bare, tuple(roles), attributes)
    starts = tuple(_starts(template, about)) if started else ()
    return template._replace(starts=starts)


def _starts(
    template: Template, about: Sequence[tuple[PolicySet, Conditions]]
) -> Iterator[CheckRequest]:
    """For each role, and without one, and for each name that a condition asks for, the smallest
    request that each set allows."""
    all_roles: list[tuple[str, ...]] = [(), *((role,) for role in template.roles)]
    names: list[dict[Path, Any]] = [{}]
    names += ({path: name} for path in NAMES for name in template.attributes.get(path, ()))
    for roles, named in product(all_roles, names):
        request = template.filled(roles, named)
        for policies, known in about:
            decision = authorize(policies, request)
            if decision.allowed:
                yield request
                continue
            change = smallest_change(policies, request, known, decision, TRIED).change
            if change is not None:
                yield change.request


def _extend(known: list[Any], values: Iterable[Any]) -> None:
    for value in values:
        if len(known) < VALUES and not any(same(value, other) for other in known):
            known.append(value)
