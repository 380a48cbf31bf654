"""What is told on `iam.events`: iam.role.assigned, iam.role.revoked, with all roles that somebody
has then. (iam.role.created and the like, and iam.policy.*, the decision point tells.)"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from taskman_authz.messaging import Event, Queue

if TYPE_CHECKING:
    from .store import Held

EXCHANGE = "iam.events"
USERS = Queue("iam.users", {"user.events": ("user.created", "user.deleted")})


def told(
    verb: str,
    company_id: str,
    user_id: str,
    version: int,
    roles: Iterable[Held],
    actor: str,
    role: str,
) -> Event:
    """That somebody's roles are these now, since `role` was given or taken (`verb`)."""
    data = {
        "company_id": company_id,
        "subject": f"user:{user_id}",
        "version": version,
        "roles": [
            {
                "name": each.name,
                "expires_at": each.expires_at.isoformat() if each.expires_at else None,
            }
            for each in roles
        ],
        "user_id": user_id,
        "role": role,
    }
    return Event(type=f"iam.role.{verb}", company_id=company_id, actor=actor, data=data)
