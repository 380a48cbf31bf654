"""Timestamps and durations as Python sees them: a datetime and a timedelta that keep nanoseconds.

Laws: both are immutable. They are equal, ordered and hashed by all nine digits of a second, and
where the last three are zero they are equal to, and hashed as, the plain datetime or timedelta.
Sums and differences of the two are exact; other arithmetic is Python's own, in microseconds.
`nanosecond` counts from the second, 0 to 999,999,999; the microsecond is its first six digits.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

from .._fast import times as core

__all__ = ["Duration", "Timestamp", "to_datetime", "to_timedelta"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(value: core.Timestamp) -> Timestamp:
    """The datetime in UTC of a value of the language."""
    return Timestamp.from_nanoseconds(value.ns)


def to_timedelta(value: core.Duration) -> Duration:
    """The timedelta of a value of the language."""
    return Duration.from_nanoseconds(value.ns)


def _below(value: timedelta | datetime) -> int:
    """The nanoseconds below the microsecond: a plain datetime or timedelta has none."""
    return value.below if isinstance(value, (Duration, Timestamp)) else 0


def _nanoseconds(value: timedelta) -> int:
    seconds = value.days * 86_400 + value.seconds
    return (seconds * 1_000_000 + value.microseconds) * 1_000 + _below(value)


class Duration(timedelta):
    """A span of time in whole nanoseconds; `below` is what a timedelta has no room for.

    As in a timedelta, days may be negative and the rest counts up from there: of -1 ns, `days` is
    -1, `seconds` 86399 and `nanosecond` 999,999,999.
    """

    __slots__ = ("_below",)
    _below: int

    def __new__(cls, *args: float, **kwargs: float) -> Self:
        made = super().__new__(cls, *args, **kwargs)
        made._below = 0
        return made

    @classmethod
    def from_nanoseconds(cls, nanoseconds: int) -> Self:
        """The duration of so many nanoseconds. Raises OverflowError beyond a timedelta's range."""
        microseconds, below = divmod(nanoseconds, 1_000)
        made = cls(microseconds=microseconds)
        made._below = below
        return made

    @property
    def below(self) -> int:
        """Nanoseconds below the microsecond, 0 to 999."""
        return self._below

    @property
    def nanosecond(self) -> int:
        """Nanoseconds within the second, 0 to 999,999,999."""
        return self.microseconds * 1_000 + self._below

    def total_nanoseconds(self) -> int:
        """The whole duration in nanoseconds."""
        return _nanoseconds(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, timedelta):
            return NotImplemented
        return _nanoseconds(self) == _nanoseconds(other)

    def __lt__(self, other: timedelta) -> bool:
        if not isinstance(other, timedelta):
            return NotImplemented
        return _nanoseconds(self) < _nanoseconds(other)

    def __le__(self, other: timedelta) -> bool:
        if not isinstance(other, timedelta):
            return NotImplemented
        return _nanoseconds(self) <= _nanoseconds(other)

    def __gt__(self, other: timedelta) -> bool:
        if not isinstance(other, timedelta):
            return NotImplemented
        return _nanoseconds(self) > _nanoseconds(other)

    def __ge__(self, other: timedelta) -> bool:
        if not isinstance(other, timedelta):
            return NotImplemented
        return _nanoseconds(self) >= _nanoseconds(other)

    def __hash__(self) -> int:
        return hash((timedelta.__hash__(self), self._below)) if self._below else super().__hash__()

    def __bool__(self) -> bool:
        return _nanoseconds(self) != 0

    def __add__(self, other: timedelta) -> Duration:
        if not isinstance(other, timedelta):
            return NotImplemented
        return self.from_nanoseconds(_nanoseconds(self) + _nanoseconds(other))

    __radd__ = __add__

    def __sub__(self, other: timedelta) -> Duration:
        if not isinstance(other, timedelta):
            return NotImplemented
        return self.from_nanoseconds(_nanoseconds(self) - _nanoseconds(other))

    def __rsub__(self, other: timedelta) -> Duration:
        if not isinstance(other, timedelta):
            return NotImplemented
        return self.from_nanoseconds(_nanoseconds(other) - _nanoseconds(self))

    def __neg__(self) -> Duration:
        return self.from_nanoseconds(-_nanoseconds(self))

    def __pos__(self) -> Duration:
        return self

    def __abs__(self) -> Duration:
        return self.from_nanoseconds(abs(_nanoseconds(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_nanoseconds, (_nanoseconds(self),))

    def __str__(self) -> str:
        return core.duration_text(core.Duration(_nanoseconds(self)))

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"


class Timestamp(datetime):
    """A point in time to the nanosecond; `below` is what a datetime has no room for.

    The engine's are in UTC. `astimezone`, sums and differences keep all digits.
    """

    __slots__ = ("_below",)
    _below: int

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls, *args, **kwargs)
        made._below = 0
        return made

    @classmethod
    def from_nanoseconds(cls, nanoseconds: int) -> Self:
        """The time in UTC so many nanoseconds after 1970-01-01T00:00:00Z. Raises OverflowError
        outside of the years 1 to 9999."""
        microseconds, below = divmod(nanoseconds, 1_000)
        return cls._of(_EPOCH + timedelta(microseconds=microseconds), below)

    @classmethod
    def _of(cls, time: datetime, below: int) -> Self:
        made = cls.combine(time.date(), time.timetz())
        made._below = below
        return made

    @property
    def below(self) -> int:
        """Nanoseconds below the microsecond, 0 to 999."""
        return self._below

    @property
    def nanosecond(self) -> int:
        """Nanoseconds within the second, 0 to 999,999,999."""
        return self.microsecond * 1_000 + self._below

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        """The same point in time, as the clocks of another zone show it."""
        return self._of(super().astimezone(tz), self._below)

    def replace(self, *args: Any, **kwargs: Any) -> Self:
        """As a datetime's; a new microsecond takes the place of all nine digits."""
        kept = 0 if len(args) > 6 or "microsecond" in kwargs else self._below
        return self._of(super().replace(*args, **kwargs), kept)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, datetime):
            return NotImplemented
        return super().__eq__(other) and self._below == _below(other)

    def __lt__(self, other: datetime) -> bool:  # type: ignore[override]
        if isinstance(other, datetime) and super().__eq__(other):
            return self._below < _below(other)
        return super().__lt__(other)

    def __le__(self, other: datetime) -> bool:  # type: ignore[override]
        if isinstance(other, datetime) and super().__eq__(other):
            return self._below <= _below(other)
        return super().__le__(other)

    def __gt__(self, other: datetime) -> bool:  # type: ignore[override]
        if isinstance(other, datetime) and super().__eq__(other):
            return self._below > _below(other)
        return super().__gt__(other)

    def __ge__(self, other: datetime) -> bool:  # type: ignore[override]
        if isinstance(other, datetime) and super().__eq__(other):
            return self._below >= _below(other)
        return super().__ge__(other)

    def __hash__(self) -> int:
        return hash((datetime.__hash__(self), self._below)) if self._below else super().__hash__()

    def __add__(self, other: timedelta) -> Self:
        if not isinstance(other, timedelta):
            return NotImplemented
        return self._moved(_nanoseconds(other))

    __radd__ = __add__

    def _moved(self, nanoseconds: int) -> Self:
        microseconds, below = divmod(nanoseconds + self._below, 1_000)
        return self._of(super().__add__(timedelta(microseconds=microseconds)), below)

    def __sub__(self, other: Any) -> Any:
        """The duration since another datetime, or the time a timedelta before this."""
        if isinstance(other, timedelta):
            return self._moved(-_nanoseconds(other))
        if not isinstance(other, datetime):
            return NotImplemented
        since = _nanoseconds(datetime.__sub__(self, other))
        return Duration.from_nanoseconds(since + self._below - _below(other))

    def __rsub__(self, other: datetime) -> Duration:
        if not isinstance(other, datetime):
            return NotImplemented
        return -(self - other)  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        plain = datetime.combine(self.date(), self.timetz())
        return (type(self)._of, (plain, self._below))

    def __str__(self) -> str:
        value = core.from_datetime(self)
        return core.timestamp_text(value) if type(value) is core.Timestamp else super().__str__()

    def __repr__(self) -> str:
        return f"Timestamp({str(self)!r})"
