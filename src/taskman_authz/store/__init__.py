"""Where policies rest. A store gives texts; compiling and installing them is others' work.

Begin with `Store`; `files` reads a folder, `memory` holds texts that a program made.
`postgres` is a database that is written too, with a door of its own. What a store
can do beyond giving its texts is a protocol of its own.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..policy import PolicySet
from .files import FileStore
from .memory import MemoryStore

__all__ = ["Compiled", "FileStore", "Fingerprinted", "MemoryStore", "Store"]


@runtime_checkable
class Store(Protocol):
    """Gives policy documents."""

    def load(self) -> list[tuple[str, str]]:
        """Name and YAML text of every document. Raises StoreError."""
        ...


@runtime_checkable
class Compiled(Protocol):
    """Gives its policies compiled, because it may hold a bundle of them."""

    def policies(self) -> PolicySet:
        """The policies. Raises StoreError, CompileError."""
        ...


@runtime_checkable
class Fingerprinted(Protocol):
    """Tells cheaply whether its documents may have changed."""

    def fingerprint(self) -> str:
        """A text that is another one once `load` gives something else. Never raises."""
        ...
