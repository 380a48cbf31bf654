"""Calls of functions: the frequent ones of policies as nodes of their own, the rest by arity.

Laws: functions are strict (the first Fault among the arguments is the answer) and total: a
function gives a core value or a Fault and never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .activation import Activation
from .nodes import Node, placed
from .relations import member_of, text_in_list
from .shapes import Matcher
from .values import Fault, type_name


class Unary(Node):
    """A function of one argument."""

    __slots__ = ("function", "argument")

    def __init__(self, function: Callable[[Any], Any], argument: Node, position: int) -> None:
        self.function = function
        self.argument = argument
        self.position = position

    def value(self, activation: Activation) -> Any:
        argument = self.argument.value(activation)
        if type(argument) is Fault:
            return argument
        return placed(self.function(argument), self.position)


class Binary(Node):
    """A function of two arguments."""

    __slots__ = ("function", "first", "second")

    def __init__(
        self, function: Callable[[Any, Any], Any], first: Node, second: Node, position: int
    ) -> None:
        self.function = function
        self.first = first
        self.second = second
        self.position = position

    def value(self, activation: Activation) -> Any:
        first = self.first.value(activation)
        if type(first) is Fault:
            return first
        second = self.second.value(activation)
        if type(second) is Fault:
            return second
        return placed(self.function(first, second), self.position)


class StartsWith(Node):
    """`a.startsWith(b)`."""

    __slots__ = ("text", "prefix")

    def __init__(self, text: Node, prefix: Node, position: int) -> None:
        self.text = text
        self.prefix = prefix
        self.position = position

    def value(self, activation: Activation) -> Any:
        text = self.text.value(activation)
        if type(text) is Fault:
            return text
        prefix = self.prefix.value(activation)
        if type(text) is str and type(prefix) is str:
            whole: str = text
            return whole.startswith(prefix)
        return _no_overload("startsWith", text, prefix, self.position)


class EndsWith(Node):
    """`a.endsWith(b)`."""

    __slots__ = ("text", "suffix")

    def __init__(self, text: Node, suffix: Node, position: int) -> None:
        self.text = text
        self.suffix = suffix
        self.position = position

    def value(self, activation: Activation) -> Any:
        text = self.text.value(activation)
        if type(text) is Fault:
            return text
        suffix = self.suffix.value(activation)
        if type(text) is str and type(suffix) is str:
            whole: str = text
            return whole.endswith(suffix)
        return _no_overload("endsWith", text, suffix, self.position)


def _no_overload(function: str, first: Any, second: Any, position: int) -> Fault:
    if type(second) is Fault:
        return second
    return Fault("no_such_overload", (function, type_name(first), type_name(second)), position)


class Contains(Node):
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

    def value(self, activation: Activation) -> Any:
        container = self.container.value(activation)
        if type(container) is Fault:
            return container
        member = self.member.value(activation)
        if type(container) is str and type(member) is str:
            text: str = container
            return member in text
        if type(member) is Fault:
            return member
        if self.lists and type(container) is list:
            if type(member) is str:
                return placed(text_in_list(member, container), self.position)
            return placed(member_of(member, container), self.position)
        return placed(self.function(container, member), self.position)


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
        return placed(self.function(argument), self.position)


class Matches(Node):
    """`a.matches('pattern')` with a constant pattern, planned once (`patterns`)."""

    __slots__ = ("text", "matcher")

    def __init__(self, text: Node, matcher: Matcher, position: int) -> None:
        self.text = text
        self.matcher = matcher
        self.position = position

    def value(self, activation: Activation) -> Any:
        text = self.text.value(activation)
        if type(text) is str:
            return placed(self.matcher.match(text), self.position)
        if type(text) is Fault:
            return text
        return Fault("no_such_overload", ("matches", type_name(text), "string"), self.position)
