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

from .._fast.rules import ANYONE, RuleRow
from ..pdp import authorize
from ..pdp.changes import applies_but_roles, changed, smallest_change
from ..pdp.conditions import Conditions, variables_of
from ..pdp.proposals import ABSENT, Path, Proposals, proposals, same
from ..policy import PolicySet
from ..request import CheckRequest, make_request

PLACES = 16  # of one rule: actions × resources
VALUES = 12  # of one attribute
MISSING = 0.3  # how often an attribute is not there
STARTED = 64  # templates for which requests that are allowed are sought: that takes a while
TRIED = 200  # changes that are tried for it
NEAR = 0.7  # how often a request is made of one that is allowed, where there is one
ASKER = {"type": "user", "id": "ann"}
OTHER = "x"  # stands for any rest of a pattern
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
        assignment = [(ROLES, list(roles)), *attributes.items()]
        return changed(self.request, [each for each in assignment if each[1] is not ABSENT])


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
    ones than one that is allowed has."""
    chance = random.Random(seed)
    for number in range(count if made else 0):
        template = made[number % len(made)]
        starts = template.starts
        if starts and chance.random() < NEAR:
            yield _near(chance.choice(starts), template, chance)
            continue
        roles = [role for role in template.roles if chance.random() < 0.5]
        attributes = {
            path: chance.choice(values)
            for path, values in template.attributes.items()
            if values and chance.random() >= MISSING
        }
        yield template.filled(roles, attributes)


def _near(start: CheckRequest, template: Template, chance: random.Random) -> CheckRequest:
    """A request with up to two other attributes."""
    paths = [path for path, values in template.attributes.items() if values]
    chosen = chance.sample(paths, min(len(paths), chance.randrange(3)))
    return changed(start, [(path, chance.choice(template.attributes[path])) for path in chosen])


def _places(row: RuleRow, now: int) -> Iterator[CheckRequest]:
    """Requests that a rule applies to, but for roles."""
    pairs = product(row.actions, row.resources)
    for action, resource in islice(pairs, PLACES):
        name = _named(action, ":")
        kind, _, id = _named(resource, "/").partition("/")
        thing = {"type": kind, "id": id or OTHER}
        yield make_request(ASKER, name, thing, None, row.company, now)


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
    """For each role, and without one, the smallest request that each set allows."""
    for roles in ((), *((role,) for role in template.roles)):
        request = template.filled(roles, {})
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
