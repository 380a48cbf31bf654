"""Which values a list holds, without comparing each with each.

Equality across the numeric types is that of doubles, which is not transitive; so a value's mark
(equal values have equal marks) only finds candidates, and `equals` decides.

Law: every step is paid for, for a value may hold itself or the same part many times.
"""

from __future__ import annotations

from typing import Any

from ..._fast.access import adapt, entries, is_map
from ..._fast.activation import Activation, extent
from ..._fast.calls import WORK
from ..._fast.relations import equals
from ..._fast.times import Duration, Timestamp
from ..._fast.values import Fault, UInt

MARKED_DEPTH = 8  # levels of lists and maps that a mark tells apart; no one nests deeper

NUMBERS = frozenset({int, UInt, float})
TIMES = frozenset({Timestamp, Duration})


class Members:
    """A set of values by the equality of the language."""

    def __init__(self, meter: Activation) -> None:
        self.meter = meter
        self.buckets: dict[Any, list[Any]] = {}

    def add_all(self, values: Any) -> Fault | None:
        """Add what a list holds; the Fault of a member that is one."""
        for value in values:
            found = self.add(adapt(value))
            if type(found) is Fault:
                return found
        return None

    def add(self, value: Any) -> Any:
        """Whether a value is new, and then it is added; or a Fault."""
        marked = self.mark(value)
        if type(marked) is Fault:
            return marked
        bucket = self.buckets.setdefault(marked, [])
        known = self.holds(bucket, value)
        if known is False:
            bucket.append(value)
        return known if type(known) is Fault else not known

    def find(self, value: Any) -> Any:
        """Whether an equal value was added; or a Fault."""
        marked = self.mark(value)
        return marked if type(marked) is Fault else self.holds(self.buckets.get(marked, ()), value)

    def holds(self, bucket: Any, value: Any) -> Any:
        if type(value) is str:
            return bool(bucket)  # the mark of a string is itself
        fault = None
        for member in bucket:
            if not self.meter.pay(WORK):
                return self.meter.spent()
            found = equals(member, value, self.meter)
            if found is True:
                return True
            if found is not False:
                fault = found
        return fault or False

    def mark(self, value: Any, depth: int = MARKED_DEPTH) -> Any:
        """Something hashable that equal values share; or a Fault."""
        if not self.meter.pay(WORK + extent(value)):
            return self.meter.spent()
        kind = type(value)
        if kind is str:
            return value
        if kind in NUMBERS:
            return float, float(value)
        if kind is list or kind is tuple:
            return self.mark_list(value, depth)
        if kind in TIMES:
            return kind, value.ns
        if value is None or kind is bool or kind is bytes or kind is Fault:
            return value if kind is Fault else (kind, value)
        return self.mark_map(value, depth) if is_map(value) else kind

    def mark_list(self, value: Any, depth: int) -> Any:
        if depth == 0:
            return list, len(value)
        marks = []
        for member in value:
            marked = self.mark(adapt(member), depth - 1)
            if type(marked) is Fault:
                return marked
            marks.append(marked)
        return list, tuple(marks)

    def mark_map(self, value: Any, depth: int) -> Any:
        found = entries(value)
        if type(found) is Fault or depth == 0:
            return found if type(found) is Fault else (dict, len(found))
        marks = []
        for entry in found.items():
            marked = self.mark_list(entry, depth)
            if type(marked) is Fault:
                return marked
            marks.append(marked)
        return dict, frozenset(marks)
