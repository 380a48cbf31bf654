"""What is asked of the policies (`sessions.yaml`, `users.yaml`)."""

from __future__ import annotations

from ..chassis.caller import Caller
from ..chassis.pep import Resource
from .domain import Session

LOGIN, LOGOUT = "sessions:login", "sessions:logout"
REFRESH, VERIFY = "sessions:refresh", "sessions:verify"
RESET = "users:reset_password"
ENROL, CONFIRM, REMOVE = "factors:enrol", "factors:confirm", "factors:remove"
NEW = Resource("sessions", "new")


def resource(session: Session, who: Caller) -> Resource:
    """A session. To a service that belongs to no company, it belongs to none."""
    attributes = {"user_id": session.user_id, "expires_at": session.expires_at.isoformat()}
    if who.company_id:
        attributes["company_id"] = session.company_id
    return Resource("sessions", session.id, attributes)


def user(user_id: str) -> Resource:
    """A user whose password is reset."""
    return Resource("users", user_id)


def factor(company_id: str, user_id: str, *, counts: bool) -> Resource:
    """A user's second factor."""
    about = {"company_id": company_id, "user_id": user_id, "confirmed": counts}
    return Resource("factors", user_id, about)
