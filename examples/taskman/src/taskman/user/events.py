"""What is told about users, on `user.events`: user.created, user.updated, user.deleted,
user.activated, user.deactivated. The data say which user, and of an update which fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskman_authz.messaging import Event

if TYPE_CHECKING:
    from .domain import User

EXCHANGE = "user.events"


def about(type: str, user: User, actor: str, **more: Any) -> Event:
    """An event about a user."""
    data = {"user_id": user.id, "email": user.email, "username": user.username}
    data |= {"department": user.department, **more}
    return Event(type=type, company_id=user.company_id, actor=actor, data=data)
