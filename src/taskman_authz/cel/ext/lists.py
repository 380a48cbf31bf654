"""The library `lists`: parts of lists, their order, `range`, `flatten`, `distinct`.

Laws: positions count from 0; sorting keeps the order of equal keys, and keys are all of one type
that has an order; what a function makes is no larger than `limits.value_size`, and the steps that
an argument's extent does not show are paid for. (`first` and `last` give optionals and belong to
that library.)
"""

from __future__ import annotations

from typing import Any

from ..._fast.access import adapt
from ..._fast.activation import Activation, extent
from ..._fast.calls import WORK
from ..._fast.expansion import Expansion
from ..._fast.times import Duration, Timestamp
from ..._fast.tree import Expr
from ..._fast.values import Fault, UInt, type_name
from ...limits import Limits
from ..functions import Implementation, Limited, metered
from ..library import Library
from ..macros import MacroTable, map_, variable
from .membership import Members
from .overloads import made, takes

LATEST = 2

ORDERED = (
    *("int", "uint", "double", "bool", "google.protobuf.Duration", "google.protobuf.Timestamp"),
    *("string", "bytes"),
)
BY_KEYS = "@sortByAssociatedKeys"  # what `sortBy` becomes: no name that can be written
SORTED_INPUT = "@__sortBy_input__"

# fmt: off
OVERLOADS = """
0  slice        list_slice        list(T).(int, int) -> list(T)
1  flatten      list_flatten      list(list(T)).() -> list(T)
1  flatten      list_flatten_int  list(dyn).(int) -> list(dyn)
2  distinct     list_distinct     list(T).() -> list(T)
2  lists.range  lists_range       (int) -> list(int)
2  reverse      list_reverse      list(T).() -> list(T)
""" + "".join(
    f"""
2  sort       list_{each}_sort                  list({each}).() -> list({each})
2  {BY_KEYS}  list_{each}_sortByAssociatedKeys  list(T).(list({each})) -> list(T)
"""
    for each in ORDERED
)
# fmt: on


def too_large(limits: Limits) -> Fault:
    return Fault("limit_exceeded", ("value_size", limits.value_size))


@takes("slice", (list, int, int), (tuple, int, int))
def slice_(values: Any, start: int, end: int) -> Any:
    """The members from `start` up to `end`."""
    for index in (start, end):
        if not 0 <= index <= len(values):
            return Fault("index_out_of_range", (index, len(values)))
    if end < start:
        return Fault("invalid_argument", ("slice", f"{end} is before {start}"))
    return list(values[start:end])


@metered
@Limited
@takes("flatten", (list,), (tuple,), (list, int), (tuple, int))
def flatten(values: Any, depth: int = 1, *, limits: Limits, meter: Activation) -> Any:
    """The members of the list with those of lists in it in their place, `depth` levels down."""
    if depth < 0:
        return Fault("invalid_argument", ("flatten", f"the depth {depth} is negative"))
    made: list[Any] = []
    levels = [iter(values)]
    while len(made) <= limits.value_size:
        if not meter.pay(WORK):
            return meter.spent()
        member = adapt(next(levels[-1], END))
        if member is END:
            levels.pop()
            if not levels:
                return made
        elif type(member) is list or type(member) is tuple:
            if len(levels) <= depth:
                levels.append(iter(member))
            else:
                made.append(member)
        elif type(member) is Fault:
            return member
        else:
            made.append(member)
    return too_large(limits)


END: Any = Fault("no_such_key")  # a value that no list holds


@metered
@takes("distinct", (list,), (tuple,))
def distinct(values: Any, *, meter: Activation) -> Any:
    """The members, each once, where it stands first."""
    members = Members(meter)
    made = []
    for value in values:
        member = adapt(value)
        new = members.add(member)
        if type(new) is Fault:
            return new
        if new:
            made.append(member)
    return made


@metered
@Limited
@takes("lists.range", (int,))
def range_(count: int, *, limits: Limits, meter: Activation) -> Any:
    """The numbers from 0 up to `count`."""
    if count < 0:
        return Fault("invalid_argument", ("lists.range", f"the size {count} is negative"))
    if count > limits.value_size:
        return too_large(limits)
    return list(range(count)) if count <= meter.steps else meter.spent()


@takes("reverse", (list,), (tuple,))
def reverse(values: Any) -> list[Any]:
    return list(values[::-1])


@metered
@takes("sort", (list,), (tuple,))
def sort(values: Any, *, meter: Activation) -> Any:
    """The members in their order."""
    return in_order(values, values, "sort", meter)


@metered
@takes("sortBy", (list, list), (list, tuple), (tuple, list), (tuple, tuple))
def sort_by_keys(values: Any, keys: Any, *, meter: Activation) -> Any:
    """The members in the order of the keys, one for each."""
    if len(values) != len(keys):
        return Fault("invalid_argument", ("sortBy", "not a key for each member"))
    return in_order(values, keys, "sortBy", meter)


def in_order(values: Any, keys: Any, function: str, meter: Activation) -> Any:
    """The values in the order of their keys, each of which is compared as often as their number
    can be halved."""
    adapted = [adapt(key) for key in keys]
    if not meter.pay(len(adapted).bit_length() * sum(1 + extent(key) for key in adapted)):
        return meter.spent()
    kind = type(adapted[0]) if adapted else int
    if kind not in SORTED and kind is not Fault:
        return Fault("no_such_overload", (function, f"list({type_name(adapted[0])})"))
    for key in adapted:
        if type(key) is Fault:
            return key
        if type(key) is not kind:
            types = f"{type_name(adapted[0])} and {type_name(key)}"
            return Fault("invalid_argument", (function, f"{types} have no common order"))
        if key != key:
            return Fault("invalid_argument", (function, "NaN has no order"))
    if kind in TIMES:
        adapted = [key.ns for key in adapted]
    return [values[number] for number in sorted(range(len(values)), key=adapted.__getitem__)]


TIMES = frozenset({Timestamp, Duration})
SORTED = frozenset({int, UInt, float, bool, str, bytes}) | TIMES


def sort_by(e: Expansion, target: Expr | None, args: tuple[Expr, ...]) -> Expr | None:
    """`list.sortBy(x, key)`: the list, bound to a name, in the order of its map."""
    name = variable(e, args[0])
    if not name or target is None:
        return args[0]
    result = e.ident(SORTED_INPUT)
    keys = map_(e, e.ident(SORTED_INPUT), name, args[0], args[1])
    call = e.member_call(BY_KEYS, e.ident(SORTED_INPUT), keys)
    return e.fold(
        e.list_of(), ("#unused",), target, e.literal(False), result, call, accu_var=SORTED_INPUT
    )


MACROS = {2: MacroTable({("sortBy", 2, True): sort_by})}

IMPLEMENTATIONS: dict[tuple[str, int], Implementation] = {
    ("slice", 3): slice_,
    ("flatten", 1): flatten,
    ("flatten", 2): flatten,
    ("distinct", 1): distinct,
    ("lists.range", 1): range_,
    ("reverse", 1): reverse,
    ("sort", 1): sort,
    (BY_KEYS, 2): sort_by_keys,
}


def library(version: int = LATEST) -> Library:
    """The library as of a version."""
    return made("lists", version, LATEST, OVERLOADS, IMPLEMENTATIONS, MACROS)
