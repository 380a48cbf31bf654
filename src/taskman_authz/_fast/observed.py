"""Watching an evaluation: a node that shows what another one came to.

Only a plan made for it has such nodes (`cel.planner.ObservedPlan`), so the plain plan never asks
whether anybody is watching.
"""

from __future__ import annotations

from typing import Any

from .activation import Activation
from .nodes import Node


class Observed(Node):
    """Shows the value of the part `id` of an expression to the activation's observer, and goes on
    with what that answers: `observer(id, value) -> value`."""

    __slots__ = ("node", "id")

    def __init__(self, node: Node, id: int) -> None:
        self.node = node
        self.id = id
        self.position = node.position

    def value(self, activation: Activation) -> Any:
        return activation.observer(self.id, self.node.value(activation))
