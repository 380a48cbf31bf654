"""What is asked of the policies (`audit.yaml`)."""

from __future__ import annotations

from ..chassis.pep import Resource

LOG, QUERY = "audit:log", "audit:query"
REPORT, ACTIVITY = "audit:report", "audit:activity"


def events(company_id: str) -> Resource:
    """The trail of a company."""
    return Resource("audit", "events", {"company_id": company_id})


def report(company_id: str) -> Resource:
    """The report on it."""
    return Resource("audit", "report", {"company_id": company_id})


def activity(company_id: str, user_id: str) -> Resource:
    """What a user did."""
    return Resource("audit", user_id, {"company_id": company_id})
