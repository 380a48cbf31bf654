"""Timestamp and Duration are a datetime and a timedelta that lose nothing."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast import times as core
from taskman_authz.cel.times import Duration, Timestamp, to_datetime, to_timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(core.TIMESTAMP_MIN, core.TIMESTAMP_MAX)
middles = st.integers(-(10**19), 10**19)
spans = st.integers(-(10**18), 10**18)


@given(moments)
def test_a_timestamp_goes_out_and_comes_back_whole(ns):
    plain = to_datetime(core.Timestamp(ns))
    assert isinstance(plain, datetime)
    assert plain.nanosecond == ns % 1_000_000_000
    assert core.from_datetime(plain) == core.Timestamp(ns)
    assert str(plain) == core.timestamp_text(core.Timestamp(ns))


@given(spans)
def test_a_duration_goes_out_and_comes_back_whole(ns):
    plain = to_timedelta(core.Duration(ns))
    assert isinstance(plain, timedelta)
    assert plain.total_nanoseconds() == ns
    assert plain.nanosecond == ns % 1_000_000_000
    assert core.from_timedelta(plain) == core.Duration(ns)
    assert str(plain) == core.duration_text(core.Duration(ns))
    assert bool(plain) == (ns != 0)


@given(middles, spans)
def test_sums_and_differences_are_exact(ns, span):
    moment, duration = Timestamp.from_nanoseconds(ns), Duration.from_nanoseconds(span)
    later = moment + duration
    assert type(later) is Timestamp
    assert later == duration + moment == Timestamp.from_nanoseconds(ns + span)
    assert later - duration == moment
    assert type(later - moment) is Duration
    assert later - moment == duration
    assert -(moment - later) == duration


@given(spans, spans)
def test_durations_add_up_exactly(left, right):
    one, other = Duration.from_nanoseconds(left), Duration.from_nanoseconds(right)
    assert (one + other).total_nanoseconds() == left + right
    assert (one - other).total_nanoseconds() == left - right
    assert (-one).total_nanoseconds() == -left
    assert abs(one).total_nanoseconds() == abs(left)
    plain = timedelta(microseconds=left // 1000)
    assert plain + other == Duration.from_nanoseconds(left // 1000 * 1000 + right)
    assert plain - other == Duration.from_nanoseconds(left // 1000 * 1000 - right)


@given(middles, st.integers(-3, 3))
def test_order_and_hash_count_every_nanosecond(ns, step):
    for make in (Timestamp.from_nanoseconds, Duration.from_nanoseconds):
        one, other = make(ns), make(ns + step)
        assert (one == other, one < other, one <= other) == (step == 0, step > 0, step >= 0)
        assert (one > other, one >= other) == (step < 0, step <= 0)
        assert hash(make(ns)) == hash(one)


@given(st.integers(-(10**16), 10**16))
def test_whole_microseconds_equal_the_plain_types(microseconds):
    span = timedelta(microseconds=microseconds)
    moment, duration = EPOCH + span, Duration.from_nanoseconds(microseconds * 1000)
    stamp = Timestamp.from_nanoseconds(microseconds * 1000)
    assert (stamp, duration) == (moment, span)
    assert (hash(stamp), hash(duration)) == (hash(moment), hash(span))
    assert Timestamp.from_nanoseconds(microseconds * 1000 + 1) > moment
    assert moment < Timestamp.from_nanoseconds(microseconds * 1000 + 1)
    assert Duration.from_nanoseconds(microseconds * 1000 + 1) > span
    assert moment - Timestamp.from_nanoseconds(
        microseconds * 1000 + 1
    ) == Duration.from_nanoseconds(-1)


@given(middles, spans)
def test_copies_and_pickles_keep_every_digit(ns, span):
    both = (Timestamp.from_nanoseconds(ns), Duration.from_nanoseconds(span))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(both, protocol))
        assert back == both
        assert [type(value) for value in back] == [Timestamp, Duration]
    assert copy.deepcopy(both) == copy.copy(both) == both


def test_another_zone_shows_the_same_nanosecond():
    stamp = Timestamp.from_nanoseconds(1_234_567_890_123_456_789)
    local = stamp.astimezone(timezone(timedelta(hours=2)))
    assert (local.hour, local.nanosecond) == (1, 123_456_789)
    assert local == stamp
    assert hash(local) == hash(stamp)
    assert str(local) == "2009-02-13T23:31:30.123456789Z"


def test_replace_keeps_the_nanoseconds_unless_it_names_them():
    stamp = Timestamp.from_nanoseconds(123_456_789)
    assert stamp.replace(hour=1).nanosecond == 123_456_789
    assert stamp.replace(microsecond=5).nanosecond == 5_000


def test_a_datetime_without_a_zone_can_be_written_too():
    assert str(Timestamp(2026, 1, 2)) == "2026-01-02 00:00:00"
    assert repr(Duration(seconds=1)) == "Duration('1s')"


@pytest.mark.parametrize("name", ["nanosecond", "below", "year", "note"])
def test_neither_can_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(Timestamp.from_nanoseconds(0), name, 1)
    with pytest.raises(AttributeError):
        setattr(Duration.from_nanoseconds(0), name, 1)


def test_other_operands_are_refused_as_by_python():
    stamp, span = Timestamp.from_nanoseconds(0), Duration.from_nanoseconds(0)
    for operation in (
        lambda: stamp + 1,
        lambda: stamp - 1,
        lambda: 1 - stamp,
        lambda: span + 1,
        lambda: 1 - span,
        lambda: span < 1,
        lambda: stamp < date(1970, 1, 1),
        lambda: stamp < datetime(1970, 1, 1),
    ):
        with pytest.raises(TypeError):
            operation()
    assert stamp != datetime(1970, 1, 1)
    assert span != 0
