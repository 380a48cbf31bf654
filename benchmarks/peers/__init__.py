"""The peers, one file each. A peer is a module with

- `TITLE`, the name of its column, and `KINDS`, the kinds of cases it is asked (classes of `cases`);
- `VARIANTS`, how it can be asked, each a column (name → what the column's title adds);
- `version()`, what is measured, raising `Cannot` when the peer is not here;
- `prepare(case, variant) -> Timed`, raising `Cannot` with the reason when it cannot do a case.

Peers are imported only in the process that runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class Cannot(Exception):
    """This peer cannot do this; the text says why and is shown in the table."""


@dataclass(frozen=True)
class Timed:
    """A statement to time, with the names in it, so that no call of ours is between clock and peer.

    `per` divides the time (conditions in a set).
    """

    statement: str
    names: Mapping[str, Any] = field(default_factory=dict)
    per: int = 1

    def answer(self) -> Any:
        """What the statement gives."""
        return eval(self.statement, dict(self.names))  # noqa: S307 - our own statement
