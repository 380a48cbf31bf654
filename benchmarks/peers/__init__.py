"""The peers, one file each. A peer is a module with

- `TITLE`, its name, and `VARIANTS`, how it can be asked: each is a column with the kinds of cases
  that it is asked (classes of `cases`);
- `version()`, what is measured, raising `Cannot` when the peer is not here;
- `prepare(case, variant) -> Timed`, raising `Cannot` with the reason when it cannot do a case.

Peers are imported only in the process that runs them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# In the order of the table.
NAMES = (
    "ours",
    "handwritten",
    "python_lambda",
    "cel_rust",
    "cel_cpp",
    "cel_python",
    "casbin_rules",
    "cedar",
    "cerbos",
)


@dataclass(frozen=True)
class Variant:
    """One way of asking a peer: what the column's title adds to the peer's, and for which cases."""

    adds: str
    kinds: tuple[type, ...]


class Cannot(Exception):
    """This peer cannot do this; the text says why and is shown in the table."""


@dataclass(frozen=True)
class Timed:
    """A statement to time, with the names in it, so that no call of ours is between clock and peer.

    `per` divides the time (conditions in a set); `clock` is what is read, in seconds.
    """

    statement: str
    names: Mapping[str, Any] = field(default_factory=dict)
    per: int = 1
    clock: Callable[[], float] = time.perf_counter

    def answer(self) -> Any:
        """What the statement gives."""
        return eval(self.statement, dict(self.names))
