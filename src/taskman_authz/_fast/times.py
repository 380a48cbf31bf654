"""Timestamps and durations: the values, their texts, their arithmetic and their parts.

Laws:
- Both hold whole nanoseconds in a Python int, so nothing wraps and nothing is rounded.
- A timestamp lies in the years 1 to 9999 of UTC; a duration fits 64 bits of nanoseconds (some 292
  years each way). What would not is an `overflow` fault.
- No answer depends on the machine: the machine's own zone is not a zone here, and a datetime
  without a zone is refused instead of guessed.
- Every function takes core values and gives a core value or a `Fault`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .values import INT_MAX, INT_MIN, TYPE_NAMES, Fault, type_name

MICROSECOND = 1_000  # all units are in nanoseconds
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# `date.toordinal` of 1970-01-01, and of the last day that `date` knows.
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MARCH_OF_YEAR_0 = 719_468  # the days from there to 1970-01-01
LAST_ORDINAL = date.max.toordinal()
# The calendar repeats, weekdays included, after so many days and years.
CYCLE_DAYS = 146_097
CYCLE_YEARS = 400

TIMESTAMP_MIN = (1 - EPOCH_ORDINAL) * DAY
TIMESTAMP_MAX = (LAST_ORDINAL + 1 - EPOCH_ORDINAL) * DAY - 1

# Zone names may come from a request, so the memory of them is bounded; there are some 600.
ZONES_KEPT = 1_024
ZONE_LENGTH = 64  # characters; the longest name has half as many


class Timestamp:
    """A point in time: `ns` nanoseconds since 1970-01-01T00:00:00Z. Made in range by its makers."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is Timestamp and self.ns == other.ns

    def __lt__(self, other: object) -> bool:
        return self.ns < other.ns if type(other) is Timestamp else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.ns <= other.ns if type(other) is Timestamp else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.ns > other.ns if type(other) is Timestamp else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.ns >= other.ns if type(other) is Timestamp else NotImplemented

    def __hash__(self) -> int:
        return hash((Timestamp, self.ns))

    def __reduce__(self) -> tuple[type[Timestamp], tuple[int]]:
        return (Timestamp, (self.ns,))

    def __repr__(self) -> str:
        return f"timestamp({timestamp_text(self)!r})"


class Duration:
    """A span of time of `ns` nanoseconds, negative backwards. Made in range by its makers."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return type(other) is Duration and self.ns == other.ns

    def __lt__(self, other: object) -> bool:
        return self.ns < other.ns if type(other) is Duration else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.ns <= other.ns if type(other) is Duration else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.ns > other.ns if type(other) is Duration else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.ns >= other.ns if type(other) is Duration else NotImplemented

    def __hash__(self) -> int:
        return hash((Duration, self.ns))

    def __reduce__(self) -> tuple[type[Duration], tuple[int]]:
        return (Duration, (self.ns,))

    def __repr__(self) -> str:
        return f"duration({duration_text(self)!r})"


TYPE_NAMES[Timestamp] = "google.protobuf.Timestamp"
TYPE_NAMES[Duration] = "google.protobuf.Duration"


def timestamp_of(ns: int, function: str) -> Timestamp | Fault:
    """The timestamp so many nanoseconds after the epoch; `overflow` of `function` out of range."""
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        return _timestamp(ns)
    return Fault("overflow", (function,))


def _timestamp(ns: int) -> Timestamp:
    """A timestamp in range. Compiled, `__new__` and an assignment take a third of a call."""
    made = Timestamp.__new__(Timestamp)
    made.ns = ns
    return made


def duration_of(ns: int, function: str) -> Duration | Fault:
    """The duration of so many nanoseconds; `overflow` of `function` out of range."""
    if INT_MIN <= ns <= INT_MAX:
        made = Duration.__new__(Duration)
        made.ns = ns
        return made
    return Fault("overflow", (function,))


def since(left: Any, right: Any) -> int:
    """The nanoseconds from one timestamp to another, or by which a duration is longer."""
    if type(left) is Timestamp:
        return _between(left, right)
    return _longer(left, right)


def _between(left: Timestamp, right: Timestamp) -> int:
    return left.ns - right.ns


def _longer(left: Duration, right: Duration) -> int:
    return left.ns - right.ns


# -- texts ---------------------------------------------------------------------------------------

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"
    r"(?:\.([0-9]{1,9}))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION_PART = re.compile("([0-9]*)(?:[.]([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,  # U+00B5, the micro sign
    "μs": MICROSECOND,  # U+03BC, the Greek letter
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
# Every part of a duration has two characters or more, and no sensible one this many parts.
_DURATION_LENGTH = 1_000


def parse_timestamp(text: str) -> Timestamp | Fault:
    """Read an RFC 3339 date and time (section 5.6): upper-case T and Z, at most nine digits of a
    second, no leap second."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        return Fault("invalid_argument", ("timestamp", "not an RFC 3339 date and time"))
    year, month, day, hour, minute, second, fraction, sign, zone_hour, zone_minute = found.groups()
    if year == "0000":
        return Fault("overflow", ("timestamp",))
    try:
        days = date(int(year), int(month), int(day)).toordinal() - EPOCH_ORDINAL
    except ValueError:
        return Fault("invalid_argument", ("timestamp", "no such day in the calendar"))
    ns = days * DAY + int(hour) * HOUR + int(minute) * MINUTE + int(second) * SECOND
    if fraction is not None:
        ns += int(fraction.ljust(9, "0"))
    if sign is not None:
        offset = int(zone_hour) * HOUR + int(zone_minute) * MINUTE
        ns += offset if sign == "-" else -offset
    return timestamp_of(ns, "timestamp")


