"""The service `taskman_authz.v1.AuthorizationService`: what is answered, from bytes to bytes.

Laws: nothing here knows a transport. What takes long is an `Aside`, so that others do not wait for
it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from taskman_authz.limits import DEFAULT
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import (
    read_batch,
    read_check,
    read_explain,
    wants_distinct,
    write_decision,
    write_decisions,
)

from .decisions import Decisions
from .door import Call
from .explanations import explanation_message
from .newest import Newest
from .status import Code, Refusal

T = TypeVar("T")
Method = Callable[[bytes, Call], bytes]


class Later(NamedTuple):
    """A method that waits for others."""

    method: Callable[[bytes, Call], Awaitable[bytes]]


class Aside(NamedTuple):
    """A method that takes long: it is called in a thread, one call after another."""

    method: Method


class Stream(NamedTuple):
    """A method of many answers."""

    method: Callable[[bytes, Call], AsyncIterator[bytes]]


Served = Method | Later | Aside | Stream


class Authorization:
    """Answers with what `decisions` decides, and tells of `revisions`."""

    def __init__(self, decisions: Decisions, revisions: Newest[str]) -> None:
        self._decisions = decisions
        self._is_alone = decisions.is_alone
        self._revisions = revisions
        self._watchers = 0

    def methods(self) -> Mapping[str, Served]:
        """The methods of the service by name."""
        watch = Stream(self.watch_revisions)
        if self._decisions.waits:
            return {
                "Check": Later(self.check_later),
                "BatchCheck": Later(self.batch_check_later),
                "Explain": Later(self.explain_later),
                "WatchRevisions": watch,
            }
        return {
            "Check": self.check,
            "BatchCheck": self.batch_check,
            "Explain": Aside(self.explain),
            "WatchRevisions": watch,
        }

    def check(self, data: bytes, _call: Call) -> bytes:
        """CheckRequest → CheckResponse. Raises `RequestError`."""
        decisions = self._decisions
        if self._is_alone:  # then no request need be made of the message
            answer = decisions.answer_message(data)
            if answer is not None:
                return answer
        return write_decision(decisions.decide(read_check(data, decisions.limits)))

    def batch_check(self, data: bytes, call: Call) -> bytes:
        """BatchCheckRequest → BatchCheckResponse. Raises `RequestError`."""
        decisions = self._decisions
        end = decisions.end_of_batch()
        if self._is_alone:
            answer = decisions.answer_batch_message(data, call, end)
            if answer is not None:
                return answer
        items = read_batch(data, decisions.limits)
        distinct = wants_distinct(data, decisions.limits)
        return write_decisions(decisions.decide_each(_in_time(items, call), end), distinct)

    def explain(self, data: bytes, _call: Call) -> bytes:
        """ExplainRequest → ExplainResponse. Raises `RequestError`."""
        decisions = self._decisions
        request, others = read_explain(data, decisions.limits)
        return explanation_message(decisions.explain(request, others)).SerializeToString()

    async def check_later(self, data: bytes, call: Call) -> bytes:
        """As `check`."""
        decisions = self._decisions
        return write_decision(
            await decisions.decide_later(read_check(data, decisions.limits), call)
        )

    async def batch_check_later(self, data: bytes, call: Call) -> bytes:
        """As `batch_check`."""
        decisions = self._decisions
        items = read_batch(data, decisions.limits)
        distinct = wants_distinct(data, decisions.limits)
        return write_decisions(await decisions.decide_all_later(items, call), distinct)

    async def explain_later(self, data: bytes, call: Call) -> bytes:
        """As `explain`."""
        decisions = self._decisions
        request, others = read_explain(data, decisions.limits)
        found = await decisions.explain_later(request, others, call)
        return explanation_message(found).SerializeToString()

    async def watch_revisions(self, _data: bytes, _call: Call) -> AsyncIterator[bytes]:
        """WatchRevisionsRequest → WatchRevisionsResponse, again and again."""
        if self._watchers >= DEFAULT.revision_watchers:
            raise Refusal(Code.RESOURCE_EXHAUSTED, "too many watch the revisions")
        self._watchers += 1
        try:
            async for revision in self._revisions.follow():
                yield pb.WatchRevisionsResponse(revision=revision).SerializeToString()
        finally:
            self._watchers -= 1
        raise Refusal(Code.UNAVAILABLE, "the decision point stops: watch again elsewhere")


def _in_time(items: Iterable[T], call: Call) -> Iterator[T]:
    """The items, while somebody waits for what becomes of them."""
    for item in items:
        call.check_time()
        yield item
