"""The decision. Begin with `authorizer` (a pure function), then `pdp` (the object that programs
hold); `observing` and `shadow` are what follows decisions, `needs` says what one reads."""

from __future__ import annotations

from .._fast.batch import Batch
from .authorizer import authorize, decision_of, together
from .needs import Needs, needs
from .observing import Log
from .pdp import PDP, check_items, request_of
from .shadow import Shadow, ShadowCounts

__all__ = [
    "PDP",
    "Batch",
    "Log",
    "Needs",
    "Shadow",
    "ShadowCounts",
    "authorize",
    "check_items",
    "decision_of",
    "needs",
    "request_of",
    "together",
]
