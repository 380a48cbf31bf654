"""Envoy's external authorization: which requests a proxy lets through (`ext_authz` over gRPC).

Begin with `service` (one call from bytes to bytes). `document` is the table of routes as people
write it, `reading` and `compiling` make a `table` of it, `following` reads it again when it
changes; `patterns` and `targets` are the two sides of a path, `questions` and `answers` the two
sides of a call.

Laws: nothing here is open by mistake. What is not in the table, or is ambiguous, or fails, is
denied; who asks is read from what the proxy verified; what the upstream may trust no client sets.
"""

from __future__ import annotations

from .answers import Denials
from .following import RoutesFollower
from .service import SERVICE, ExtAuthz

__all__ = ["SERVICE", "Denials", "ExtAuthz", "RoutesFollower"]