def parse_duration(text: str) -> Duration | Fault:
    """Read a duration: a sign if any, then numbers with a unit each (`1h30m`, `-1.5s`, `10us`),
    or a bare `0`. A fraction finer than a nanosecond is cut off."""
    start = 1 if text[:1] in ("+", "-") else 0
    if text[start:] == "0":
        return Duration(0)
    if start == len(text) or len(text) > _DURATION_LENGTH:
        return _bad_duration()
    ns = 0
    position = start
    while position < len(text):
        found = _DURATION_PART.match(text, position)
        if found is None:
            return _bad_duration()
        whole, fraction, unit = found.groups()
        if not whole and not fraction:
            return _bad_duration()
        scale = _UNITS[unit]
        ns += int(whole or "0") * scale
        if fraction:
            # Not `10 ** len(fraction)`: compiled, that is a power of C numbers, which is a double.
            ns += int(fraction) * scale // int("1".ljust(len(fraction) + 1, "0"))
        position = found.end()
    return duration_of(-ns if text[0] == "-" else ns, "duration")


def _bad_duration() -> Fault:
    why = "not a duration such as `1h30m` or `-1.5s`"
    return Fault("invalid_argument", ("duration", why))


def _fraction_text(ns: int) -> str:
    """The digits behind the seconds, with their point, without trailing zeros."""
    return "." + f"{ns:09d}".rstrip("0") if ns else ""


def timestamp_text(value: Timestamp) -> str:
    """A timestamp as RFC 3339 in UTC, with as many digits of a second as it needs."""
    days, ns = divmod(value.ns, DAY)
    seconds, fraction = divmod(ns, SECOND)
    day = date.fromordinal(days + EPOCH_ORDINAL)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{day.isoformat()}T{clock}{_fraction_text(fraction)}Z"


def duration_text(value: Duration) -> str:
    """A duration in seconds, with as many digits of a second as it needs: `5400s`, `-0.25s`."""
    seconds, fraction = divmod(abs(value.ns), SECOND)
    sign = "-" if value.ns < 0 else ""
    return f"{sign}{seconds}{_fraction_text(fraction)}s"


# -- arithmetic ----------------------------------------------------------------------------------


def add(left: object, right: object) -> Timestamp | Duration | Fault:
    """`+` where a timestamp or a duration takes part."""
    if type(right) is Duration:
        if type(left) is Timestamp:
            return timestamp_of(left.ns + right.ns, "_+_")
        if type(left) is Duration:
            return duration_of(left.ns + right.ns, "_+_")
    elif type(left) is Duration and type(right) is Timestamp:
        return timestamp_of(left.ns + right.ns, "_+_")
    return Fault("no_such_overload", ("_+_", type_name(left), type_name(right)))


def subtract(left: object, right: object) -> Timestamp | Duration | Fault:
    """`-` where a timestamp or a duration takes part."""
    if type(right) is Duration:
        if type(left) is Timestamp:
            return timestamp_of(left.ns - right.ns, "_-_")
        if type(left) is Duration:
            return duration_of(left.ns - right.ns, "_-_")
    elif type(left) is Timestamp and type(right) is Timestamp:
        return duration_of(left.ns - right.ns, "_-_")
    return Fault("no_such_overload", ("_-_", type_name(left), type_name(right)))


