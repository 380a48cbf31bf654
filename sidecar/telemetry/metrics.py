"""What is counted of calls and decisions while they are made.

Laws: counting costs a few microseconds a call: the series of every label are kept at hand, for to
look one up costs more than to add to it. Labels are bounded: methods, statuses and reasons are
names of the house, and after so many companies the others are one, `other`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, Counter

from taskman_authz.decision import DENIED_BY_ERROR, FAILED, NOT_LOGGED, Decision
from taskman_authz.decision_log import DecisionLog

from ..door import Call
from ..status import Code, Status
from .known import Known
from .made import Made
from .relayed import RelayMetrics

if TYPE_CHECKING:
    from ..database.relaying import Counts
    from ..decisions import Decisions
    from ..knowledge import Knowledge

ANSWERS = "answers"  # what is remembered of questions that were asked before
OTHER = "other"  # the companies, or methods, that are not told apart
LOOK = 64  # calls between looks at what others count
METHODS = 64  # methods that are told apart: more than all faces have

# Reasons that tell of a fault in policies or in the sidecar, not of what a policy says.
FAULTS = (DENIED_BY_ERROR, FAILED, NOT_LOGGED)

Add = Callable[[], None]
AddMany = Callable[[float], None]


class _Series(NamedTuple):
    call: Add
    duration: Callable[[float], None]
    error: Add | None


class _Followed:
    """A counter that goes where another count goes."""

    def __init__(self, counter: Counter, read: Callable[[], int]) -> None:
        self._counter = counter
        self._read = read
        self._told = 0

    def catch_up(self) -> None:
        now = self._read()
        if now != self._told:
            self._counter.inc(now - self._told)
            self._told = now


class Metrics:
    """The counts of this process, for `service`; `companies` of them are told apart."""

    def __init__(self, service: str, companies: int) -> None:
        self.registry = registry = CollectorRegistry()
        self._service = service
        self._most = companies
        self._companies: set[str] = set()
        self._methods: set[str] = set()
        self._series: dict[tuple[str, str, Code | None], _Series] = {}
        self._checks: dict[tuple[str | None, bool], AddMany] = {}

        made = self._made = Made(registry)
        faults = made.evaluation_errors
        self._faults = {reason: faults.labels(service, reason).inc for reason in FAULTS}
        self._failed = made.reload_failures.labels(service).inc
        self._current = made.policies_current.labels(service)
        self._current.set(1)
        self._followed: list[_Followed] = []
        self._relayed: RelayMetrics | None = None  # where nobody relays, nothing is said of it
        self._until_look = LOOK

    def follow_decision_log(self, log: DecisionLog) -> None:
        """Count what `log` counts."""
        self._follow(self._made.log_written.labels(self._service), lambda: log.written)
        self._follow(self._made.log_dropped.labels(self._service), lambda: log.dropped)

    def follow_drops(self, kind: str, dropped: Callable[[], int]) -> None:
        """Count what telemetry of a kind (`log`, `span`) loses."""
        self._follow(self._made.dropped.labels(self._service, kind), dropped)

    def follow_answers(self, decisions: Decisions) -> None:
        """Count what `decisions` answers from memory."""
        count = self._made.cache_requests
        self._follow(count.labels(self._service, ANSWERS, "hit"), lambda: decisions.hits)
        self._follow(count.labels(self._service, ANSWERS, "miss"), lambda: decisions.misses)

    def follow_knowledge(self, knowledge: Knowledge) -> Known:
        """Count what `knowledge` counts. Returns what tells of its states."""
        return Known(knowledge, self._made, self._service, self._follow)

    def catch_up(self) -> None:
        """Count what others have counted since."""
        for followed in self._followed:
            followed.catch_up()

    def watch(self, call: Call, status: Status | None) -> None:
        """Count a call that took until now."""
        took = time.perf_counter() - call.began
        code = None if status is None else status.code
        series = self._series.get((call.face, call.method, code))
        if series is None:
            series = self._add_series(call.face, call.method, code)
        series.call()
        series.duration(took)
        if series.error is not None:
            series.error()
        # Whoever is asked for the counts catches up then; processes that are not asked do here.
        self._until_look -= 1
        if self._until_look <= 0:
            self._until_look = LOOK
            self.catch_up()

    def count(self, company_id: str | None, decision: Decision, times: int = 1) -> None:
        """Count a decision that was made so many times."""
        check = self._checks.get((company_id, decision.allowed))
        if check is None:
            check = self._add_check(company_id, decision.allowed)
        check(times)
        for reason in decision.reasons:
            if reason.code in self._faults:
                self._faults[reason.code](times)
                break

    def tell_policies(self, current: bool) -> None:
        """Count what became of policies that changed."""
        self._current.set(int(current))
        if not current:
            self._failed()

    def tell_relay(self, counts: Counts) -> None:
        """Take in what was counted of events that are told."""
        if self._relayed is None:
            self._relayed = RelayMetrics(self.registry, self._service)
        self._relayed.tell(counts)

    def _follow(self, counter: Counter, read: Callable[[], int]) -> None:
        self._followed.append(_Followed(counter, read))

    def _add_series(self, face: str, method: str, code: Code | None) -> _Series:
        name = method if face == "grpc" else f"{face}/{method}"
        if not _told_apart(name, self._methods, METHODS):
            name = OTHER
        status = "OK" if code is None else code.name
        series = _Series(
            self._made.requests.labels(self._service, name, status).inc,
            self._made.durations.labels(self._service, name).observe,
            None if code is None else self._error(name, status).inc,
        )
        if name != OTHER:
            self._series[face, method, code] = series
        return series

    def _error(self, name: str, status: str) -> Counter:
        return self._made.errors.labels(self._service, name, status.lower())

    def _add_check(self, company_id: str | None, allowed: bool) -> AddMany:
        # A lone surrogate, which JSON can hold, would spoil every later answer.
        company = (company_id or "").encode("utf-8", "replace").decode("utf-8")
        told_apart = company_id is None or _told_apart(company, self._companies, self._most)
        name = company if told_apart else OTHER
        check = self._made.permission_checks.labels(name, str(allowed).lower()).inc
        if told_apart:
            self._checks[company_id, allowed] = check
        return check


def _told_apart(name: str, names: set[str], most: int) -> bool:
    """Whether `name` is one of the first `most`, which are kept in `names`."""
    if name not in names and len(names) < most:
        names.add(name)
    return name in names
