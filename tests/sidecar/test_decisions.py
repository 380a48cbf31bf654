"""Promises of `Decisions`: whichever road a question takes, the same is decided and counted."""

from __future__ import annotations

import itertools
import time
from collections import Counter

from taskman_authz_sidecar.authorization import Authorization
from taskman_authz_sidecar.decisions import Decisions
from taskman_authz_sidecar.door import Call
from taskman_authz_sidecar.newest import Newest

from taskman_authz import PDP, Decision, Limits
from taskman_authz.decision import INVALID as LATE
from taskman_authz.v1 import authorization_pb2 as pb
from taskman_authz.wire import read_decisions
from tests.policy.helpers import compiled, document, policy

POLICIES = PDP(compiled(document(policy("all", roles=["*"], actions=["*"], resources=["*"]))))
USUAL = pb.CheckRequest(subject="user:1", action="a:b", resource="t/1", company_id="acme")
# A key that is in both: a request says that this is wrong.
INVALID = pb.CheckRequest(subject="user:1", action="a:b", resource="t/1", context={"x": "1"})
INVALID.context_properties["x"] = 1
# Two ways of saying what is around: a request joins them.
UNUSUAL = pb.CheckRequest(subject="user:1", action="a:b", resource="t/1", company_id="globex")
UNUSUAL.context["x"] = "1"
UNUSUAL.context_properties["y"] = 1


def services(counted: Counter[str | None]) -> list[Authorization]:
    """One that takes the short road, and one that has to make requests."""

    def count(company_id: str | None, _: Decision, times: int) -> None:
        counted[company_id] += times

    short = Decisions(POLICIES, count=count)
    long = Decisions(POLICIES, told=[lambda *_: None], count=count)
    assert short.is_alone and not long.is_alone
    return [Authorization(each, Newest("")) for each in (short, long)]


def test_each_decision_is_counted_once_and_what_is_invalid_is_none():
    call = Call("grpc", "BatchCheck")
    items = [USUAL, INVALID, UNUSUAL, USUAL]
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    answers, counts = [], []
    for number in range(2):
        counted: Counter[str | None] = Counter()
        service = services(counted)[number]
        answers.append(service.batch_check(data, call))
        for item in (USUAL, UNUSUAL):
            answers.append(service.check(item.SerializeToString(), call))
        counts.append(counted)
    assert counts == [{"acme": 3, "globex": 2}] * 2
    assert answers[:3] == answers[3:]
    found = pb.BatchCheckResponse.FromString(answers[0]).results
    assert [each.allowed for each in found] == [True, False, True, True]


def test_distinct_answers_are_the_same_answers():
    call = Call("grpc", "BatchCheck")
    items = [USUAL, INVALID, UNUSUAL, USUAL, USUAL]
    for service in services(Counter()):
        batch = pb.BatchCheckRequest(items=items)
        each = read_decisions(service.batch_check(batch.SerializeToString(), call))
        batch.distinct = True
        answer = service.batch_check(batch.SerializeToString(), call)
        assert read_decisions(answer) == each
        told = pb.BatchCheckResponse.FromString(answer)
        assert (len(told.results), list(told.places)) == (2, [0, 1, 0, 0, 0])


def test_a_batch_that_takes_the_other_road_after_all_has_no_more_time(monkeypatch):
    """The last item is unusual: what was decided until then is decided again."""
    items = [UNUSUAL]
    for number in range(40):  # none of which is remembered of another
        other = pb.CheckRequest.FromString(USUAL.SerializeToString())
        other.subject = f"user:{number}"
        items.insert(-1, other)
    batch = pb.BatchCheckRequest(items=items).SerializeToString()
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(looks) / 100)  # each takes 10 ms
    limits = Limits(batch_milliseconds=100)
    service = Authorization(Decisions(POLICIES, limits), Newest(""))
    found = read_decisions(service.batch_check(batch, Call("grpc", "BatchCheck")))
    # Ten looks in all: three of them when all was decided at once, sixteen items a look.
    assert [bool(each) for each in found] == [True] * 6 + [False] * 35


def test_what_is_denied_in_time_is_not_told_to_be_late(monkeypatch):
    items = [pb.CheckRequest(subject=f"u:{n}", action="a:b", resource="t/1") for n in range(40)]
    looks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(looks) / 100)
    service = Authorization(
        Decisions(PDP(compiled(document())), Limits(batch_milliseconds=15)), Newest("")
    )
    data = pb.BatchCheckRequest(items=items).SerializeToString()
    found = read_decisions(service.batch_check(data, Call("grpc", "BatchCheck")))
    codes = [each.reasons[0].code for each in found]
    assert codes == [codes[0]] * 16 + [LATE] * 24 and codes[0] != LATE
