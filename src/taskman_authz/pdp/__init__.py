"""The decision. Begin with `authorizer` (a pure function), then `pdp` (the object that programs
hold); `observing` and `shadow` are what follows decisions."""

from __future__ import annotations

from .authorizer import authorize
from .observing import Log
from .pdp import PDP, check_items, request_of
from .shadow import Shadow, ShadowCounts

__all__ = ["PDP", "Log", "Shadow", "ShadowCounts", "authorize", "check_items", "request_of"]
