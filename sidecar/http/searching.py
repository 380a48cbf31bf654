"""The three searches of AuthZEN, over what the sidecar knows.

Laws: a search is as long as a page, however much there is to look at; what it did not come to is
the next page's. What is found is what an evaluation would allow at that moment; pages are of no one
moment.
"""

from __future__ import annotations

import time

from taskman_authz.attributes import Entities
from taskman_authz.pdp.paging import make_token, read_token
from taskman_authz.pdp.search import (
    Bounds,
    Complete,
    Found,
    KnownActions,
    find_actions,
    find_resources,
    find_subjects,
)
from taskman_authz.policy import PolicySet
from taskman_authz.request import CheckRequest

from ..decisions import Decisions
from ..entities import EntityFollower
from .questions import Search, Sought

# Seconds from which on a page is full: others are waiting for the interpreter.
LONG = 0.2


class Searcher:
    """Searches `entities` (None: nobody is known) by the policies that `decisions` decides by."""

    def __init__(self, decisions: Decisions, entities: EntityFollower | None) -> None:
        self._decisions = decisions
        self._entities = entities
        self._actions = KnownActions(decisions.pdp.policies)

    def find(self, sought: Sought, search: Search) -> tuple[list[str], str | None]:
        """What is found, and the token of the next page: "" where there is none, None where
        nobody asked for pages and all is told. Raises RequestError."""
        asked = search.request
        after = read_token(sought, asked, search.token) if search.token else ""
        found = self._found(sought, search, after)
        token = "" if search.is_paged else None
        if found.after is not None:
            token = make_token(sought, asked, found.after)
        return list(found.names), token

    def _found(self, sought: Sought, search: Search, after: str) -> Found:
        policies, limits = self._decisions.pdp.policies, self._decisions.limits
        most = limits.search_page if search.limit is None else search.limit
        end = time.monotonic() + LONG
        bounds = Bounds(
            min(most, limits.search_page),
            limits.search_decisions,
            lambda: time.monotonic() < end,
        )

        def is_sure(request: CheckRequest) -> bool:
            return self._decisions.is_sure(request, policies)

        complete: Complete = self._decisions.complete or (lambda request: request)
        if sought == "action":
            names = self._known_actions(policies).of(search.request.resource_type)
            return find_actions(policies, search.request, names, complete, bounds, after, is_sure)
        known = Entities() if self._entities is None else self._entities.entities
        find = find_subjects if sought == "subject" else find_resources
        return find(policies, search.request, known, complete, bounds, after, is_sure)

    def _known_actions(self, policies: PolicySet) -> KnownActions:
        if self._actions.policies is not policies:
            self._actions = KnownActions(policies)
        return self._actions
