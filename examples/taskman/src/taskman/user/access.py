"""What is asked of the policies (`users.yaml`) about users."""

from __future__ import annotations

from ..chassis.caller import Caller
from ..chassis.pep import Resource
from .domain import User

CREATE, VIEW, EDIT = "users:create", "users:view", "users:edit"
DELETE, LIST, SEARCH = "users:delete", "users:list", "users:search"
ACTIVATE, DEACTIVATE = "users:activate", "users:deactivate"


def new(who: Caller) -> Resource:
    """A user who is about to be made."""
    return Resource("users", "new", {"company_id": who.company})


def many(who: Caller) -> Resource:
    """The users of a company."""
    return Resource("users", "*", {"company_id": who.company})


def resource(user: User, who: Caller) -> Resource:
    """A user. To a service that belongs to no company, they belong to none."""
    return Resource("users", user.id, {"company_id": user.company_id if who.company_id else ""})
