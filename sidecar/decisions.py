"""What all faces of the sidecar decide with, so that the same question has one answer.

Two roads: `decide` waits for nobody. `decide_later` is for where others are asked for attributes
(`gathering`), and is taken by all faces there, and only there.

Laws: nothing here knows a transport. A batch is decided by the policies of one
revision, and an item that cannot be asked is denied in its place, as are those that a batch's time
is over for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from taskman_authz.decision import INVALID, Decision, Reason
from taskman_authz.errors import RequestError
from taskman_authz.limits import DEFAULT, Limits
from taskman_authz.pdp import PDP, Batch, together
from taskman_authz.pdp.explain import DecisionExplanation, explain
from taskman_authz.policy import PolicySet
from taskman_authz.request import CheckRequest
from taskman_authz.wire import write_decision, write_decisions

from .door import Call
from .gathering import Gathering

# Items of a batch for which others are asked at a time: each may be a call to every source.
AT_A_TIME = 32

# With when deciding began, on the clock of `time.perf_counter`.
Told = Callable[[CheckRequest, Decision, float], None]
Count = Callable[[str | None, Decision, int], None]  # of a company: so many times
Complete = Callable[[CheckRequest], CheckRequest]


class Decisions:
    """Decides by the policies of `pdp`. Each of `told` learns of every decision on a request, and
    `count` of what was decided for which company.
    `complete` gives a request what is known here, attributes and roles; None: nothing is. With
    `gathering`, others are asked for the rest."""

    def __init__(
        self,
        pdp: PDP,
        limits: Limits = DEFAULT,
        told: Sequence[Told] = (),
        complete: Complete | None = None,
        gathering: Gathering | None = None,
        count: Count | None = None,
    ) -> None:
        self.pdp = pdp
        self.limits = limits
        self.complete = complete
        self._gathering = gathering
        self._explaining = asyncio.Lock()
        self._told = tuple(told)
        self._count = count
        self._one: tuple[PolicySet, Batch] | None = None
        self._hits = self._misses = 0  # of those before that one

    @property
    def hits(self) -> int:
        """Questions that were answered from memory, of those that may be."""
        return self._hits + (0 if self._one is None else self._one[1].sieve.hits)

    @property
    def misses(self) -> int:
        """Those that were not."""
        return self._misses + (0 if self._one is None else self._one[1].sieve.misses)

    @property
    def waits(self) -> bool:
        """Whether others are asked: then `decide_later` decides, and not `decide`."""
        return self._gathering is not None

    def is_sure(self, request: CheckRequest, policies: PolicySet) -> bool:
        """Whether `decide_later` would say yes too where `decide` does."""
        return self._gathering is None or self._gathering.is_sure(request, policies)

    def decide(self, request: CheckRequest, policies: PolicySet | None = None) -> Decision:
        """The decision on a request, by `policies` (None: those in force). Raises RequestError for
        one that cannot be completed."""
        began = time.perf_counter()
        if self.complete is not None:
            request = self.complete(request)
        decision = self.pdp.decide(request, policies)
        self._tell(request, decision, began)
        return decision

    def _tell(self, request: CheckRequest, decision: Decision, began: float) -> None:
        if self._count is not None:
            self._count(request.company_id, decision, 1)
        for tell in self._told:
            tell(request, decision, began)

    def decide_each(
        self, items: Iterable[CheckRequest | RequestError], end: float | None = None
    ) -> Iterator[Decision]:
        """One decision an item, in their order; a denial after the batch's `end`."""
        policies = self.pdp.policies
        if end is None:
            end = self.end_of_batch()
        for item in items:
            if time.monotonic() >= end:
                item = self._too_late()
            yield self.decide_item(item, policies)

    @property
    def is_alone(self) -> bool:
        """Whether nobody else is asked for anything, or told of the requests that are decided."""
        others = self.complete is not None or self._gathering is not None or self._told
        return not others and not self.pdp.is_observed

    def answer_message(self, data: bytes) -> bytes | None:
        """The bytes of the answer to those of a CheckRequest, where `is_alone`; None where a
        request has to be made of them first."""
        if len(data) > self.limits.message_bytes:
            return None
        answer = self._together(self.pdp.policies).answer(data)
        if answer is None:
            return None
        outcome = answer.outcome
        if self._count is not None:
            self._count(answer.company, outcome.decision, 1)
        if outcome.reply is None:
            outcome.reply = write_decision(outcome.decision)
        return outcome.reply

    def answer_batch_message(self, data: bytes, call: Call, end: float) -> bytes | None:
        """The bytes of the answer to those of a BatchCheckRequest, as of `decide_each`, where
        `is_alone`; None where requests have to be made of them first. Raises Refusal where the
        call's time is over."""
        if len(data) > self.limits.message_bytes:
            return None
        call.check_time()

        def is_in_time() -> bool:
            call.check_time()
            return time.monotonic() < end

        policies = self.pdp.policies
        found = self._together(policies).answers(data, self.limits.batch_size, is_in_time)
        if found is None:
            return None
        if self._count is not None:
            for company, decision, times in found.counted():
                self._count(company, decision, times)
        decisions = found.decisions
        if found.is_late:
            late = self.invalid(self._too_late(), policies)
            decisions = [late if each is None else each for each in decisions]
        return write_decisions(decisions, found.is_distinct)

    def _together(self, policies: PolicySet) -> Batch:
        """What decides by these policies, as of now; kept for as long as they are in force."""
        if self._one is None or self._one[0] is not policies:
            self._hits, self._misses = self.hits, self.misses
            self._one = policies, together(policies, self.limits)
        batch = self._one[1]
        if batch.reads_now:
            batch.begin(time.time_ns())
        return batch

    def decide_item(self, item: CheckRequest | RequestError, policies: PolicySet) -> Decision:
        """The decision on an item of a batch."""
        try:
            if isinstance(item, RequestError):
                raise item
            return self.decide(item, policies)
        except RequestError as error:
            return self.invalid(error, policies)

    async def decide_later(
        self, request: CheckRequest, call: Call, policies: PolicySet | None = None
    ) -> Decision:
        """As `decide`, with what others know, who have as long as the call has."""
        began = time.perf_counter()
        if self.complete is not None:
            request = self.complete(request)
        if policies is None:
            policies = self.pdp.policies
        if self._gathering is None:
            decision = self.pdp.decide(request, policies)
        else:
            request, decision = await self._gathering.decide(
                self.pdp, request, policies, call.remaining()
            )
        self._tell(request, decision, began)
        return decision

    async def decide_item_later(
        self, item: CheckRequest | RequestError, call: Call, policies: PolicySet
    ) -> Decision:
        """As `decide_item`; whoever else waits has a turn."""
        await asyncio.sleep(0)
        try:
            if isinstance(item, RequestError):
                raise item
            return await self.decide_later(item, call, policies)
        except RequestError as error:
            return self.invalid(error, policies)

    async def decide_all_later(
        self, items: Sequence[CheckRequest | RequestError], call: Call
    ) -> list[Decision]:
        """As `decide_each`, several at a time. Raises Refusal where the call's time is over."""
        policies = self.pdp.policies
        found: dict[int, Decision] = {}
        left = enumerate(items)  # shared: each takes the next

        async def work() -> None:
            for number, item in left:
                found[number] = await self.decide_item_later(item, call, policies)

        await asyncio.gather(*(work() for _ in range(min(AT_A_TIME, len(items)))))
        call.check_time()
        return [found[number] for number in range(len(items))]

    async def explain_later(
        self, request: CheckRequest, others: bool, call: Call
    ) -> DecisionExplanation:
        """As `explain`, with what others know; one after another, in a thread."""
        if self.complete is not None:
            request = self.complete(request)
        policies = self.pdp.policies
        if self._gathering is not None:
            request = await self._gathering.complete(request, policies, call.remaining())
        async with self._explaining:
            return await asyncio.to_thread(explain, policies, request, others)

    def explain(self, request: CheckRequest, others: bool) -> DecisionExplanation:
        """Why a request is decided as it is; with `others` also why each other rule does not
        apply. It contains attribute values. Raises RequestError as `decide`."""
        if self.complete is not None:
            request = self.complete(request)
        return explain(self.pdp.policies, request, others)

    def end_of_batch(self) -> float:
        """When the time of a batch that begins now is over, by `time.monotonic`."""
        return time.monotonic() + self.limits.batch_milliseconds / 1_000

    def _too_late(self) -> RequestError:
        took = f"the items before this one took {self.limits.batch_milliseconds} ms"
        return RequestError("batch", f"{took}, which is the limit of a batch (batch_milliseconds)")

    def invalid(self, error: RequestError, policies: PolicySet) -> Decision:
        """The denial of a question that cannot be asked."""
        return Decision(False, (Reason(INVALID, "", str(error)),), policies.revision)
