"""Calls of functions: the frequent ones of policies as nodes of their own, the rest by arity.

Laws: functions are strict (the first Fault among the arguments is the answer) and total: a
function gives a core value or a Fault and never raises. What takes longer the larger an argument is
is paid for by the argument's extent before it is done, what is made by its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import native
from .access import is_map, keys
from .activation import Activation, extent
from .nodes import Constant, Node, Test, TextTest, answer, placed, value_of
from .relations import among, member_of
from .shapes import Matcher
from .values import Fault, type_name

# The steps that a function written in Python takes for one of its argument's extent.
WORK = 8
# Those of calling it at all: half a microsecond at least, three where it reads or writes a time.
# Only in a loop are they counted, for a text bounds how many calls it has.
CALL = 50


class Unary(Node):
    """A function of one argument. `work` is what it takes for one of the argument's extent: 0 for a
    function that does not go over it."""

    __slots__ = ("function", "argument", "work")

    def __init__(
        self, function: Callable[[Any], Any], argument: Node, position: int, work: int = WORK
    ) -> None:
        self.function = function
        self.argument = argument
        self.position = position
        self.work = work

    def value(self, activation: Activation) -> Any:
        argument = self.argument.value(activation)
        if type(argument) is Fault:
            return argument
        if self.work == 0:
            return placed(self.function(argument), self.position)
        activation.steps -= self.work * extent(argument)
        if activation.steps < 0:
            return activation.spent(self.position)
        result = self.function(argument)
        activation.steps -= extent(result)
        return placed(result, self.position)


class Binary(Node):
    """A function of two arguments."""

    __slots__ = ("function", "first", "second", "work")

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        first: Node,
        second: Node,
        position: int,
        work: int = WORK,
    ) -> None:
        self.function = function
        self.first = first
        self.second = second
        self.position = position
        self.work = work

    def value(self, activation: Activation) -> Any:
        first = self.first.value(activation)
        if type(first) is Fault:
            return first
        second = self.second.value(activation)
        if type(second) is Fault:
            return second
        activation.steps -= self.work * (extent(first) + extent(second))
        if activation.steps < 0:
            return activation.spent(self.position)
        result = self.function(first, second)
        activation.steps -= extent(result)
        return placed(result, self.position)


class Function(Node):
    """A function of any number of arguments. `cost` is what a call of it takes, or gives that for
    the sizes of the arguments; None where it is their extents that count. With `metered` the
    function is given the activation as `meter` and pays itself for what these do not show."""

    __slots__ = ("function", "arguments", "work", "cost", "metered")

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: tuple[Node, ...],
        position: int,
        work: int = WORK,
        cost: int | Callable[..., int] | None = None,
        metered: bool = False,
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.position = position
        self.work = work
        self.cost = cost
        self.metered = metered

    def value(self, activation: Activation) -> Any:
        values = []
        steps = 0
        for argument in self.arguments:
            value = value_of(argument, activation)
            if type(value) is Fault:
                return value
            values.append(value)
            steps += extent(value)
        price = steps * self.work if self.cost is None else price_of(self.cost, values)
        if not activation.pay(price):
            return activation.spent(self.position)
        if self.metered:
            result = self.function(*values, meter=activation)
        else:
            result = self.function(*values)
        activation.steps -= extent(result)
        return placed(result, self.position)


def price_of(cost: int | Callable[..., int], values: list[Any]) -> int:
    """What a call with these arguments costs, at least 0."""
    return max(0, cost if isinstance(cost, int) else cost(*map(size_of, values)))


def size_of(value: Any) -> int:
    """The size of a value in the language: characters, bytes, elements or entries; 1 of what has no
    parts."""
    kind = type(value)
    if kind is str or kind is list or kind is dict or kind is bytes or kind is tuple:
        return len(value)
    if not is_map(value):
        return 1
    found = keys(value)
    return 0 if type(found) is Fault else len(found)


class StartsWith(Test):
    """`a.startsWith(b)`."""

    __slots__ = ("text", "prefix")

    def __init__(self, text: Node, prefix: Node, position: int) -> None:
        self.text = text
        self.prefix = prefix
        self.position = position

    def truth(self, activation: Activation) -> int:
        text = self.text.value(activation)
        if type(text) is Fault:
            return answer(text, activation)
        prefix = self.prefix.value(activation)
        if type(text) is str and type(prefix) is str:
            activation.steps -= extent(prefix)
            whole: str = text
            return 1 if whole.startswith(prefix) else 0
        return answer(_no_overload("startsWith", text, prefix, self.position), activation)


class EndsWith(Test):
    """`a.endsWith(b)`."""

    __slots__ = ("text", "suffix")

    def __init__(self, text: Node, suffix: Node, position: int) -> None:
        self.text = text
        self.suffix = suffix
        self.position = position

    def truth(self, activation: Activation) -> int:
        text = self.text.value(activation)
        if type(text) is Fault:
            return answer(text, activation)
        suffix = self.suffix.value(activation)
        if type(text) is str and type(suffix) is str:
            activation.steps -= extent(suffix)
            whole: str = text
            return 1 if whole.endswith(suffix) else 0
        return answer(_no_overload("endsWith", text, suffix, self.position), activation)


def _no_overload(function: str, first: Any, second: Any, position: int) -> Fault:
    if type(second) is Fault:
        return second
    return Fault("no_such_overload", (function, type_name(first), type_name(second)), position)


class Contains(TextTest):
    """`a.contains(b)`: a part of a string; in policy conditions also a member of a list."""

    __slots__ = ("function", "container", "member", "lists")

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        container: Node,
        member: Node,
        lists: bool,
        position: int,
    ) -> None:
        self.function = function  # for what is no string in a string and no list
        self.lists = lists
        self.container = container
        self.member = member
        self.position = position
        if lists and type(member) is Constant and type(member.constant) is str:
            self.reads(container, member.constant)
        else:
            self.reads(None, "")

    def truth(self, activation: Activation) -> int:
        found = native.has_text(self, activation)
        if found != 2:
            return found
        container = self.container.value(activation)
        if type(container) is Fault:
            return answer(container, activation)
        member = self.member.value(activation)
        if type(container) is str and type(member) is str:
            text: str = container
            activation.steps -= extent(text)
            if activation.steps < 0:
                return answer(activation.spent(self.position), activation)
            return 1 if member in text else 0
        if type(member) is Fault:
            return answer(member, activation)
        if self.lists and type(container) is list and type(member) is str:
            return among(member, container, activation, self.position)
        if self.lists and (type(container) is list or type(container) is tuple):
            value = member_of(member, container, activation)
        else:
            value = self.function(container, member)
        return answer(placed(value, self.position), activation)


class Size(Node):
    """`size(a)`, `a.size()`."""

    __slots__ = ("function", "argument")

    def __init__(self, function: Callable[[Any], Any], argument: Node, position: int) -> None:
        self.function = function  # for what is no plain list, map or string
        self.argument = argument
        self.position = position

    def value(self, activation: Activation) -> Any:
        argument = self.argument.value(activation)
        kind = type(argument)
        if kind is list or kind is dict or kind is str:
            return len(argument)
        if kind is Fault:
            return argument
        found = self.function(argument)
        if type(found) is int and is_map(argument):  # its keys were counted one by one
            activation.steps -= found
        return placed(found, self.position)


class Matches(Test):
    """`a.matches('pattern')` with a constant pattern, planned once (`patterns`)."""

    __slots__ = ("text", "matcher", "weight")

    def __init__(self, text: Node, matcher: Matcher, position: int) -> None:
        self.text = text
        self.matcher = matcher
        self.weight = matcher.weight()
        self.position = position

    def truth(self, activation: Activation) -> int:
        text = self.text.value(activation)
        if type(text) is str:
            activation.steps -= len(text) * self.weight >> 6
            if activation.steps < 0:
                return answer(activation.spent(self.position), activation)
            return answer(placed(self.matcher.match(text), self.position), activation)
        if type(text) is not Fault:
            details = ("matches", type_name(text), "string")
            text = Fault("no_such_overload", details, self.position)
        return answer(text, activation)
