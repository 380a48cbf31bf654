"""What is asked of the policies (`iam.yaml`) about who holds roles. What is asked about roles and
policies themselves, the decision point asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chassis.caller import Caller
from ..chassis.pep import Resource

ASSIGN, REVOKE = "roles:assign", "roles:revoke"
ADMIN = "admin"  # of which a company keeps one


def role(name: str, who: Caller) -> Resource:
    """A role of the caller's company."""
    return Resource("roles", name, {"company_id": who.company})


def about_user(user_id: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Whom it is about."""
    context = {"user_id": user_id}
    if known.get("department"):
        context["user_department"] = known["department"]
    return context
