"""The decision. Begin with `authorizer` (a pure function), then `pdp` (the object that programs
hold)."""

from __future__ import annotations

from .authorizer import authorize
from .pdp import PDP, check_items, request_of

__all__ = ["PDP", "authorize", "check_items", "request_of"]
