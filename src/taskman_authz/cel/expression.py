"""An expression before it is planned: its trees, and the environment's parts that planning needs.

A program keeps no tree; what looks into an expression again (partial evaluation, residuals,
explanations) begins here.
"""

from __future__ import annotations

from typing import NamedTuple

from ..limits import Limits
from .checker import Checked
from .decls import Declarations, Reference
from .functions import Implementations
from .parser import Parsed


class Expression(NamedTuple):
    """What was `parsed` and, if it was, `checked`."""

    parsed: Parsed
    checked: Checked | None
    declarations: Declarations
    implementations: Implementations
    limits: Limits

    @property
    def references(self) -> dict[int, Reference] | None:
        """What names stand for, by the ids of the tree; None if it was not checked."""
        return None if self.checked is None else self.checked.references
