# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The program as a graph of nodes: `node.value(activation)` is the whole contract.

A node that is mostly true or false, a `Test`, is asked for its `truth`, which makes no object.

Laws: a node returns a core value or a Fault and never raises; it holds no state of an evaluation,
so one graph serves all threads and all policies that share a condition; a strict node returns the
first Fault among its operands, in the order in which they are written.

Here: constants, names, members and literals. `logic` has what absorbs faults, `numbers`
arithmetic, `relations` comparison, `calls` functions, `folds` the macros' loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .access import adapt, has, index, select
from .activation import Activation, Path, Unset
from .values import Fault, MixedMap, UInt, type_name


class Node:
    """One step of a program. `position` is its place in the source, for faults."""

    __slots__ = ("position",)
    position: int

    def value(self, activation: Activation) -> Any:
        """The core value, or a Fault."""
        raise NotImplementedError

    def truth(self, activation: Activation) -> int:
        """1 where the value is true, 0 where it is false; 2 where it is another one, a Fault
        mostly, which is then put aside in the activation."""
        return answer(self.value(activation), activation)


class Test(Node):
    """A node whose value is mostly a bool, and which says how by `truth`."""

    __slots__ = ()

    def value(self, activation: Activation) -> Any:
        found = self.truth(activation)
        if found == 1:
            return True
        return False if found == 0 else activation.take_other()

    def truth(self, activation: Activation) -> int:
        raise NotImplementedError


def answer(value: Any, activation: Activation) -> int:
    """A value as what `Node.truth` gives."""
    if value is True:
        return 1
    if value is False:
        return 0
    activation.other = value
    return 2


def evaluate(node: Node, activation: Activation) -> Any:
    """The value of a node, for callers outside the core (compiled, `value` is a C method)."""
    return node.value(activation)


class Link:
    """A node and those after it, or None: what a node iterates over its operands by. The fields
    are typed, where each member of a tuple would have its type looked up when it is used."""

    __slots__ = ("node", "rest")

    def __init__(self, node: Node, rest: Link | None) -> None:
        self.node = node
        self.rest = rest


def linked(nodes: tuple[Node, ...]) -> Link | None:
    """Nodes as links, in their order; None for none."""
    first: Link | None = None
    for node in reversed(nodes):
        first = Link(node, first)
    return first


class Constant(Node):
    """A literal, or what the planner folded."""

    __slots__ = ("constant", "told")

    def __init__(self, constant: Any, position: int) -> None:
        self.constant = constant
        self.told = 1 if constant is True else 0 if constant is False else 2
        self.position = position

    def value(self, activation: Activation) -> Any:
        return self.constant

    def truth(self, activation: Activation) -> int:
        return answer(self.constant, activation) if self.told == 2 else self.told


class Attribute(Node):
    """An attribute path. With `kept` its value lies in a slot, which all readers share; without,
    it is read anew: whoever plans says so where nothing reads the path again."""

    __slots__ = ("slot", "path", "root", "name", "member", "depth", "kept")

    def __init__(self, slot: int, path: Path, position: int) -> None:
        self.slot = slot
        self.path = path
        self.root = path.root
        self.name = path.name
        self.depth = len(path.members)
        self.member = path.members[0] if self.depth else ""
        self.kept = True
        self.position = position

    def value(self, activation: Activation) -> Any:
        value: Any
        if self.kept:
            value = activation.slots[self.slot]
            if type(value) is str or type(value) is list:
                return value
            if type(value) is Unset:
                return self.read(activation)
            return placed(value, self.position) if type(value) is Fault else value
        # What most paths are, a variable or a member of one, all dicts, is found here without a
        # call. Everything else is found by the path.
        if activation.variables is not None and self.depth <= 1:
            value = activation.variables.get(self.name)
            if self.depth == 1:
                if type(value) is dict:
                    return self.member_of(value, activation)
            elif type(value) is str or type(value) is list:
                return value
            elif value is not None:
                return placed(adapt(value), self.position)
        return placed(self.path.resolve(activation), self.position)

    def member_of(self, members: dict[str, Any], activation: Activation) -> Any:
        """The member of a plain dict that the path ends in."""
        value = members.get(self.member)
        if type(value) is str or type(value) is list:
            return value
        if value is not None:
            return placed(adapt(value), self.position)
        return placed(self.path.resolve(activation), self.position)

    def read(self, activation: Activation) -> Any:
        """Fill the slot, and give its value."""
        value: Any = None
        root: Any = activation.roots[self.root]
        if type(root) is Unset:
            root = activation.root(self.root, self.name)
        if self.depth == 1 and type(root) is dict:
            members: dict[str, Any] = root
            value = members.get(self.member)
        if value is None:
            value = self.path.resolve(activation)
        elif type(value) is not str:
            value = adapt(value)
        activation.slots[self.slot] = value
        activation.touched = True
        # The slot is shared by all conditions; the place of a fault is this reader's own.
        return placed(value, self.position) if type(value) is Fault else value


