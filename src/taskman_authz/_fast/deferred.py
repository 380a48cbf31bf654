"""A condition that is planned when a question first needs it: a set of many begins quickly, and
most of its conditions are never asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .activation import Activation
from .nodes import Node


class Deferred(Node):
    """What `plan` makes of `data`, once it is needed; `plan` never raises. Threads that need it at
    one time may each make it, and it does not matter whose is kept."""

    __slots__ = ("plan", "data", "node")

    def __init__(self, plan: Callable[[Any], Node], data: Any) -> None:
        self.plan = plan
        self.data = data
        self.node: Node | None = None
        self.position = 0

    def value(self, activation: Activation) -> Any:
        node = self.node
        if node is None:
            node = self.planned()
        return node.value(activation)

    def truth(self, activation: Activation) -> int:
        node = self.node
        if node is None:
            node = self.planned()
        return node.truth(activation)

    def planned(self) -> Node:
        """The condition itself."""
        data = self.data  # before the node is looked at: it is taken away after that is there
        if self.node is None:
            self.node = self.plan(data)
            self.data = None
        return self.node
