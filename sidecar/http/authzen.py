"""What is answered to an AuthZEN body: bytes and a `Call` in, bytes out.

Law: a batch is decided by the policies of one revision, at one time; with the semantics that end
early only the items up to the deciding one are answered.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple

from taskman_authz.decision import Decision
from taskman_authz.errors import RequestError

from ..decisions import Decisions
from ..door import Call
from .answers import write_decision, write_decisions, write_results
from .questions import (
    Batch,
    Sought,
    parse_body,
    read_evaluation,
    read_evaluations,
    read_search,
)
from .searching import Searcher


class Posted(NamedTuple):
    """What came: the body, its media type, and the tenant of its path."""

    body: bytes
    media_type: str
    company_id: str | None


Method = Callable[[Posted, Call], bytes]


class Later(NamedTuple):
    """A method that waits for others."""

    method: Callable[[Posted, Call], Awaitable[bytes]]


class AuthZEN:
    """Answers with what `decisions` decides and `searcher` finds."""

    def __init__(self, decisions: Decisions, searcher: Searcher) -> None:
        self._decisions = decisions
        self._searcher = searcher

    @property
    def methods(self) -> tuple[Method | Later, Method | Later]:
        """Evaluation and evaluations, as the decisions are made: at once, or later."""
        if self._decisions.waits:
            return Later(self.evaluation_later), Later(self.evaluations_later)
        return self.evaluation, self.evaluations

    def evaluation(self, posted: Posted, _call: Call) -> bytes:
        """Access Evaluation. Raises `RequestError`."""
        body = self._body(posted)
        decisions = self._decisions
        asked = read_evaluation(body, posted.company_id, time.time_ns(), decisions.limits)
        return write_decision(decisions.decide(asked))

    def evaluations(self, posted: Posted, _call: Call) -> bytes:
        """Access Evaluations; without items an Access Evaluation. Raises `RequestError`."""
        body, limits = self._body(posted), self._decisions.limits
        now = time.time_ns()
        batch = read_evaluations(body, posted.company_id, now, limits)
        if batch is None:
            asked = read_evaluation(body, posted.company_id, now, limits)
            return write_decision(self._decisions.decide(asked))
        return write_decisions(self._decided(batch))

    async def evaluation_later(self, posted: Posted, call: Call) -> bytes:
        """As `evaluation`."""
        body, decisions = self._body(posted), self._decisions
        asked = read_evaluation(body, posted.company_id, time.time_ns(), decisions.limits)
        return write_decision(await decisions.decide_later(asked, call))

    async def evaluations_later(self, posted: Posted, call: Call) -> bytes:
        """As `evaluations`."""
        body, decisions = self._body(posted), self._decisions
        now = time.time_ns()
        batch = read_evaluations(body, posted.company_id, now, decisions.limits)
        if batch is None:
            asked = read_evaluation(body, posted.company_id, now, decisions.limits)
            return write_decision(await decisions.decide_later(asked, call))
        if batch.semantic == "execute_all":
            return write_decisions(await decisions.decide_all_later([*batch.questions], call))
        policies, found = decisions.pdp.policies, []
        for question in batch.questions:
            found.append(await decisions.decide_item_later(question, call, policies))
            if batch.ends(found[-1]):
                break
        return write_decisions(found)

    def search(self, sought: Sought) -> Method:
        """Subject, Resource or Action Search."""
        return partial(self._search, sought)

    def _search(self, sought: Sought, posted: Posted, _call: Call) -> bytes:
        body, limits = self._body(posted), self._decisions.limits
        search = read_search(sought, body, posted.company_id, time.time_ns(), limits)
        names, token = self._searcher.find(sought, search)
        if sought == "action":
            # A name that is asked with is one that is told: `edit` of a task is `tasks:edit`.
            own = f"{search.request.resource_type}:"
            return write_results([{"name": name.removeprefix(own)} for name in names], token)
        asked = search.request
        type = asked.subject_type if sought == "subject" else asked.resource_type
        return write_results([{"type": type, "id": id} for id in names], token)

    def _body(self, posted: Posted) -> dict[str, object]:
        if posted.media_type != "application/json":
            raise RequestError("Content-Type", "expected application/json")
        return dict(parse_body(posted.body, self._decisions.limits))

    def _decided(self, batch: Batch) -> Iterator[Decision]:
        for decision in self._decisions.decide_each(batch.questions):
            yield decision
            if batch.ends(decision):
                return
