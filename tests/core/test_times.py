"""Timestamps and durations keep nanoseconds, stay in their ranges, and agree with datetime."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskman_authz._fast import times
from taskman_authz._fast.times import (
    FUNCTIONS,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    Duration,
    Timestamp,
    add,
    duration_text,
    from_datetime,
    from_timedelta,
    parse_duration,
    parse_timestamp,
    subtract,
    timestamp_text,
)
from taskman_authz._fast.values import INT_MAX, INT_MIN, Fault

timestamps = st.integers(TIMESTAMP_MIN, TIMESTAMP_MAX).map(Timestamp)
durations = st.integers(INT_MIN, INT_MAX).map(Duration)
small_durations = st.integers(-(10**12), 10**12).map(Duration)
zone_names = st.sampled_from(
    ["UTC", "US/Central", "Asia/Kathmandu", "Australia/Sydney", "America/St_Johns", "Europe/Berlin"]
)

# Name → the same of a datetime.
AS_DATETIME = {
    "getFullYear": lambda d: d.year,
    "getMonth": lambda d: d.month - 1,
    "getDate": lambda d: d.day,
    "getDayOfMonth": lambda d: d.day - 1,
    "getDayOfWeek": lambda d: d.isoweekday() % 7,
    "getDayOfYear": lambda d: d.timetuple().tm_yday - 1,
    "getHours": lambda d: d.hour,
    "getMinutes": lambda d: d.minute,
    "getSeconds": lambda d: d.second,
    "getMilliseconds": lambda d: d.microsecond // 1000,
}


def at(text: str) -> Timestamp:
    found = parse_timestamp(text)
    assert type(found) is Timestamp, (text, found)
    return found


def lasting(text: str) -> Duration:
    found = parse_duration(text)
    assert type(found) is Duration, (text, found)
    return found


# -- texts ---------------------------------------------------------------------------------------


@given(timestamps)
def test_a_timestamp_reads_back_from_its_text(value):
    assert parse_timestamp(timestamp_text(value)) == value


@given(durations)
@example(Duration(INT_MIN))
@example(Duration(-1))
@example(Duration(2**53 + 1))
def test_a_duration_reads_back_from_its_text(value):
    assert parse_duration(duration_text(value)) == value


@pytest.mark.parametrize(
    "text, ns",
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T18:30:00-05:30", 0),
        ("1972-01-01T10:00:20.021-05:00", 63_126_020_021_000_000),
        ("0001-01-01T00:00:00Z", TIMESTAMP_MIN),
        ("9999-12-31T23:59:59.999999999Z", TIMESTAMP_MAX),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
    ],
)
def test_an_rfc_3339_text_is_a_timestamp(text, ns):
    assert at(text).ns == ns


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "invalid_argument"),
        ("2023-02-29T00:00:00Z", "invalid_argument"),  # no leap year
        ("2016-12-31T23:59:60Z", "invalid_argument"),  # a leap second
        ("2009-02-13T24:00:00Z", "invalid_argument"),
        ("2009-02-13t23:31:30Z", "invalid_argument"),
        ("2009-02-13T23:31:30z", "invalid_argument"),
        ("2009-02-13 23:31:30Z", "invalid_argument"),
        ("2009-02-13T23:31:30", "invalid_argument"),
        ("2009-02-13T23:31:30.Z", "invalid_argument"),
        ("2009-02-13T23:31:30.1234567890Z", "invalid_argument"),
        ("2009-02-13T23:31:30+0100", "invalid_argument"),
        ("2009-02-13T23:31:30+24:00", "invalid_argument"),
        ("2009-02-13T23:31:30Z\n", "invalid_argument"),
        ("２００９-02-13T23:31:30Z", "invalid_argument"),  # digits of another script
        ("10000-01-01T00:00:00Z", "invalid_argument"),
        ("0000-01-01T00:00:00Z", "overflow"),
        ("0001-01-01T00:00:00+00:01", "overflow"),
        ("9999-12-31T23:59:59-00:01", "overflow"),
    ],
)
def test_what_is_no_timestamp_is_refused(text, code):
    fault = parse_timestamp(text)
    assert (type(fault), fault.code, fault.details[0]) == (Fault, code, "timestamp")


@pytest.mark.parametrize(
    "text, ns",
    [
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
        ("1h2m3.5s", 3_723_500_000_000),
        ("-1.5s", -1_500_000_000),
        ("+1m", 60_000_000_000),
        ("1ms1us1ns", 1_001_001),
        ("1\u00b5s", 1_000),
        ("1\u03bcs", 1_000),
        (".5h", 1_800_000_000_000),
        ("1.s", 1_000_000_000),
        ("1.9999ns", 1),
        ("9223372036854775807ns", INT_MAX),
        ("-9223372036854775808ns", INT_MIN),
    ],
)
def test_numbers_with_units_are_a_duration(text, ns):
    assert lasting(text).ns == ns


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "invalid_argument"),
        ("-", "invalid_argument"),
        ("1", "invalid_argument"),
        ("s", "invalid_argument"),
        (".s", "invalid_argument"),
        ("1d", "invalid_argument"),
        ("1 s", "invalid_argument"),
        ("1s ", "invalid_argument"),
        ("1s-1s", "invalid_argument"),
        ("--1s", "invalid_argument"),
        ("1e3s", "invalid_argument"),
        ("٣s", "invalid_argument"),  # a digit of another script
        ("1" * 2_000 + "s", "invalid_argument"),
        ("320000000000s", "overflow"),
        ("-320000000000s", "overflow"),
        ("9223372036854775808ns", "overflow"),
    ],
)
def test_what_is_no_duration_is_refused(text, code):
    fault = parse_duration(text)
    assert (type(fault), fault.code, fault.details[0]) == (Fault, code, "duration")


@given(st.text(max_size=30) | st.text("0123456789-:.TZ+hmsnuµ", max_size=30))
def test_no_text_makes_the_readers_raise(text):
    assert type(parse_timestamp(text)) in (Timestamp, Fault)
    assert type(parse_duration(text)) in (Duration, Fault)


@pytest.mark.parametrize(
    "ns, text",
    [(0, "0s"), (1, "0.000000001s"), (-250_000_000, "-0.25s"), (10**15, "1000000s")],
)
def test_a_duration_is_written_in_seconds(ns, text):
    assert duration_text(Duration(ns)) == text


def test_a_timestamp_is_written_in_utc_with_the_digits_it_needs():
    assert timestamp_text(at("2009-02-13T23:31:30+01:00")) == "2009-02-13T22:31:30Z"
    assert timestamp_text(at("0009-02-03T03:01:03.120Z")) == "0009-02-03T03:01:03.12Z"


# -- arithmetic ----------------------------------------------------------------------------------


@given(timestamps, durations)
def test_timestamp_and_duration_add_exactly_or_overflow(moment, span):
    total = moment.ns + span.ns
    for found in (add(moment, span), add(span, moment)):
        if TIMESTAMP_MIN <= total <= TIMESTAMP_MAX:
            assert found == Timestamp(total)
        else:
            assert (found.code, found.details) == ("overflow", ("_+_",))


@given(timestamps, timestamps)
def test_timestamps_subtract_exactly_or_overflow(left, right):
    found = subtract(left, right)
    if INT_MIN <= left.ns - right.ns <= INT_MAX:
        assert found == Duration(left.ns - right.ns)
    else:
        assert (found.code, found.details) == ("overflow", ("_-_",))


@given(durations, durations)
def test_durations_add_and_subtract_exactly_or_overflow(left, right):
    for found, total in (
        (add(left, right), left.ns + right.ns),
        (subtract(left, right), left.ns - right.ns),
    ):
        if INT_MIN <= total <= INT_MAX:
            assert found == Duration(total)
        else:
            assert found.code == "overflow"


@given(timestamps, small_durations)
def test_what_was_added_can_be_subtracted(moment, span):
    later = add(moment, span)
    if type(later) is Timestamp:
        assert subtract(later, span) == moment
        assert subtract(later, moment) == span


def test_the_ends_of_time_are_nanosecond_sharp():
    first, last, one = Timestamp(TIMESTAMP_MIN), Timestamp(TIMESTAMP_MAX), Duration(1)
    assert subtract(first, one).code == add(last, one).code == "overflow"
    assert subtract(last, one).ns == TIMESTAMP_MAX - 1
    assert subtract(last, first).code == "overflow"


def test_other_operands_have_no_overload():
    assert add(Timestamp(0), Timestamp(0)).details == ("_+_",) + ("google.protobuf.Timestamp",) * 2
    assert add(Timestamp(0), 1).details == ("_+_", "google.protobuf.Timestamp", "int")
    assert subtract(Duration(0), Timestamp(0)).code == "no_such_overload"


@given(timestamps, timestamps)
def test_order_equality_and_hash_are_those_of_nanoseconds(left, right):
    for kind in (Timestamp, Duration):
        one, other = kind(left.ns), kind(right.ns)
        assert (one < other, one <= other) == (left.ns < right.ns, left.ns <= right.ns)
        assert (one > other, one >= other) == (left.ns > right.ns, left.ns >= right.ns)
        assert (one == other) == (left.ns == right.ns)
        assert one == kind(left.ns)
        assert hash(one) == hash(kind(left.ns))


def test_timestamps_durations_and_numbers_are_never_equal():
    assert Timestamp(0) != Duration(0)
    assert Timestamp(0) != 0
    with pytest.raises(TypeError):
        Timestamp(0) < Duration(0)  # noqa: B015


@given(timestamps, durations)
def test_times_survive_a_pickle(moment, span):
    assert pickle.loads(pickle.dumps((moment, span))) == (moment, span)


# -- parts ---------------------------------------------------------------------------------------


@given(timestamps, st.sampled_from(sorted(AS_DATETIME)))
def test_parts_in_utc_are_those_of_a_datetime(moment, name):
    plain = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment.ns // 1000)
    assert FUNCTIONS[name, 1](moment) == AS_DATETIME[name](plain)
    assert FUNCTIONS[name, 2](moment, "UTC") == AS_DATETIME[name](plain)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), zone_names)
def test_parts_in_a_zone_are_those_of_a_datetime(when, zone):
    plain = when.replace(tzinfo=UTC)
    local = plain.astimezone(ZoneInfo(zone))
    moment = from_datetime(plain)
    for name, part in AS_DATETIME.items():
        assert FUNCTIONS[name, 2](moment, zone) == part(local)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-1439, 1439))
def test_parts_at_a_fixed_offset_are_those_of_a_datetime(when, minutes):
    hours, rest = divmod(abs(minutes), 60)
    zone = f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
    plain = when.replace(tzinfo=UTC)
    local = plain.astimezone(timezone(timedelta(minutes=minutes)))
    for name, part in AS_DATETIME.items():
        assert FUNCTIONS[name, 2](from_datetime(plain), zone) == part(local)


@pytest.mark.parametrize(
    "text, call, zone, expected",
    [
        ("2009-02-13T23:31:30Z", "getDate", "Australia/Sydney", 14),
        ("2009-02-13T23:31:30Z", "getDayOfMonth", "+11:00", 13),
        ("2009-02-13T02:00:00Z", "getDayOfMonth", "-02:30", 11),
        ("2009-02-13T23:31:30Z", "getHours", "02:00", 1),
        ("2009-02-13T23:31:30Z", "getMinutes", "Asia/Kathmandu", 16),
        ("2009-02-13T23:31:30Z", "getSeconds", "-00:00", 30),
        ("0001-01-01T00:00:00Z", "getFullYear", "-00:01", 0),
        ("0001-01-01T00:00:00Z", "getDayOfYear", "-00:01", 365),
        ("0001-01-01T00:00:00Z", "getFullYear", "US/Central", 0),
        ("9999-12-31T23:59:59Z", "getFullYear", "+00:01", 10000),
        ("9999-12-31T23:59:59Z", "getDayOfWeek", "+00:01", 6),
        ("9999-12-31T23:59:59Z", "getFullYear", "Asia/Tokyo", 10000),
    ],
)
def test_a_zone_moves_the_parts(text, call, zone, expected):
    assert FUNCTIONS[call, 2](at(text), zone) == expected


@pytest.mark.parametrize(
    "zone",
    ["", "Mars/Base", "local", "localtime", "../etc/passwd", "/etc/localtime", "America", "+2:00"]
    + ["+24:00", "+02:60", "+٠٢:00", "utc\0", "Ünited", "tzdata.zi", "a" * 5_000],
)
def test_what_is_no_zone_is_a_fault(zone):
    fault = FUNCTIONS["getHours", 2](Timestamp(0), zone)
    assert (fault.code, fault.details[0]) == ("invalid_argument", "getHours")


@pytest.mark.parametrize(
    "text, call, expected",
    [
        ("10000s", "getHours", 2),
        ("3730s", "getMinutes", 62),
        ("3730s", "getSeconds", 3730),
        ("123.321456789s", "getMilliseconds", 321),
        ("-10000s", "getHours", -2),
        ("-1.5s", "getSeconds", -1),
        ("-1.5s", "getMilliseconds", -500),
    ],
)
def test_parts_of_a_duration_are_cut_towards_zero(text, call, expected):
    assert FUNCTIONS[call, 1](lasting(text)) == expected


def test_accessors_take_their_own_types_only():
    assert FUNCTIONS["getHours", 1](1).details == ("getHours", "int")
    assert FUNCTIONS["getMonth", 1](Duration(0)).code == "no_such_overload"
    assert FUNCTIONS["getHours", 2](Duration(0), "UTC").code == "no_such_overload"
    assert FUNCTIONS["getHours", 2](Timestamp(0), None).details[1:] == (
        "google.protobuf.Timestamp",
        "null_type",
    )


# -- Python's own times --------------------------------------------------------------------------


@given(st.datetimes(timezones=st.timezones()))
def test_an_aware_datetime_is_the_same_point_in_time(when):
    found = from_datetime(when)
    since = when.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) - when.utcoffset()
    ns = since // timedelta(microseconds=1) * 1000
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        assert found == Timestamp(ns)
    else:
        assert found.code == "overflow"


def test_a_datetime_without_a_zone_is_refused():
    assert from_datetime(datetime(2026, 1, 1)).code == "invalid_argument"


@given(st.timedeltas())
def test_a_timedelta_is_the_same_duration_or_too_long(span):
    found = from_timedelta(span)
    ns = span // timedelta(microseconds=1) * 1000
    if INT_MIN <= ns <= INT_MAX:
        assert found == Duration(ns)
    else:
        assert found.code == "overflow"


@pytest.mark.parametrize("nanosecond", [5_678, 678])
def test_nanoseconds_of_a_datetime_are_kept_counted_from_second_or_microsecond(nanosecond):
    class Precise(datetime):
        pass

    Precise.nanosecond = nanosecond
    when = Precise(1970, 1, 1, microsecond=5, tzinfo=UTC)
    assert from_datetime(when) == Timestamp(5_678)


def test_zones_are_remembered_within_a_bound():
    for number in range(times.ZONES_KEPT + 10):
        assert FUNCTIONS["getHours", 2](Timestamp(0), f"No/Such{number}").code == "invalid_argument"
    assert FUNCTIONS["getHours", 2](Timestamp(0), "Europe/Berlin") == 1
