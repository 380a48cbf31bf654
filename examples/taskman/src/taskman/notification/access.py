"""What is asked of the policies (`notifications.yaml`)."""

from __future__ import annotations

from ..chassis.pep import Resource
from .letters import Recipient

EMAIL, WEBHOOK, PUSH = "notifications:email", "notifications:webhook", "notifications:push"
SEND = {"email": EMAIL, "webhook": WEBHOOK, "push": PUSH}  # by type
HISTORY = "notifications:history"


def to_user(to: Recipient, type: str, project_id: str = "") -> Resource:
    """Something that is about to be sent to a user."""
    about = {"company_id": to.company_id, "recipient": to.id, "project": project_id}
    return Resource("notifications", "new", {**about, "opted_out": to.opted_out(type)})


def to_system(company_id: str, url: str) -> Resource:
    """A call of another system."""
    return Resource("notifications", "new", {"company_id": company_id, "url": url})


def history(company_id: str, user_id: str) -> Resource:
    """What a user was sent; "": what everybody was."""
    return Resource("notifications", user_id or "*", {"company_id": company_id})