class TextTest(Test):
    """A test of what an operand is by a constant text (of `size` characters).

    `read` is the operand where it is an attribute, and `slot` where that lies, if it is certain to
    be kept; else -1. `native` looks for it there.
    """

    __slots__ = ("slot", "size", "text", "read")

    def reads(self, operand: Node | None, text: str) -> None:
        """Say what is tested by what text; None for what `native` has nothing to look for."""
        self.text = text
        self.size = len(text)
        self.slot = -1
        self.read: Attribute | None = None
        if type(operand) is Attribute:
            self.read = operand
            if self.read.kept:
                self.slot = self.read.slot


class Local(Node):
    """A variable of a comprehension."""

    __slots__ = ("register",)

    def __init__(self, register: int, position: int) -> None:
        self.register = register
        self.position = position

    def value(self, activation: Activation) -> Any:
        value: Any = activation.registers[self.register]
        return placed(value, self.position) if type(value) is Fault else value


class Member(Node):
    """`operand.name` where the operand is no attribute path."""

    __slots__ = ("operand", "name")

    def __init__(self, operand: Node, name: str, position: int) -> None:
        self.operand = operand
        self.name = name
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is Fault:
            return operand
        return placed(select(operand, self.name), self.position)


class Has(Node):
    """`has(operand.name)`."""

    __slots__ = ("operand", "name")

    def __init__(self, operand: Node, name: str, position: int) -> None:
        self.operand = operand
        self.name = name
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is Fault:
            return operand
        return placed(has(operand, self.name), self.position)


class Index(Node):
    """`operand[key]`."""

    __slots__ = ("operand", "key")

    def __init__(self, operand: Node, key: Node, position: int) -> None:
        self.operand = operand
        self.key = key
        self.position = position

    def value(self, activation: Activation) -> Any:
        operand = self.operand.value(activation)
        if type(operand) is Fault:
            return operand
        key = self.key.value(activation)
        if type(key) is str:  # one that is found is compared
            activation.steps -= len(key) >> 6
        return placed(index(operand, key), self.position)


class MakeList(Node):
    """`[a, b]`."""

    __slots__ = ("elements",)

    def __init__(self, elements: tuple[Node, ...], position: int) -> None:
        self.elements = elements
        self.position = position

    def value(self, activation: Activation) -> Any:
        made = []
        for element in self.elements:
            value = element.value(activation)
            if type(value) is Fault:
                return value
            made.append(value)
        return made


class MakeMap(Node):
    """`{k: v}`. A key twice, or a key that is not bool, int, uint or string, is a Fault."""

    __slots__ = ("keys", "members")

    def __init__(self, keys: tuple[Node, ...], members: tuple[Node, ...], position: int) -> None:
        self.keys = keys
        self.members = members
        self.position = position

    def value(self, activation: Activation) -> Any:
        made = []
        for number in range(len(self.keys)):
            key = value_of(self.keys[number], activation)
            if type(key) is Fault:
                return key
            value = value_of(self.members[number], activation)
            if type(value) is Fault:
                return value
            made.append((key, value))
        return placed(make_map(made), self.position)


def value_of(node: Node, activation: Activation) -> Any:
    """`node.value`, typed for nodes that lie in tuples."""
    return node.value(activation)


_KEYS = frozenset({str, int, UInt, bool})


def make_map(pairs: list[tuple[Any, Any]]) -> Any:
    """A map from key and value pairs, or the Fault of a bad or repeated key."""
    made: dict[Any, Any] = {}
    bools = 0
    for key, value in pairs:
        if type(key) not in _KEYS:
            return Fault("no_such_overload", ("map key", type_name(key)))
        bools += type(key) is bool
        made[key] = value
    if 0 < bools < len(pairs):
        mixed = MixedMap(pairs)
        return mixed if len(mixed) == len(pairs) else _repeated(pairs)
    return made if len(made) == len(pairs) else _repeated(pairs)


def _repeated(pairs: list[tuple[Any, Any]]) -> Fault:
    seen = set()
    for key, _ in pairs:
        mark = (type(key) is bool, key)
        if mark in seen:
            return Fault("duplicate_key", (key,))
        seen.add(mark)
    raise AssertionError("a map lost a key that is not repeated")


def placed(value: Any, position: int) -> Any:
    """A value; a Fault without a place gets this one."""
    if type(value) is Fault and value.position < 0:
        # Never the given Fault itself: it may lie in a slot that other conditions read.
        return Fault(value.code, value.details, position)
    return value


class Call(Node):
    """A strict function of any number of arguments."""

    __slots__ = ("function", "arguments")

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Node, ...], position: int
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.position = position

    def value(self, activation: Activation) -> Any:
        values = []
        for argument in self.arguments:
            value = argument.value(activation)
            if type(value) is Fault:
                return value
            values.append(value)
        return placed(self.function(*values), self.position)
