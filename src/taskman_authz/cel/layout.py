"""Numbers for what conditions read: attribute paths become slots, variables become roots.

Law: one layout serves a whole policy set, so that a path which a thousand conditions read has one
slot and is resolved once a request. Numbers are given in the order of first use and never change.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._fast.activation import Path


class Layout:
    """Slots for attribute paths and roots for variables. `registers` is the number of registers
    that the deepest nest of comprehensions among the planned expressions needs."""

    def __init__(self, roots: Iterable[str] = ()) -> None:
        self.roots: dict[str, int] = {}
        for name in roots:
            self.roots[name] = len(self.roots)
        self.paths: list[Path] = []
        self.slots = 0  # that are in use: the others' paths are read once, and not kept
        self.registers = 0
        self._slots: dict[tuple[str, ...], int] = {}

    def slot(self, variable: str, members: tuple[str, ...] = ()) -> int:
        """The slot of `variable.member…`."""
        key = (variable, *members)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self.paths)
            root = self.roots.setdefault(variable, len(self.roots))
            self.paths.append(Path(root, variable, members))
            self.slots = len(self.paths)
        return slot

    def need_registers(self, count: int) -> None:
        """There will be at least `count` registers."""
        self.registers = max(self.registers, count)
