"""The service `taskman_authz.v1.PolicyAdministration`: policies of the database, changed and read.

Begin with `service` (what each method does); `permission` is who may, `messages` is messages ↔
what is stored.

Laws: nobody administers without being allowed to by the policies in force, and nobody another
company's. What is told of a failure of the database is that there was one.
"""

from __future__ import annotations

from .permission import Permission
from .service import SERVICE, Administration

__all__ = ["SERVICE", "Administration", "Permission"]
