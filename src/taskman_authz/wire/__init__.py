"""protobuf ↔ requests and decisions. The only room that knows both.

Begin with `messages` (what a server reads and writes, and the same for a client); `properties` is
attributes ↔ Struct. Nearly all of it is functions from bytes and to bytes, so that a transport
never sees a message. Needs the extra `[protobuf]`.

Laws: what cannot be read is a `RequestError` that names the field and never its value; whatever
arrives is bounded before it is looked at; the same request means the same on both sides.
"""

from __future__ import annotations

from .messages import (
    decision_message,
    read_batch,
    read_check,
    read_decision,
    read_decisions,
    read_explain,
    wants_distinct,
    write_batch,
    write_check,
    write_decision,
    write_decisions,
)
from .properties import read_properties

SERVICE = "taskman_authz.v1.AuthorizationService"

__all__ = [
    "SERVICE",
    "decision_message",
    "read_batch",
    "read_check",
    "read_decision",
    "read_decisions",
    "read_explain",
    "read_properties",
    "wants_distinct",
    "write_batch",
    "write_check",
    "write_decision",
    "write_decisions",
]