# -- zones ---------------------------------------------------------------------------------------

_FIXED_ZONE = re.compile("([+-]?)([01][0-9]|2[0-3]):([0-5][0-9])")
# Files of the zone database that are the machine's own choice, not a place.
_MACHINE_ZONES = frozenset(("localtime", "posixrules"))


@lru_cache(maxsize=ZONES_KEPT)
def _zone(name: str) -> int | ZoneInfo | None:
    """A zone: its fixed offset in nanoseconds, or its rules, or None if there is none so named."""
    if name in ("UTC", "Z"):
        return 0
    fixed = _FIXED_ZONE.fullmatch(name)
    if fixed is not None:
        offset = int(fixed[2]) * HOUR + int(fixed[3]) * MINUTE
        return -offset if fixed[1] == "-" else offset
    if name in _MACHINE_ZONES or not name.isascii():
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _rules_offset(rules: ZoneInfo, ns: int) -> int:
    """How far the zone's clocks are ahead of UTC at this moment, in nanoseconds."""
    # A day off either end, datetime could not hold the local time. No rule changes there.
    inside = min(max(ns, TIMESTAMP_MIN + DAY), TIMESTAMP_MAX - DAY)
    # Half as long as `astimezone`: to `fromutc` the zone's own clocks are UTC's.
    utc = datetime(1970, 1, 1, tzinfo=rules) + timedelta(0, inside // SECOND)
    offset = rules.fromutc(utc).utcoffset()
    return 0 if offset is None else _timedelta_ns(offset)


def local_ns(value: Timestamp, zone: str, function: str) -> int | Fault:
    """What the clocks of a zone show, as nanoseconds since their own 1970-01-01T00:00:00."""
    rules = _zone(zone) if len(zone) <= ZONE_LENGTH else None
    if rules is None:
        return Fault("invalid_argument", (function, "no such time zone"))
    if isinstance(rules, int):
        return value.ns + rules
    return value.ns + _rules_offset(rules, value.ns)


# -- parts of a timestamp, from local nanoseconds ------------------------------------------------


def _calendar(ns: int) -> tuple[date, int]:
    """The day, and the years to add to it: a zone can push a timestamp into year 0 or 10000,
    which `date` does not have."""
    ordinal = ns // DAY + EPOCH_ORDINAL
    if ordinal < 1:
        return date.fromordinal(ordinal + CYCLE_DAYS), -CYCLE_YEARS
    if ordinal > LAST_ORDINAL:
        return date.fromordinal(ordinal - CYCLE_DAYS), CYCLE_YEARS
    return date.fromordinal(ordinal), 0


def _year(ns: int) -> int:
    day, years = _calendar(ns)
    return day.year + years


def _month(ns: int) -> int:
    return _calendar(ns)[0].month - 1


def _date(ns: int) -> int:
    return _calendar(ns)[0].day


def _day_of_month(ns: int) -> int:
    return _calendar(ns)[0].day - 1


def _day_of_week(ns: int) -> int:
    return (ns // DAY + 4) % 7  # 1970-01-01 was a Thursday; Sunday is 0


def _day_of_year(ns: int) -> int:
    day = _calendar(ns)[0]
    return day.toordinal() - date(day.year, 1, 1).toordinal()


def _hours(ns: int) -> int:
    return ns // HOUR % 24


def _minutes(ns: int) -> int:
    return ns // MINUTE % 60


def _seconds(ns: int) -> int:
    return ns // SECOND % 60


def _milliseconds(ns: int) -> int:
    return ns // MILLISECOND % 1_000


# -- parts of a duration: towards zero -----------------------------------------------------------


def _whole(ns: int, unit: int) -> int:
    return ns // unit if ns >= 0 else -(-ns // unit)


def _whole_hours(ns: int) -> int:
    return _whole(ns, HOUR)


def _whole_minutes(ns: int) -> int:
    return _whole(ns, MINUTE)


def _whole_seconds(ns: int) -> int:
    return _whole(ns, SECOND)


def _rest_milliseconds(ns: int) -> int:
    rest = abs(ns) // MILLISECOND % 1_000
    return rest if ns >= 0 else -rest


# -- the accessors -------------------------------------------------------------------------------

Part = Callable[[int], int]
Accessor = Callable[..., object]


def _accessor(name: str, part: Part) -> Accessor:
    def accessor(value: object) -> object:
        if type(value) is Timestamp:
            return part(value.ns)
        return Fault("no_such_overload", (name, type_name(value)))

    return accessor


def _shared_accessor(name: str, part: Part, duration_part: Part) -> Accessor:
    def accessor(value: object) -> object:
        if type(value) is Timestamp:
            return part(value.ns)
        if type(value) is Duration:
            return duration_part(value.ns)
        return Fault("no_such_overload", (name, type_name(value)))

    return accessor


def _zone_accessor(name: str, part: Part) -> Accessor:
    def accessor(value: object, zone: object) -> object:
        if type(value) is not Timestamp or not isinstance(zone, str):
            return Fault("no_such_overload", (name, type_name(value), type_name(zone)))
        local = local_ns(value, zone, name)
        return part(local) if isinstance(local, int) else local

    return accessor


_PARTS: dict[str, Part] = {
    "getFullYear": _year,
    "getMonth": _month,
    "getDate": _date,
    "getDayOfMonth": _day_of_month,
    "getDayOfWeek": _day_of_week,
    "getDayOfYear": _day_of_year,
    "getHours": _hours,
    "getMinutes": _minutes,
    "getSeconds": _seconds,
    "getMilliseconds": _milliseconds,
}
_DURATION_PARTS: dict[str, Part] = {
    "getHours": _whole_hours,
    "getMinutes": _whole_minutes,
    "getSeconds": _whole_seconds,
    "getMilliseconds": _rest_milliseconds,
}

IN_ZONES = {(name, 2): _zone_accessor(name, part) for name, part in _PARTS.items()}

# Name and number of arguments (a member call's target is the first) → the function.
FUNCTIONS: dict[tuple[str, int], Accessor] = {
    **{(name, 1): _accessor(name, part) for name, part in _PARTS.items()},
    **{
        (name, 1): _shared_accessor(name, _PARTS[name], part)
        for name, part in _DURATION_PARTS.items()
    },
    **IN_ZONES,
}


# -- Python's own times --------------------------------------------------------------------------


def in_utc(value: datetime) -> Timestamp | None:
    """The timestamp of a plain datetime whose zone is `datetime.UTC`, None of others. Compiled, its
    fields are read as C integers: most timestamps of a request come by here."""
    if value.tzinfo is not UTC:
        return None
    year = value.year
    month = value.month
    if month > 2:  # years from March on, so that a leap day ends one
        month -= 3
    else:
        month += 9
        year -= 1
    days = year * 365 + year // 4 - year // 100 + year // 400 - MARCH_OF_YEAR_0
    days += (153 * month + 2) // 5 + value.day - 1
    seconds = value.hour * 3_600 + value.minute * 60 + value.second
    return _timestamp(_nanoseconds(days, seconds, value.microsecond))


def from_datetime(value: datetime) -> Timestamp | Fault:
    """A timestamp of an aware datetime. A `nanosecond` attribute, if it has one, gives the digits
    below the microsecond. A datetime without a zone is nobody's time and is refused."""
    offset = value.utcoffset()
    if offset is None:
        return Fault("invalid_argument", ("timestamp", "a datetime without a time zone"))
    days = value.toordinal() - EPOCH_ORDINAL
    ns = days * DAY + value.hour * HOUR + value.minute * MINUTE + value.second * SECOND
    ns += value.microsecond * MICROSECOND + _below_microsecond(value)
    return timestamp_of(ns - _timedelta_ns(offset), "timestamp")


def _nanoseconds(days: int, seconds: int, microseconds: int) -> int:
    if -100_000 < days < 100_000:  # compiled, these are C integers, which hold 292 years
        return ((days * 86_400 + seconds) * 1_000_000 + microseconds) * 1_000
    return _wide_nanoseconds(days, seconds, microseconds)


def _wide_nanoseconds(days: Any, seconds: Any, microseconds: Any) -> int:
    total: int = days * DAY + seconds * SECOND + microseconds * MICROSECOND
    return total


def from_timedelta(value: timedelta) -> Duration | Fault:
    """A duration of a timedelta, with the digits of a `nanosecond` attribute if it has one."""
    if type(value) is timedelta:
        return duration_of(_timedelta_ns(value), "duration")
    return duration_of(_timedelta_ns(value) + _below_microsecond(value), "duration")


def _timedelta_ns(value: timedelta) -> int:
    return _nanoseconds(value.days, value.seconds, value.microseconds)


def _below_microsecond(value: object) -> int:
    # Some libraries count `nanosecond` from the second, some from the microsecond.
    nanosecond = getattr(value, "nanosecond", 0)
    return nanosecond % 1_000 if isinstance(nanosecond, int) else 0
